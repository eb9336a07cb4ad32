/** What waits of an image where nothing can be saved is seen as it was left, and marked. */

import type { AnnotationDocument } from "../model/document";
import { keyOfId, sameAnnotation, type Annotation, type AnnotationKey } from "../model/records";
import type { PendingEntry } from "./pending-store";
import type { Slots } from "./save-slot";

interface Seen {
  /** Why it is not saved. */
  readonly why: string;
  /** What is there without it. */
  readonly beneath: Annotation | null;
}

export class OnlySeen {
  readonly #document: AnnotationDocument;
  readonly #slots: Slots;
  readonly #changed: () => void;
  /** By what it is called here. */
  readonly #seen = new Map<AnnotationKey, Seen>();

  constructor(document: AnnotationDocument, slots: Slots, changed: () => void) {
    this.#document = document;
    this.#slots = slots;
    this.#changed = changed;
    document.subscribe((diff, origin) => {
      // What is seen in its place from now on is what somebody else has saved.
      if (origin === "remote") for (const { key } of diff) this.#seen.delete(key);
    });
  }

  /** Why what is seen is not saved, by key. */
  get reasons(): Map<AnnotationKey, string> {
    return new Map([...this.#seen].map(([key, { why }]) => [key, why]));
  }

  /** Where nothing of it can be saved; it goes on waiting. */
  show(entries: readonly PendingEntry[], why: string): void {
    const document = this.#document;
    const seen = new Map<AnnotationKey, Seen>();
    const change = new Map<AnnotationKey, Annotation | null>();
    for (const { key: kept, clientKey, facts, target } of entries) {
      const made = facts ? null : this.#slots.loadedAs(clientKey ?? kept);
      const id = (facts ?? made?.facts)?.id;
      const key = id === undefined ? kept : keyOfId(id);
      const beneath = document.get(key);
      // What was deleted here stays to be seen where the server has it.
      if (made ? sameAnnotation(made.annotation, target) : !target && !beneath) continue;
      seen.set(key, { why: target ? why : `You deleted it. ${why}`, beneath });
      if (target) change.set(key, target);
    }
    document.apply(change, "remote");
    for (const [key, each] of seen) this.#seen.set(key, each);
    this.#changed();
  }

  /** Nothing of it waits any more: what the server had is seen again. */
  forget(): void {
    this.#document.apply(new Map([...this.#seen].map(([key, { beneath }]) => [key, beneath])), "remote");
    this.#seen.clear();
    this.#changed();
  }
}

/**
 * Takes over into the document what others did, as far as nothing that is not saved here
 * stands against it.
 */

import type { AnnotationDocument } from "../model/document";
import { keyOfId, type Annotation, type AnnotationKey } from "../model/records";
import type { Slots } from "./save-slot";
import { asNamed, type Known } from "./wire";

export class TakingOver {
  readonly #document: AnnotationDocument;
  readonly #slots: Slots;
  readonly #unsaved: ReadonlySet<AnnotationKey>;

  constructor(document: AnnotationDocument, slots: Slots, unsaved: ReadonlySet<AnnotationKey>) {
    this.#document = document;
    this.#slots = slots;
    this.#unsaved = unsaved;
  }

  /** Which version of what the document has, as the server confirmed it. */
  versions(): ReadonlyMap<AnnotationKey, number> {
    const document = this.#document;
    const found = [...document.entries()].map(([key]) => [key, document.facts(key)?.version] as const);
    return new Map(found.filter((each): each is [AnnotationKey, number] => each[1] !== undefined));
  }

  /**
   * Takes over what others did: `all` is what the server has by now, `before` what
   * `versions` told when it was asked. What waits to be saved stays as it is; where
   * both changed the same annotation, its saving tells of the conflict. What is in
   * hand stays, too: then the answer is false, for somebody to ask once more.
   */
  catchUp(
    all: readonly Known[],
    before: ReadonlyMap<AnnotationKey, number>,
    inHand: (key: AnnotationKey) => boolean,
  ): boolean {
    const document = this.#document;
    let whole = true;
    const isFree = (key: AnnotationKey): boolean => {
      if (this.#unsaved.has(key)) return false;
      const free = !inHand(key);
      whole &&= free;
      return free;
    };
    // Of all that are known by now: one that was made here may have got its id since the server was asked.
    const keys = this.#slots.byId();
    const gone = new Set(before.keys());
    const change = new Map<AnnotationKey, Annotation | null>();
    for (const each of all) {
      const key = keys.get(each.facts.id) ?? keyOfId(each.facts.id);
      gone.delete(key);
      const newer = (document.facts(key)?.version ?? 0) < each.facts.version;
      if (!newer || !isFree(key)) continue;
      const known = asNamed(each, this.#baseOf(key));
      this.#slots.adopt(key, known);
      change.set(key, known.annotation);
    }
    for (const key of gone) {
      // One that was deleted and brought back here meanwhile is there again.
      const same = document.facts(key)?.version === before.get(key);
      if (same && isFree(key)) change.set(key, null);
    }
    document.apply(change, "remote");
    for (const [key, annotation] of change) if (!annotation) this.#slots.letGo(key);
    return whole;
  }

  /**
   * The same for some annotations by their ids, null for one that is not there any
   * more. Where a conflict waits for its decision, it is about the newer state now.
   */
  takeOver(found: ReadonlyMap<number, Known | null>): void {
    const document = this.#document;
    const change = new Map<AnnotationKey, Annotation | null>();
    const keys = this.#slots.byId();
    for (const [id, each] of found) {
      const key = keys.get(id) ?? keyOfId(id);
      const known = each && asNamed(each, this.#baseOf(key));
      const slot = this.#slots.find(key);
      if (slot?.trouble?.kind === "conflict") slot.trouble = { kind: "conflict", theirs: known };
      else if (!this.#unsaved.has(key) && !this.#isOlder(key, known)) {
        if (known) this.#slots.adopt(key, known);
        else this.#slots.letGo(key);
        change.set(key, known?.annotation ?? null);
      }
    }
    document.apply(change, "remote");
  }

  /** Whether we have it newer, or just so; or had it so, and deleted it. */
  #isOlder(key: AnnotationKey, known: Known | null): boolean {
    const version = this.#document.facts(key)?.version;
    return known !== null && version !== undefined && version >= known.facts.version;
  }

  #baseOf(key: AnnotationKey): Annotation | null {
    return this.#slots.find(key)?.base ?? null;
  }
}

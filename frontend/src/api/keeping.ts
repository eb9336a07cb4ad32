/** Keeps in the browser what waits of one image, until the server has it. */

import type { AnnotationKey } from "../model/records";
import type { PendingEntry, PendingStore } from "./pending-store";
import { isSame, type Slot, type Stored } from "./save-slot";

export interface KeepingOptions {
  readonly imageId: number;
  readonly userId: number;
  readonly store: PendingStore;
}

export class Keeping {
  readonly #options: KeepingOptions;
  readonly #changed: () => void;
  /** What the store has of this image, as far as this one answers for it. */
  readonly #entries = new Map<AnnotationKey, PendingEntry>();

  constructor(options: KeepingOptions, changed: () => void) {
    this.#options = options;
    this.#changed = changed;
  }

  get entries(): readonly PendingEntry[] {
    return [...this.#entries.values()];
  }

  keep(key: AnnotationKey, slot: Slot, stored: Stored): void {
    if (slot.stored && isSame(slot.stored, stored)) return;
    slot.stored = stored;
    const { imageId, userId, store } = this.#options;
    const { base, attempted, prediction, deletion } = slot;
    const { target, facts, decided, wanted, clientKey, unheard } = stored;
    const decision = prediction && { decision: { prediction, decided, wanted } };
    const known = { facts, base, target, attempted, clientKey, unheard, deletion };
    const entry = { userId, imageId, key, ...known, ...decision };
    this.#entries.set(key, entry);
    this.#guard(store.put(entry));
  }

  remove(key: AnnotationKey): void {
    const { imageId, userId, store } = this.#options;
    this.#entries.delete(key);
    this.#guard(store.remove({ userId, imageId, key }));
  }

  adopt(entries: readonly PendingEntry[]): void {
    for (const entry of entries) this.#entries.set(entry.key, entry);
    this.#guard(this.#options.store.adopt(entries));
  }

  #guard(work: Promise<void>): void {
    // Where the browser keeps nothing, the store has it in the page, and the person is told.
    work.catch(() => this.#changed());
  }
}

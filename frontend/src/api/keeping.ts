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
  /** False when the browser keeps nothing, as some do in private windows. */
  works = true;
  readonly #options: KeepingOptions;
  readonly #changed: () => void;

  constructor(options: KeepingOptions, changed: () => void) {
    this.#options = options;
    this.#changed = changed;
  }

  keep(key: AnnotationKey, slot: Slot, stored: Stored): void {
    if (slot.stored && isSame(slot.stored, stored)) return;
    slot.stored = stored;
    const { imageId, userId, store } = this.#options;
    const { base, attempted, prediction } = slot;
    const { target, facts, decided, wanted, clientKey } = stored;
    const decision = prediction && { decision: { prediction, decided, wanted } };
    this.#guard(store.put({ userId, imageId, key, facts, base, target, attempted, clientKey, ...decision }));
  }

  remove(key: AnnotationKey): void {
    const { imageId, userId, store } = this.#options;
    this.#guard(store.remove({ userId, imageId, key }));
  }

  adopt(entries: readonly PendingEntry[]): void {
    this.#guard(this.#options.store.adopt(entries));
  }

  #guard(work: Promise<void>): void {
    work.catch(() => {
      this.works = false;
      this.#changed();
    });
  }
}

/**
 * Changes that earlier visits could not save, by image, as the browser's store
 * told at first. Where an image does not open any more its changes wait on, and
 * hinder nobody from saving those of others; they go when a person says so.
 */

import type { PendingEntry, PendingStore } from "./api/pending-store";

export class EarlierChanges {
  readonly #store: PendingStore;
  readonly #userId: number;
  changed: () => void = () => undefined;
  /** The images, and whether each has turned out not to open. */
  readonly #images = new Map<number, "waits" | "gone">();

  constructor(store: PendingStore, userId: number) {
    this.#store = store;
    this.#userId = userId;
  }

  /** Everything that waits now, as far as no other open tab answers for it. */
  list(): Promise<PendingEntry[]> {
    return this.#store.list(this.#userId);
  }

  note(entries: readonly PendingEntry[]): void {
    for (const { imageId } of entries) this.#images.set(imageId, "waits");
  }

  /** Images that may be opened to save what waits. */
  get waiting(): readonly number[] {
    return this.#which("waits");
  }

  /** Images that are not there any more, or not for this person. */
  get gone(): readonly number[] {
    return this.#which("gone");
  }

  /** What a visit could not save; in vain where nothing can be saved of its image any more. */
  keep({ id, unsaved }: { readonly id: number; readonly unsaved: number }, inVain: boolean): void {
    if (unsaved > 0 || this.#images.has(id)) this.#images.set(id, inVain ? "gone" : "waits");
    this.changed();
  }

  saved(imageId: number): void {
    this.#images.delete(imageId);
  }

  didNotOpen(imageId: number): void {
    if (!this.#images.has(imageId)) return;
    this.#images.set(imageId, "gone");
    this.changed();
  }

  /** Deletes for ever what waits for images that are gone. */
  async deleteGone(): Promise<void> {
    const gone = new Set(this.gone);
    const entries = (await this.list()).filter(({ imageId }) => gone.has(imageId));
    await this.#store.adopt(entries);
    await Promise.all(entries.map((entry) => this.#store.remove(entry)));
    for (const id of gone) this.saved(id);
    this.changed();
  }

  #which(state: "waits" | "gone"): number[] {
    return [...this.#images].flatMap(([id, is]) => (is === state ? [id] : []));
  }
}

/**
 * Changes that earlier visits could not save, by image, as the browser's store
 * told at first. Where an image does not open any more its changes wait on, and
 * hinder nobody from saving those of others; they go when a person says so.
 */

import type { PendingEntry, PendingStore } from "./api/pending-store";
import type { Session } from "./session";

/** An image with changes that wait, by what a person calls it. */
export interface WaitingImage {
  readonly id: number;
  readonly name: string;
}

/** Whether it may be opened to save what waits, or has turned out not to open. */
type State = "waits" | "gone";

export class EarlierChanges {
  readonly #store: PendingStore;
  readonly #userId: number;
  changed: () => void = () => undefined;
  readonly #images = new Map<number, WaitingImage & { readonly state: State }>();

  constructor(store: PendingStore, userId: number) {
    this.#store = store;
    this.#userId = userId;
  }

  /** Everything that waits now, as far as no other open tab answers for it. */
  list(): Promise<PendingEntry[]> {
    return this.#store.list(this.#userId);
  }

  note(entries: readonly PendingEntry[]): void {
    // Earlier versions kept no name of the file.
    for (const { imageId: id, fileName } of entries) this.#set({ id, name: fileName ?? `image ${id}` }, "waits");
  }

  /** Images that may be opened to save what waits. */
  get waiting(): readonly WaitingImage[] {
    return this.#which("waits");
  }

  /** Images that are not there any more, or not for this person. */
  get gone(): readonly WaitingImage[] {
    return this.#which("gone");
  }

  /** What a visit could not save; in vain where nothing can be saved of its image any more. */
  keep({ id, image, unsaved }: Pick<Session, "id" | "image" | "unsaved">, inVain: boolean): void {
    if (unsaved > 0 || this.#images.has(id)) this.#set({ id, name: image.file_name }, inVain ? "gone" : "waits");
    this.changed();
  }

  saved(imageId: number): void {
    this.#images.delete(imageId);
  }

  /** Another tab of this browser answers for what waited. */
  takenElsewhere(imageId: number): void {
    this.saved(imageId);
    this.changed();
  }

  didNotOpen(imageId: number): void {
    const image = this.#images.get(imageId);
    if (!image) return;
    this.#set(image, "gone");
    this.changed();
  }

  /** Deletes for ever what waits for images that are gone. */
  async deleteGone(): Promise<void> {
    const gone = new Set(this.gone.map(({ id }) => id));
    const entries = (await this.list()).filter(({ imageId }) => gone.has(imageId));
    await this.#store.adopt(entries);
    await Promise.all(entries.map((entry) => this.#store.remove(entry)));
    for (const id of gone) this.saved(id);
    this.changed();
  }

  #set({ id, name }: WaitingImage, state: State): void {
    this.#images.set(id, { id, name, state });
  }

  #which(state: State): WaitingImage[] {
    return [...this.#images.values()].filter((image) => image.state === state);
  }
}

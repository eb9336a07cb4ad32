/**
 * Changes that earlier visits could not save, by image, as the browser's store
 * told at first. Where an image does not open any more its changes wait on, and
 * hinder nobody from saving those of others; they go when a person says so.
 */

import type { Absence } from "./access";
import type { PendingEntry, PendingStore } from "./api/pending-store";
import type { Session } from "./session";

/** An image with changes that wait, by what a person calls it. */
export interface WaitingImage {
  readonly id: number;
  readonly name: string;
}

/** Why what waits cannot be saved: the image is gone, or the person is out of its dataset or may only look there. */
export type InVain = Exclude<Absence, "unknown"> | "viewer";

export interface GoneImage extends WaitingImage {
  readonly why: InVain;
}

/** Null where it may be opened to save what waits. */
type Noted = WaitingImage & { readonly why: InVain | null };

export class EarlierChanges {
  readonly #store: PendingStore;
  readonly #userId: number;
  changed: () => void = () => undefined;
  readonly #images = new Map<number, Noted>();

  constructor(store: PendingStore, userId: number) {
    this.#store = store;
    this.#userId = userId;
  }

  /** Everything that waits now, as far as no other open tab answers for it. */
  list(): Promise<PendingEntry[]> {
    return this.#store.list(this.#userId);
  }

  /** The same, as the page begins. */
  async recall(): Promise<PendingEntry[]> {
    const entries = await this.list();
    this.note(entries);
    return entries;
  }

  note(entries: readonly PendingEntry[]): void {
    // Earlier versions kept no name of the file.
    for (const { imageId: id, fileName } of entries) this.#set({ id, name: fileName ?? `image ${id}` }, null);
  }

  /** Images that may be opened to save what waits. */
  get waiting(): readonly WaitingImage[] {
    return [...this.#images.values()].filter(({ why }) => why === null);
  }

  /** Images that are not there any more, or not for this person. */
  get gone(): readonly GoneImage[] {
    return [...this.#images.values()].filter((image): image is GoneImage => image.why !== null);
  }

  /** What a visit could not save, and why nothing can be saved of its image as it is, where that is known. */
  keep({ id, image, unsaved }: Pick<Session, "id" | "image" | "unsaved">, why: Absence | "viewer" | null): void {
    const known = why === "unknown" ? null : why;
    if (unsaved > 0 || this.#images.has(id)) this.#set({ id, name: image.file_name }, known);
    this.changed();
  }

  /** One session follows another on the stage: what waited in vain may be opened again where the reason is over. */
  follows(next: Pick<Session, "page">, last: Pick<Session, "page" | "absence">): void {
    const mayEdit = next.page.role !== "viewer" && last.page.role === "viewer";
    const isOver = { image: false, dataset: last.absence !== null, viewer: mayEdit };
    for (const image of this.gone) if (isOver[image.why]) this.#set(image, null);
  }

  saved(imageId: number): void {
    this.#images.delete(imageId);
  }

  /** Another tab of this browser answers for what waited. */
  takenElsewhere(imageId: number): void {
    this.saved(imageId);
    this.changed();
  }

  /** It answers that it is not there. So does all of a dataset that the person is out of, as what is shown tells. */
  didNotOpen(imageId: number, { absence }: Pick<Session, "absence">): void {
    const image = this.#images.get(imageId);
    if (!image) return;
    this.#set(image, absence === null || absence === "image" ? "image" : "dataset");
    this.changed();
  }

  /** Deletes for ever what waits in vain for this reason, and gives the images that it was of. */
  async deleteGone(reason: InVain): Promise<ReadonlySet<number>> {
    const gone = new Set(this.gone.filter(({ why }) => why === reason).map(({ id }) => id));
    const entries = (await this.list()).filter(({ imageId }) => gone.has(imageId));
    await this.#store.adopt(entries);
    await Promise.all(entries.map((entry) => this.#store.remove(entry)));
    for (const id of gone) this.saved(id);
    this.changed();
    return gone;
  }

  #set({ id, name }: WaitingImage, why: InVain | null): void {
    this.#images.set(id, { id, name, why });
  }
}

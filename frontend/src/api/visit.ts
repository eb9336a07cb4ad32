/** What a visit to an image begins with, and the same made ready before it begins. */

import { get, listAll, listRest, type Schemas, type Transport } from "./client";
import type { LoadedPicture } from "./pictures";
import type { ImageRecord } from "../model/records";
import { read, type Known } from "./wire";

export type Neighbours = Schemas["NeighboursOut"];

export interface Visit {
  readonly image: Schemas["ImageOut"];
  readonly annotations: readonly Known[];
  readonly neighbours: Neighbours | null;
}

/** In one answer, as far as that goes. Throws a RequestError when the image does not come. */
export async function loadVisit(
  transport: Transport,
  imageId: number,
  query: string,
  signal?: AbortSignal,
): Promise<Visit> {
  const visit = await get(transport, "/api/images/{image_id}/visit", imageId, query, signal);
  const { image, neighbours, annotations } = visit;
  const { next_cursor: cursor } = annotations;
  const rest = await listRest(transport, "/api/images/{image_id}/annotations", imageId, cursor, signal);
  return { image, neighbours, annotations: [...annotations.items, ...rest].map(read) };
}

export async function loadAnnotations(transport: Transport, imageId: number): Promise<Known[]> {
  return (await listAll(transport, "/api/images/{image_id}/annotations", imageId)).map(read);
}

export async function loadNeighbours(
  transport: Transport,
  imageId: number,
  query: string,
): Promise<Neighbours | null> {
  return get(transport, "/api/images/{image_id}/neighbours", imageId, query).catch(() => null);
}

/** The picture of an image that is not on the stage yet. */
export interface AheadPicture {
  /** On its way, or there; null when nobody asked for it yet. */
  readonly picture: Promise<LoadedPicture | null> | null;
  /** Ends what is on its way. Whoever goes on fetching does so under it. */
  readonly stop: AbortController;
}

/** What is there of a visit before it begins. */
export interface Ahead<Made> extends AheadPicture {
  readonly made: Made | null;
}

export const nothingAhead = (): Ahead<never> => ({ made: null, picture: null, stop: new AbortController() });

interface Entry<Made> extends Ahead<Made> {
  made: Made | null;
  picture: Promise<LoadedPicture | null> | null;
}

export interface PrefetchOptions<Made> {
  /** Makes everything ready but the picture. */
  readonly load: (imageId: number) => Promise<Made>;
  /** Nobody wants what was made after all. */
  readonly forget?: (made: Made) => void;
  readonly picture: (image: ImageRecord, signal: AbortSignal) => Promise<LoadedPicture | null>;
  readonly close?: (picture: LoadedPicture) => void;
}

/**
 * Visits that will probably come next, made ready one after the other. Only what
 * is wanted is kept: a picture takes memory, and annotations grow old.
 */
export class Prefetch<Made extends { readonly image: ImageRecord }> {
  readonly #options: Required<PrefetchOptions<Made>>;
  readonly #entries = new Map<number, Entry<Made>>();
  #wanted: readonly number[] = [];
  #working = false;

  constructor(options: PrefetchOptions<Made>) {
    this.#options = { close: ({ picture }) => picture.close(), forget: () => undefined, ...options };
  }

  /** What is made by now. */
  get made(): readonly Made[] {
    return [...this.#entries.values()].flatMap(({ made }) => (made ? [made] : []));
  }

  /**
   * The ids, the likeliest first; what is kept of others is let go. Only those
   * that `fetchable` allows are asked for.
   */
  want(ids: readonly number[], fetchable: (id: number) => boolean = () => true): void {
    this.#wanted = ids.filter(fetchable);
    for (const [id, entry] of this.#entries) {
      if (ids.includes(id)) continue;
      this.drop(entry);
      this.#entries.delete(id);
    }
    void this.#work();
  }

  /** A picture that was shown a moment ago. */
  keepPicture(id: number, picture: LoadedPicture): void {
    const entry = this.#entry(id);
    this.#close(entry);
    entry.picture = Promise.resolve(picture);
  }

  /** Hands over what there is. */
  take(id: number): Ahead<Made> {
    const entry = this.#entries.get(id);
    this.#entries.delete(id);
    return entry ?? nothingAhead();
  }

  /** What was handed over is not needed now, and maybe soon: what is made stays, until others are wanted. */
  giveBack(id: number, ahead: Ahead<Made>): void {
    if (ahead.made && !this.#entries.has(id)) this.#entries.set(id, { ...ahead });
    else this.drop(ahead);
  }

  /** What was handed over is not wanted after all. */
  drop(ahead: Ahead<Made>): void {
    ahead.stop.abort();
    this.#close(ahead);
    if (ahead.made) this.#options.forget(ahead.made);
  }

  #entry(id: number): Entry<Made> {
    const known = this.#entries.get(id);
    if (known) return known;
    const entry: Entry<Made> = nothingAhead();
    this.#entries.set(id, entry);
    return entry;
  }

  #close({ picture }: AheadPicture): void {
    void picture?.then((loaded) => loaded && this.#options.close(loaded));
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    const tried = new Set<number>();
    for (;;) {
      const id = this.#wanted.find((each) => !tried.has(each) && !this.#entries.get(each)?.made);
      if (id === undefined) break;
      tried.add(id);
      await this.#fetch(id, this.#entry(id));
    }
    this.#working = false;
  }

  async #fetch(id: number, entry: Entry<Made>): Promise<void> {
    let made: Made;
    try {
      made = await this.#options.load(id);
    } catch {
      // It is asked for again when the person goes there, and what is wrong is told then.
      return;
    }
    if (this.#entries.get(id) !== entry) return this.#options.forget(made);
    entry.made = made;
    entry.picture ??= this.#options.picture(made.image, entry.stop.signal);
    await entry.picture;
  }
}

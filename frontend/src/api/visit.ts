/** What a visit to an image begins with, and the same made ready before it begins. */

import { get, listAll, type Schemas, type Transport } from "./client";
import type { LoadedPicture } from "./pictures";
import type { ImageRecord } from "../model/records";
import { read, type Known } from "./wire";

export type Neighbours = Schemas["NeighboursOut"];

export interface Visit {
  readonly image: Schemas["ImageOut"];
  readonly annotations: readonly Known[];
  readonly neighbours: Neighbours | null;
}

/** Throws a RequestError when the image does not come; without neighbours one can still work. */
export async function loadVisit(transport: Transport, imageId: number, query: string): Promise<Visit> {
  // The image first: annotations that are newer than its revision do no harm, older ones would.
  const image = await get(transport, "/api/images/{image_id}", imageId);
  const [annotations, neighbours] = await Promise.all([
    loadAnnotations(transport, imageId),
    loadNeighbours(transport, imageId, query),
  ]);
  return { image, annotations, neighbours };
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

/** What is there of a visit before it begins. */
export interface Ahead {
  readonly visit: Visit | null;
  /** On its way, or there; null when nobody asked for it yet. */
  readonly picture: Promise<LoadedPicture | null> | null;
  /** Ends what is on its way. Whoever goes on fetching does so under it. */
  readonly stop: AbortController;
}

export const nothingAhead = (): Ahead => ({ visit: null, picture: null, stop: new AbortController() });

interface Entry extends Ahead {
  visit: Visit | null;
  picture: Promise<LoadedPicture | null> | null;
}

export interface PrefetchOptions {
  readonly load: (imageId: number) => Promise<Visit>;
  readonly picture: (image: ImageRecord, signal: AbortSignal) => Promise<LoadedPicture | null>;
  readonly close?: (picture: LoadedPicture) => void;
}

/**
 * Visits that will probably come next, made ready one after the other. Only what
 * is wanted is kept: a picture takes memory, and annotations grow old.
 */
export class Prefetch {
  readonly #options: Required<PrefetchOptions>;
  readonly #entries = new Map<number, Entry>();
  #wanted: readonly number[] = [];
  #working = false;

  constructor(options: PrefetchOptions) {
    this.#options = { close: ({ picture }) => picture.close(), ...options };
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
  take(id: number): Ahead {
    const entry = this.#entries.get(id);
    this.#entries.delete(id);
    return entry ?? nothingAhead();
  }

  /** What was handed over is not wanted after all. */
  drop(ahead: Ahead): void {
    ahead.stop.abort();
    this.#close(ahead);
  }

  #entry(id: number): Entry {
    const known = this.#entries.get(id);
    if (known) return known;
    const entry: Entry = nothingAhead();
    this.#entries.set(id, entry);
    return entry;
  }

  #close({ picture }: Ahead): void {
    void picture?.then((loaded) => loaded && this.#options.close(loaded));
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    const tried = new Set<number>();
    for (;;) {
      const id = this.#wanted.find((each) => !tried.has(each) && !this.#entries.get(each)?.visit);
      if (id === undefined) break;
      tried.add(id);
      await this.#fetch(id, this.#entry(id));
    }
    this.#working = false;
  }

  async #fetch(id: number, entry: Entry): Promise<void> {
    try {
      entry.visit = await this.#options.load(id);
    } catch {
      // It is asked for again when the person goes there, and what is wrong is told then.
      return;
    }
    if (this.#entries.get(id) !== entry) return;
    entry.picture ??= this.#options.picture(entry.visit.image, entry.stop.signal);
    await entry.picture;
  }
}

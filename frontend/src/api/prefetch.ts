/** Visits that will probably come next, made ready before they begin. */

import type { ImageRecord } from "../model/records";
import type { LoadedPicture } from "./pictures";

/** The picture of an image that is not on the stage yet. */
export interface AheadPicture {
  /** On its way, or there; null when nobody asked for it yet. */
  readonly picture: Promise<LoadedPicture | null> | null;
  /** Ends what is on its way. Whoever goes on fetching does so under it. */
  readonly stop: AbortController;
}

/** What is there of a visit before it begins. */
export interface Ahead<Made> extends AheadPicture {
  /** On its way, or there; null when nobody asked for it yet. Fails where it does not come. */
  readonly making: Promise<Made> | null;
  /** What is there of it. */
  readonly made: Made | null;
}

export const nothingAhead = (): Ahead<never> =>
  ({ making: null, made: null, picture: null, stop: new AbortController() });

interface Entry<Made> extends Ahead<Made> {
  making: Promise<Made> | null;
  made: Made | null;
  picture: Promise<LoadedPicture | null> | null;
}

export interface PrefetchOptions<Made> {
  /** Makes everything ready but the picture. */
  readonly load: (imageId: number, signal: AbortSignal) => Promise<Made>;
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
    const isWhole = ahead.made && !ahead.stop.signal.aborted;
    if (isWhole && !this.#entries.has(id)) this.#entries.set(id, { ...ahead });
    else this.drop(ahead);
  }

  /** What was handed over is not wanted after all. */
  drop(ahead: Ahead<Made>): void {
    ahead.stop.abort();
    this.#close(ahead);
    // What does not come leaves nothing to forget.
    ahead.making?.then(this.#options.forget, () => undefined);
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
    const { stop } = entry;
    entry.making = this.#options.load(id, stop.signal);
    try {
      entry.made = await entry.making;
    } catch {
      // It is asked for again when the person goes there, and what is wrong is told then.
      entry.making = null;
      return;
    }
    // Whoever has taken it over asks for its picture.
    if (this.#entries.get(id) !== entry) return;
    entry.picture ??= this.#options.picture(entry.made.image, stop.signal);
    await entry.picture;
  }
}

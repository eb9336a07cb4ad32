/**
 * A picture whose tiles come from the server, one by one as they are looked at.
 *
 * The coarsest level is one tile and stays, so that there is always something to
 * be seen; every other tile takes memory only while somebody has use for it.
 */

import type { Bounds } from "../geometry/bounds";
import type { Level, Picture, Tile } from "./picture";

/** What the server says of a picture's tiles; level 0 is the whole size, each further one half of it. */
export interface TileLayout {
  /** Changes with the tiles, so that a browser may keep each. */
  readonly version: string;
  readonly width: number;
  readonly height: number;
  readonly tile_size: number;
  /** Pixels that a tile has of its neighbours, on each side. */
  readonly overlap: number;
  readonly levels: readonly { width: number; height: number; columns: number; rows: number }[];
}

export interface TilePlace {
  readonly level: number;
  readonly column: number;
  readonly row: number;
}

export interface TileOptions {
  /** What shows a tile; throws when it does not come. */
  readonly load: (place: TilePlace, signal: AbortSignal) => Promise<HTMLElement>;
  /** Gives back the memory of what `load` gave. */
  readonly free: (element: HTMLElement) => void;
  /** What is shown in place of a tile that does not come. */
  readonly missing: () => HTMLElement;
  readonly wait?: (milliseconds: number) => Promise<void>;
}

/** A browser keeps no more connections to one server busy. */
const MOST_AT_ONCE = 6;
const RETRY_MS = 500;
const LONGEST_RETRY_MS = 15_000;
/** Nobody is told of a tile that comes at the second or third try. */
const QUIET_TRIES = 3;

/** Where a tile lies, in pixels of the picture. */
export function placeOf({ tile_size: side, overlap, levels }: TileLayout, place: TilePlace): Bounds {
  const { width, height } = levels[place.level]!;
  const shrink = 2 ** place.level;
  return {
    left: Math.max(0, place.column * side - overlap) * shrink,
    top: Math.max(0, place.row * side - overlap) * shrink,
    right: Math.min(width, (place.column + 1) * side + overlap) * shrink,
    bottom: Math.min(height, (place.row + 1) * side + overlap) * shrink,
  };
}

/** A decoded tile. Throws when it does not come. */
export async function fetchTile(
  address: string,
  { version }: TileLayout,
  { level, column, row }: TilePlace,
  signal?: AbortSignal,
): Promise<ImageBitmap> {
  const path = `${address}/${level}/${column}/${row}?v=${version}`;
  const response = await fetch(path, { credentials: "same-origin", signal: signal ?? null });
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
  return createImageBitmap(await response.blob());
}

/** Comes when its coarsest level is there; null when that does not come. */
export async function openTiled(layout: TileLayout, options: TileOptions, signal: AbortSignal): Promise<Picture | null> {
  const level = layout.levels.length - 1;
  try {
    const first = await options.load({ level, column: 0, row: 0 }, signal);
    return new TiledPicture(layout, options, first);
  } catch {
    return null;
  }
}

class TiledPicture implements Picture {
  readonly size: { readonly width: number; readonly height: number };
  readonly levels: readonly Level[];
  readonly remote = true;
  onArrival: (() => void) | null = null;
  readonly #tiles: RemoteTile[] = [];
  readonly #coarsest: { readonly element: HTMLElement; readonly free: (element: HTMLElement) => void };

  constructor(layout: TileLayout, options: TileOptions, first: HTMLElement) {
    const { width, height, levels } = layout;
    this.size = { width, height };
    this.#coarsest = { element: first, free: options.free };
    const queue = new Queue();
    const arrived = (): void => this.onArrival?.();
    this.levels = levels.map(({ columns, rows }, level): Level => {
      const places = Array.from({ length: columns * rows }, (_, index) => {
        const place = { level, column: index % columns, row: Math.floor(index / columns) };
        return { place, at: placeOf(layout, place) };
      });
      if (level === levels.length - 1) {
        return { scale: 0.5 ** level, tiles: places.map(({ at }) => ({ at, element: () => first, release: () => undefined })) };
      }
      const tiles = places.map(({ place, at }) => new RemoteTile(place, at, options, queue, arrived));
      this.#tiles.push(...tiles);
      return { scale: 0.5 ** level, tiles };
    });
  }

  close(): void {
    this.onArrival = null;
    for (const tile of this.#tiles) tile.release();
    this.#coarsest.free(this.#coarsest.element);
  }
}

class RemoteTile implements Tile {
  readonly at: Bounds;
  readonly #place: TilePlace;
  readonly #options: TileOptions;
  readonly #queue: Queue;
  readonly #arrived: () => void;
  #element: HTMLElement | null = null;
  #missing: HTMLElement | null = null;
  /** Ends the loading; null while nobody wants the tile. */
  #stop: AbortController | null = null;

  constructor(place: TilePlace, at: Bounds, options: TileOptions, queue: Queue, arrived: () => void) {
    this.at = at;
    this.#place = place;
    this.#options = options;
    this.#queue = queue;
    this.#arrived = arrived;
  }

  element(): HTMLElement | null {
    if (!this.#stop) {
      this.#stop = new AbortController();
      void this.#load(this.#stop.signal);
    }
    return this.#element ?? this.#missing;
  }

  release(): void {
    this.#stop?.abort();
    this.#stop = null;
    this.#missing = null;
    if (this.#element) this.#options.free(this.#element);
    this.#element = null;
  }

  async #load(signal: AbortSignal): Promise<void> {
    const wait = this.#options.wait ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
    for (let tries = 1; !signal.aborted; tries++) {
      const element = await this.#queue.run(() => this.#options.load(this.#place, signal), signal);
      if (signal.aborted) {
        if (element) this.#options.free(element);
        return;
      }
      if (element) {
        this.#element = element;
        this.#arrived();
        return;
      }
      if (tries === QUIET_TRIES) {
        this.#missing = this.#options.missing();
        this.#arrived();
      }
      await wait(Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** (tries - 1)));
    }
  }
}

/** What was asked for first is fetched first, a few at a time; what is not wanted any more is passed over. */
class Queue {
  readonly #waiting: { readonly start: () => void; readonly signal: AbortSignal }[] = [];
  #running = 0;

  /** Null when the work fails, or is not wanted any more. */
  async run<Value>(work: () => Promise<Value>, signal: AbortSignal): Promise<Value | null> {
    if (this.#running >= MOST_AT_ONCE) {
      await new Promise<void>((start) => this.#waiting.push({ start, signal }));
    } else this.#running += 1;
    try {
      return signal.aborted ? null : await work();
    } catch {
      return null;
    } finally {
      this.#next();
    }
  }

  /** Hands the place on. */
  #next(): void {
    const next = this.#waiting.shift();
    if (next) next.start();
    else this.#running -= 1;
  }
}

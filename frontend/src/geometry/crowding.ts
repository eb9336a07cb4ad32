/**
 * Where lines lie so close together that drawing all of them would hide what they are around: the part of the
 * image is divided into squares, and each knows how much line there is in it.
 */

import type { Bounds } from "./bounds";

/** A long line is noted at so many places at most: where such lines crowd, a few are enough to tell. */
const MOST_PLACES = 8;
/** Squares are larger than asked for rather than more than this. */
const MOST_SQUARES = 250_000;
/** Lines that would cover more than this part of a square crowd it. */
const CROWDED_SHARE = 0.5;

export class Crowding {
  readonly #left: number;
  readonly #top: number;
  readonly #across: number;
  readonly #down: number;
  readonly #side: number;
  readonly #lengths: Float32Array;

  constructor({ left, top, right, bottom }: Bounds, side: number) {
    this.#side = Math.max(side, Math.sqrt(((right - left) * (bottom - top)) / MOST_SQUARES));
    this.#left = left;
    this.#top = top;
    this.#across = Math.floor((right - left) / this.#side) + 1;
    this.#down = Math.floor((bottom - top) / this.#side) + 1;
    this.#lengths = new Float32Array(this.#across * this.#down);
  }

  add(ax: number, ay: number, bx: number, by: number): void {
    const length = Math.hypot(bx - ax, by - ay);
    const places = Math.min(MOST_PLACES, Math.ceil(length / this.#side) || 1);
    for (let i = 0; i < places; i++) {
      const at = (i + 0.5) / places;
      const square = this.#squareAt(ax + at * (bx - ax), ay + at * (by - ay));
      if (square >= 0) this.#lengths[square]! += length / places;
    }
  }

  /** Whether lines of this width would cover much of what is around the place. */
  isCrowded(x: number, y: number, width: number): boolean {
    const square = this.#squareAt(x, y);
    return square >= 0 && this.#lengths[square]! * width > CROWDED_SHARE * this.#side * this.#side;
  }

  /** Which part of the squares that have any line are crowded by lines of this width. */
  share(width: number): number {
    const most = (CROWDED_SHARE * this.#side * this.#side) / width;
    let [crowded, used] = [0, 0];
    for (const length of this.#lengths) {
      if (length > 0) used += 1;
      if (length > most) crowded += 1;
    }
    return used === 0 ? 0 : crowded / used;
  }

  #squareAt(x: number, y: number): number {
    const column = Math.floor((x - this.#left) / this.#side);
    const row = Math.floor((y - this.#top) / this.#side);
    if (column < 0 || row < 0 || column >= this.#across || row >= this.#down) return -1;
    return column * this.#down + row;
  }
}

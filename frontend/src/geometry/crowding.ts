/**
 * Where lines lie so close together that drawing all of them would hide what they are around: the part of the
 * image is divided into squares, and each knows how much line there is in it.
 */

import type { Bounds } from "./bounds";

/** A long line is noted at so many places at most: where such lines crowd, a few are enough to tell. */
const MOST_PLACES = 8;
/** Squares are twice as large as asked for, or four times and so on, rather than more than this. */
const MOST_SQUARES = 250_000;
/** With so many crowded squares around it a square with any line is one, too, so that an area of noise has neither holes nor a rim. */
const CROWDED_BESIDE = 3;
/** Once for sides and holes, and once more for corners. */
const ROUNDS = 2;

/** Which squares are crowded. */
export interface Crowds {
  isCrowded(x: number, y: number): boolean;
  isCrowdedSquare(square: number): boolean;
  /** Of the squares with any line the part that is crowded. */
  readonly share: number;
}

/** The squares lie where they always do, whatever part is looked at: at multiples of their side. */
export class Crowding {
  /** The first ones. */
  readonly #column: number;
  readonly #row: number;
  readonly #across: number;
  readonly #down: number;
  readonly #side: number;
  readonly #lengths: Float32Array;

  constructor({ left, top, right, bottom }: Bounds, side: number) {
    while ((right - left) * (bottom - top) > MOST_SQUARES * side * side) side *= 2;
    this.#side = side;
    this.#column = Math.floor(left / side);
    this.#row = Math.floor(top / side);
    this.#across = Math.floor(right / side) - this.#column + 1;
    this.#down = Math.floor(bottom / side) - this.#row + 1;
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

  /** The number of a square, from those of its column and row; -1 for none. */
  square(column: number, row: number): number {
    const [c, r] = [column - this.#column, row - this.#row];
    return c < 0 || r < 0 || c >= this.#across || r >= this.#down ? -1 : c * this.#down + r;
  }

  columnAt = (x: number): number => Math.floor(x / this.#side);

  rowAt = (y: number): number => Math.floor(y / this.#side);

  /** So much line in a square. */
  note(square: number, length: number): void {
    if (square >= 0) this.#lengths[square]! += length;
  }

  /** Those with more line than this for each unit of their area. */
  crowds(density: number): Crowds {
    const most = density * this.#side * this.#side;
    let crowded = Uint8Array.from(this.#lengths, (length) => (length > most ? 1 : 0));
    for (let round = 0; round < ROUNDS; round++) crowded = this.#grown(crowded);
    let [used, full] = [0, 0];
    this.#lengths.forEach((length, square) => {
      if (length === 0) return;
      used += 1;
      full += crowded[square]!;
    });
    return {
      isCrowded: (x, y) => crowded[this.#squareAt(x, y)] === 1,
      isCrowdedSquare: (square) => crowded[square] === 1,
      share: used === 0 ? 0 : full / used,
    };
  }

  #grown(crowded: Uint8Array): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(crowded, (one, square) =>
      one || (this.#lengths[square]! > 0 && this.#around(crowded, square) >= CROWDED_BESIDE) ? 1 : 0,
    );
  }

  #around(crowded: Uint8Array, square: number): number {
    const [column, row] = [Math.floor(square / this.#down), square % this.#down];
    let found = 0;
    for (let c = Math.max(0, column - 1); c <= Math.min(this.#across - 1, column + 1); c++) {
      for (let r = Math.max(0, row - 1); r <= Math.min(this.#down - 1, row + 1); r++) found += crowded[c * this.#down + r]!;
    }
    return found;
  }

  #squareAt(x: number, y: number): number {
    return this.square(this.columnAt(x), this.rowAt(y));
  }
}

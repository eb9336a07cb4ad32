/**
 * A set of pixels as runs, for computing with masks without unfolding them.
 *
 * `Runs` are the places, start and end of each run by turns, on the line of all
 * pixels read column by column, as in an RLE: pixel (x, y) has the place
 * x * height + y. The places rise strictly, so that equal sets have equal runs.
 */

import type { Bounds } from "./bounds";
import { countsOf, writeCounts, type Rle } from "./rle";

export type Runs = Uint32Array;

export const NO_PIXELS: Runs = new Uint32Array();

/** `[height, width]`. */
export type PixelSize = readonly [number, number];

/** The pixels of a mask. Throws an RleError where it is none. */
export function runsOf(rle: Rle): Runs {
  const counts = countsOf(rle);
  const places = new Places();
  let at = 0;
  counts.forEach((count, i) => {
    if (i % 2 === 1) places.run(at, at + count);
    at += count;
  });
  return places.taken();
}

/** The canonical counts: no run but the first is empty. */
export function countsOfRuns(runs: Runs, [height, width]: PixelSize): number[] {
  const end = height * width;
  const isWhole = runs.length > 0 && runs.at(-1) === end;
  const counts = new Array<number>(runs.length + (isWhole ? 0 : 1));
  let before = 0;
  for (let i = 0; i < runs.length; i++) {
    counts[i] = runs[i]! - before;
    before = runs[i]!;
  }
  if (!isWhole) counts[runs.length] = end - before;
  return counts;
}

/** A mask of these pixels, compressed or with its counts as numbers. */
export function rleOf(runs: Runs, size: PixelSize, compressed = true): Rle {
  const counts = countsOfRuns(runs, size);
  return { size, counts: compressed ? writeCounts(counts) : counts };
}

/** Collects runs in rising order; runs that touch become one. */
export class Places {
  #places = new Uint32Array(64);
  #length = 0;

  run(start: number, end: number): void {
    if (end <= start) return;
    if (this.#length > 0 && this.#places[this.#length - 1] === start) {
      this.#places[this.#length - 1] = end;
      return;
    }
    this.#room();
    this.#places[this.#length] = start;
    this.#places[this.#length + 1] = end;
    this.#length += 2;
  }

  taken(): Runs {
    return this.#places.slice(0, this.#length);
  }

  #room(): void {
    if (this.#length + 2 <= this.#places.length) return;
    const larger = new Uint32Array(2 * this.#places.length);
    larger.set(this.#places);
    this.#places = larger;
  }
}

/** Where `keep` holds for being in `a` and being in `b`; it must not hold outside of both. */
function combined(a: Runs, b: Runs, keep: (inA: boolean, inB: boolean) => boolean): Runs {
  const places = new Places();
  let start = -1;
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const at = Math.min(i < a.length ? a[i]! : Infinity, j < b.length ? b[j]! : Infinity);
    if (a[i] === at) i++;
    if (b[j] === at) j++;
    const inside = keep(i % 2 === 1, j % 2 === 1);
    if (inside && start < 0) start = at;
    else if (!inside && start >= 0) {
      places.run(start, at);
      start = -1;
    }
  }
  return places.taken();
}

/** The same where nothing changes outside of `b`: what lies before and after it is copied as it is. */
function changedIn(a: Runs, b: Runs, keep: (inA: boolean, inB: boolean) => boolean): Runs {
  const before = placesUpTo(a, b[0]! - 1);
  const from = before - (before % 2);
  const within = placesUpTo(a, b.at(-1)!);
  const to = within + (within % 2);
  const middle = combined(a.subarray(from, to), b, keep);
  const runs = new Uint32Array(from + middle.length + a.length - to);
  runs.set(a.subarray(0, from));
  runs.set(middle, from);
  runs.set(a.subarray(to), from + middle.length);
  return runs;
}

export function unite(a: Runs, b: Runs): Runs {
  if (a.length === 0) return b;
  return b.length === 0 ? a : changedIn(a, b, (inA, inB) => inA || inB);
}

export function without(a: Runs, b: Runs): Runs {
  return a.length === 0 || b.length === 0 ? a : changedIn(a, b, (inA, inB) => inA && !inB);
}

export const intersect = (a: Runs, b: Runs): Runs => combined(a, b, (inA, inB) => inA && inB);

export function sameRuns(a: Runs, b: Runs): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export function pixelCount(runs: Runs): number {
  let sum = 0;
  for (let i = 0; i < runs.length; i += 2) sum += runs[i + 1]! - runs[i]!;
  return sum;
}

/** The extent of the pixels; a run that goes over the end of a column spans the whole height. */
export function runsBounds(runs: Runs, height: number): Bounds | null {
  if (runs.length === 0) return null;
  let top = Infinity;
  let bottom = 0;
  for (let i = 0; i < runs.length; i += 2) {
    const [start, last] = [runs[i]!, runs[i + 1]! - 1];
    const column = Math.floor(start / height);
    const spans = last >= (column + 1) * height;
    top = Math.min(top, spans ? 0 : start - column * height);
    bottom = Math.max(bottom, spans ? height : last - column * height + 1);
  }
  const left = Math.floor(runs[0]! / height);
  return { left, top, right: Math.floor((runs.at(-1)! - 1) / height) + 1, bottom };
}

/** How many of the places are at most `place`; odd where the pixel at `place` is set. */
function placesUpTo(runs: Runs, place: number): number {
  let low = 0;
  let high = runs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (runs[middle]! <= place) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Calls `found` for each stretch of set pixels, from `top` to before `bottom`, of one column. */
export function eachInColumn(
  runs: Runs,
  height: number,
  column: number,
  found: (top: number, bottom: number) => void,
): void {
  const start = column * height;
  const end = start + height;
  // The run that the column begins in, or the next one.
  let i = placesUpTo(runs, start);
  if (i % 2 === 1) i--;
  for (; i < runs.length && runs[i]! < end; i += 2) {
    found(Math.max(runs[i]!, start) - start, Math.min(runs[i + 1]!, end) - start);
  }
}

/**
 * A set of pixels as runs, for computing with masks without unfolding them.
 *
 * `Runs` are the places, start and end of each run by turns, on the line of all
 * pixels read column by column, as in an RLE: pixel (x, y) has the place
 * x * height + y. The places rise strictly, so that equal sets have equal runs.
 */

import type { Bounds } from "./bounds";
import type { ImagePoint } from "./point";
import { countsOf, writeCounts, type Rle } from "./rle";

export type Runs = Uint32Array;

export const NO_PIXELS: Runs = new Uint32Array();

/** `[height, width]`. */
export type PixelSize = readonly [number, number];

/** The pixels of a mask. Throws an RleError where it is none. */
export function runsOf(rle: Rle): Runs {
  const counts = countsOf(rle);
  const places = new Places(counts.length);
  for (let i = 1, end = 0; i < counts.length; i += 2) {
    const start = end + counts[i - 1]!;
    end = start + counts[i]!;
    places.run(start, end);
  }
  return places.taken();
}

/** How many counts there are: one more than places, but where the last run goes to the end of the image. */
const countsLength = (runs: Runs, [height, width]: PixelSize): number =>
  runs.length + (runs.length > 0 && runs.at(-1) === height * width ? 0 : 1);

/** The canonical counts, or some of them: no run but the first is empty. */
export function countsOfRuns(runs: Runs, size: PixelSize, first = 0, end = countsLength(runs, size)): number[] {
  const counts = new Array<number>(end - first);
  let before = first === 0 ? 0 : runs[first - 1]!;
  for (let i = first; i < end; i++) {
    const place = i < runs.length ? runs[i]! : size[0] * size[1];
    counts[i - first] = place - before;
    before = place;
  }
  return counts;
}

/** A mask of these pixels, compressed or with its counts as numbers. */
export function rleOf(runs: Runs, size: PixelSize, compressed = true): Rle {
  const counts = countsOfRuns(runs, size);
  return { size, counts: compressed ? writeCounts(counts) : counts };
}

/** Fewer runs than this are written anew as fast. */
const SPLICED_RUNS = 2_000;

/**
 * The counts of `runs`, of which only those are written that differ from those of `before`, whose text is known: a
 * stroke on a mask of 400,000 runs changes some hundred. A count is written as its difference to the one two before, so
 * the text goes on as it did from the third count after the last change.
 */
export function splicedCounts(text: string, before: Runs, runs: Runs, size: PixelSize): string {
  const most = Math.min(before.length, runs.length);
  let [head, tail] = [0, 0];
  while (head < most && before[head] === runs[head]) head++;
  while (tail < most - head && before.at(-1 - tail) === runs.at(-1 - tail)) tail++;
  const [oldLength, length] = [countsLength(before, size), countsLength(runs, size)];
  // The count of the first place that is the same goes back to one that is not, as do those two after it.
  const kept = tail - 4;
  const isKnown = most >= SPLICED_RUNS && head >= 4 && kept >= 4 && oldLength - before.length === length - runs.length;
  const ends = isKnown ? textEnds(text, [head, oldLength - kept]) : null;
  // Another encoder may have written empty runs.
  if (ends?.count !== oldLength) return writeCounts(countsOfRuns(runs, size));
  const [to, from] = ends.at as [number, number];
  // The first three are there for the others to be compared with.
  const middle = countsOfRuns(runs, size, head - 3, length - kept);
  return text.slice(0, to) + writeCounts(middle, 3) + text.slice(from);
}

/** Where so many counts end in a text, in rising order, and how many there are in all. */
function textEnds(text: string, counts: readonly number[]): { at: number[]; count: number } {
  const at: number[] = [];
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    if (count === counts[at.length]) at.push(i);
    if (((text.charCodeAt(i) - 48) & 0x20) === 0) count += 1;
  }
  while (count === counts[at.length]) at.push(text.length);
  return { at, count };
}

/** Collects runs in rising order; runs that touch become one. */
export class Places {
  #places: Uint32Array<ArrayBuffer>;
  #length = 0;

  /** With room for so many places, which become more where they have to. */
  constructor(room = 64) {
    this.#places = new Uint32Array(Math.max(room, 64));
  }

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

/** Whether the pixel under the point is set. */
export function covers(runs: Runs, [height, width]: PixelSize, p: ImagePoint): boolean {
  const column = Math.floor(p.x);
  const row = Math.floor(p.y);
  if (column < 0 || row < 0 || column >= width || row >= height) return false;
  return placesUpTo(runs, column * height + row) % 2 === 1;
}

/** Whether a set pixel lies in the bounds, be it with a part of it. */
export function meets(runs: Runs, [height, width]: PixelSize, bounds: Bounds): boolean {
  const top = Math.max(0, Math.floor(bounds.top));
  const bottom = Math.min(height, Math.ceil(bounds.bottom));
  const last = Math.min(width, Math.ceil(bounds.right));
  if (top >= bottom) return false;
  for (let column = Math.max(0, Math.floor(bounds.left)); column < last; column++) {
    const passed = placesUpTo(runs, column * height + top);
    if (passed % 2 === 1 || (passed < runs.length && runs[passed]! < column * height + bottom)) return true;
  }
  return false;
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

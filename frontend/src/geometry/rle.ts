/**
 * Run-length encoded masks, as the COCO Mask API defines them.
 *
 * The pixels are read column by column; `counts` alternate between background
 * and foreground and start with background. A 3 x 3 mask whose middle pixel is
 * set has the counts `[4, 1, 4]`. The compressed form writes each count in
 * groups of 5 bits, lowest first, as characters from "0" on; bit 0x20 says that
 * another group follows, and from the fourth count on the difference to the
 * count two before is written. `[4, 1, 4]` is `"414"`.
 *
 * Area and box are those of app/masks, which holds the same golden answers.
 */

import type { Box } from "./bounds";
import type { ImagePoint } from "./point";

export interface Rle {
  /** `[height, width]`. */
  readonly size: readonly [number, number];
  readonly counts: string | readonly number[];
}

export class RleError extends Error {
  override readonly name = "RleError";
}

export function parseCounts(text: string): number[] {
  const counts: number[] = [];
  let at = 0;
  while (at < text.length) {
    let value = 0;
    let weight = 1;
    let group: number;
    do {
      if (at === text.length) throw new RleError("The counts end inside a number.");
      group = text.charCodeAt(at++) - 48;
      if (group < 0 || group > 63) {
        throw new RleError(`Character ${at} of the counts is outside the alphabet.`);
      }
      value += (group & 0x1f) * weight;
      weight *= 32;
    } while (group & 0x20);
    if (group & 0x10) value -= weight;
    if (counts.length > 2) value += counts[counts.length - 2]!;
    counts.push(value);
  }
  return counts;
}

export function writeCounts(counts: readonly number[]): string {
  let text = "";
  counts.forEach((count, i) => {
    let value = i > 2 ? count - counts[i - 2]! : count;
    let more = true;
    while (more) {
      const low = ((value % 32) + 32) % 32;
      value = Math.floor(value / 32);
      more = low & 0x10 ? value !== -1 : value !== 0;
      text += String.fromCharCode(low + (more ? 0x20 : 0) + 48);
    }
  });
  return text;
}

/** The counts as numbers, checked against the size. */
export function countsOf(rle: Rle): readonly number[] {
  const counts = typeof rle.counts === "string" ? parseCounts(rle.counts) : rle.counts;
  const [height, width] = rle.size;
  let total = 0;
  for (const count of counts) {
    if (!(count >= 0)) throw new RleError("A count is negative.");
    total += count;
  }
  if (total !== height * width) {
    throw new RleError(`The counts cover ${total} pixels of ${height * width}.`);
  }
  return counts;
}

/** Column-major pixels, 1 where the mask is. */
export function decode(rle: Rle): Uint8Array {
  const [height, width] = rle.size;
  const pixels = new Uint8Array(height * width);
  let at = 0;
  countsOf(rle).forEach((count, i) => {
    if (i % 2 === 1) pixels.fill(1, at, at + count);
    at += count;
  });
  return pixels;
}

/** From column-major pixels; anything but 0 is foreground. */
export function encode(pixels: Uint8Array, size: readonly [number, number]): Rle {
  const counts: number[] = [];
  let run = 0;
  let set = false;
  for (const pixel of pixels) {
    if ((pixel !== 0) !== set) {
      counts.push(run);
      run = 0;
      set = !set;
    }
    run++;
  }
  counts.push(run);
  return { size, counts: writeCounts(counts) };
}

export function area(rle: Rle): number {
  return countsOf(rle).reduce((sum, count, i) => (i % 2 === 1 ? sum + count : sum), 0);
}

/**
 * `[x, y, width, height]` of the set pixels, as toBbox gives it; all zeros for
 * an empty mask. A run that goes over the end of a column spans the whole height.
 */
export function bbox(rle: Rle): Box {
  const height = rle.size[0];
  let left = Infinity;
  let top = Infinity;
  let right = -1;
  let bottom = -1;
  let at = 0;
  countsOf(rle).forEach((count, i) => {
    const start = at;
    at += count;
    if (i % 2 === 0 || count === 0) return;
    const firstColumn = Math.floor(start / height);
    const lastColumn = Math.floor((at - 1) / height);
    left = Math.min(left, firstColumn);
    right = Math.max(right, lastColumn);
    top = Math.min(top, lastColumn > firstColumn ? 0 : start % height);
    bottom = Math.max(bottom, lastColumn > firstColumn ? height - 1 : (at - 1) % height);
  });
  return right < 0 ? [0, 0, 0, 0] : [left, top, right - left + 1, bottom - top + 1];
}

/** Where each run ends, for fast look-ups. */
export function runEnds(rle: Rle): Float64Array {
  const counts = countsOf(rle);
  const ends = new Float64Array(counts.length);
  let at = 0;
  counts.forEach((count, i) => {
    at += count;
    ends[i] = at;
  });
  return ends;
}

/** Whether the pixel under the point is set. */
export function covers(rle: Rle, ends: Float64Array, p: ImagePoint): boolean {
  const [height, width] = rle.size;
  const column = Math.floor(p.x);
  const row = Math.floor(p.y);
  if (column < 0 || row < 0 || column >= width || row >= height) return false;
  const pixel = column * height + row;
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle]! > pixel) high = middle;
    else low = middle + 1;
  }
  return low % 2 === 1;
}

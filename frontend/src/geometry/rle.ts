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
 * Area and box are those of app/masks, which holds the same golden answers; what is wrong has the
 * same code here and there (tests/data/masks/rle_cases.json binds both).
 */

import type { Box } from "./bounds";

export interface Rle {
  /** `[height, width]`. */
  readonly size: readonly [number, number];
  readonly counts: string | readonly number[];
}

/** The most pixels of an image: the file format keeps counts in 32 bits. */
const MAX_PIXELS = 2 ** 32 - 1;
/** The most pixels that are decoded at a time. */
const MAX_DECODED_PIXELS = 2 ** 29;
/** What one count can need: 2^32 - 1 is "oooooo3". */
const MAX_CHARACTERS = 7;

export type RleCode =
  | "size_invalid"
  | "image_too_large"
  | "rle_invalid"
  | "rle_empty"
  | "rle_charset"
  | "rle_truncated"
  | "rle_overlong"
  | "rle_too_many_runs"
  | "rle_negative"
  | "rle_overrun"
  | "rle_short"
  | "decode_too_large";

/** What is wrong with a mask: a code as in app/masks/errors.py, and the member that is wrong. */
export class RleError extends Error {
  override readonly name = "RleError";
  readonly code: RleCode;
  readonly member: "size" | "counts" | null;

  constructor(code: RleCode, message: string, member: "size" | "counts" | null = "counts") {
    super(message);
    this.code = code;
    this.member = member;
  }
}

/** The numbers in a string, whatever they mean. In a block of its own size: a mask may have 100,000 of them, and an image 100 such masks. */
export function parseCounts(text: string): Float64Array<ArrayBuffer> {
  const wrong = text.search(/[^0-o]/);
  if (wrong >= 0) {
    throw new RleError("rle_charset", `Character ${wrong} of the counts is outside the alphabet.`);
  }
  if ((text.charCodeAt(text.length - 1) - 48) & 0x20) {
    throw new RleError("rle_truncated", "The counts end inside a number.");
  }
  const counts = new Float64Array(numbersIn(text));
  for (let i = 0, at = 0; i < counts.length; i++) {
    const start = at;
    let group = text.charCodeAt(at++) - 48;
    let value = group & 0x1f;
    let weight = 32;
    while (group & 0x20) {
      group = text.charCodeAt(at++) - 48;
      value += (group & 0x1f) * weight;
      weight *= 32;
    }
    if (at - start > MAX_CHARACTERS) {
      const detail = `A count has more than ${MAX_CHARACTERS} characters.`;
      throw new RleError("rle_overlong", detail);
    }
    if (group & 0x10) value -= weight;
    counts[i] = i > 2 ? value + counts[i - 2]! : value;
  }
  return counts;
}

/** Each ends with a character that says that nothing follows. */
function numbersIn(text: string): number {
  let found = 0;
  for (let i = 0; i < text.length; i++) found += 1 - (((text.charCodeAt(i) - 48) >> 5) & 1);
  return found;
}

/** All of them, or some in the middle. */
export function writeCounts(counts: ArrayLike<number>, first = 0, end = counts.length): string {
  const text = new Uint8Array(MAX_CHARACTERS * (end - first));
  let length = 0;
  for (let i = first; i < end; i++) {
    let value = i > 2 ? counts[i]! - counts[i - 2]! : counts[i]!;
    let more = true;
    while (more) {
      const low = value & 31;
      // Nearly all fit into 31 bits, where a shift is several times faster.
      value = value === (value | 0) ? value >> 5 : (value - low) / 32;
      more = low & 0x10 ? value !== -1 : value !== 0;
      text[length++] = low + (more ? 0x20 : 0) + 48;
    }
  }
  return new TextDecoder().decode(text.subarray(0, length));
}

const isWhole = (value: unknown): value is number => Number.isInteger(value);

/** How many pixels a mask has, from something that calls itself one. */
function pixelsOf(rle: unknown): number {
  if (typeof rle !== "object" || rle === null || Array.isArray(rle)) {
    throw new RleError("rle_invalid", "A mask is an object with size and counts.", null);
  }
  for (const name of ["size", "counts"] as const) {
    if (!(name in rle)) throw new RleError("rle_invalid", `The mask has no ${name}.`, name);
  }
  const { size } = rle as { size: unknown };
  if (!Array.isArray(size) || size.length !== 2 || !size.every(isWhole)) {
    throw new RleError("size_invalid", "The size is not two whole numbers.", "size");
  }
  const [height, width] = size as [number, number];
  if (height < 0 || width < 0) throw new RleError("size_invalid", "The size is negative.", "size");
  if (Math.max(height, width, height * width) > MAX_PIXELS) {
    throw new RleError("image_too_large", `${height} × ${width} pixels are too many.`, "size");
  }
  return height * width;
}

/** The counts as numbers, as many as the pixels allow: an empty run may lead and one may trail. */
function numbersOf(counts: unknown, pixels: number): Float64Array {
  const isText = typeof counts === "string";
  if (!isText && !(Array.isArray(counts) && counts.every(isWhole))) {
    throw new RleError("rle_invalid", "The counts are neither a string nor whole numbers.");
  }
  if (counts.length === 0) throw new RleError("rle_empty", "There are no counts.");
  const most = pixels + 2;
  const tooMany = new RleError("rle_too_many_runs", "There are more runs than pixels.");
  if (isText && counts.length > MAX_CHARACTERS * most) throw tooMany;
  const numbers = isText ? parseCounts(counts) : Float64Array.from(counts);
  if (numbers.length > most) throw tooMany;
  return numbers;
}

/** The counts as numbers, checked against the size; runs of length zero may be among them. */
export function countsOf(rle: Rle): Float64Array {
  const pixels = pixelsOf(rle);
  const counts = numbersOf(rle.counts, pixels);
  let total = 0;
  for (let i = 0; i < counts.length; i++) {
    if (counts[i]! < 0) throw new RleError("rle_negative", "A count is negative.");
    total += counts[i]!;
  }
  if (total !== pixels) {
    const code = total > pixels ? "rle_overrun" : "rle_short";
    throw new RleError(code, `The counts cover ${total} pixels of ${pixels}.`);
  }
  return counts;
}

/** Column-major pixels, 1 where the mask is; of all columns, or of some from the first one on. */
export function decode(rle: Rle, first = 0, columns?: number): Uint8Array {
  const counts = countsOf(rle);
  const [height, width] = rle.size;
  const start = first * height;
  const length = (columns ?? width - first) * height;
  if (length > MAX_DECODED_PIXELS) {
    throw new RleError("decode_too_large", `${length} pixels are too many to decode.`, null);
  }
  const pixels = new Uint8Array(length);
  let at = -start;
  counts.forEach((count, i) => {
    // `fill` would count a negative place from the end.
    if (i % 2 === 1 && at + count > 0) pixels.fill(1, Math.max(at, 0), at + count);
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

/** How many pixels are set. `counts`, here and below, are the mask's own where they are known. */
export function area(rle: Rle, counts = countsOf(rle)): number {
  let sum = 0;
  for (let i = 1; i < counts.length; i += 2) sum += counts[i]!;
  return sum;
}

/**
 * `[x, y, width, height]` of the set pixels, as toBbox gives it; all zeros for
 * an empty mask. A run that goes over the end of a column spans the whole height.
 */
export function bbox(rle: Rle, counts = countsOf(rle)): Box {
  const height = rle.size[0];
  let left = Infinity;
  let top = Infinity;
  let right = -1;
  let bottom = -1;
  let end = 0;
  for (let i = 1; i < counts.length; i += 2) {
    const start = end + counts[i - 1]!;
    end = start + counts[i]!;
    if (end === start) continue;
    const column = Math.floor(start / height);
    const last = end - 1 - column * height;
    if (left === Infinity) left = column;
    top = last < height ? Math.min(top, start - column * height) : 0;
    bottom = last < height ? Math.max(bottom, last) : height - 1;
    right = last < height ? column : Math.floor((end - 1) / height);
  }
  return right < 0 ? [0, 0, 0, 0] : [left, top, right - left + 1, bottom - top + 1];
}

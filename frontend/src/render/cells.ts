/** Cells of one colour, drawn as a picture is. */

import type { Bounds } from "../geometry/bounds";
import type { CellGrid } from "../geometry/parity";
import type { Context } from "./layer";

/** The squares of which each has all of its lines or none, in CSS pixels. */
export const SQUARE_CSS_PIXELS = 24;
/**
 * So much line in a square, in CSS pixels for each of its CSS pixels, and the lines of a selection, four pixels wide,
 * would hide nearly all of it. A mask as thin as a hair has a sixth.
 */
export const CROWDED = 0.22;
/** Where lines would hide an area it is at least as opaque as this instead, or nothing would be seen of it. */
export const TINT = 0.4;

/** What two bounds have in common; without extent where that is nothing. */
export function common(a: Bounds, b: Bounds): Bounds {
  const left = Math.max(a.left, b.left);
  const top = Math.max(a.top, b.top);
  return { left, top, right: Math.max(left, Math.min(a.right, b.right)), bottom: Math.max(top, Math.min(a.bottom, b.bottom)) };
}

let scratch: OffscreenCanvas | null = null;

/** For cells that are to be fainter than others. */
export const FAINT = 2;

/** Those that are set, column by column; of those that are FAINT, `faint` is how opaque they are beside the others. */
export function fillCells(context: Context, set: Uint8Array, grid: CellGrid, color: string, alpha: number, faint = 1): void {
  const { left, top, width, height, across, down } = grid;
  scratch ??= new OffscreenCanvas(across, down);
  // Setting the size empties it too, but allocates anew.
  if (scratch.width < across || scratch.height < down) {
    scratch.width = Math.max(scratch.width, across);
    scratch.height = Math.max(scratch.height, down);
  }
  const painted = scratch.getContext("2d")!;
  const image = new ImageData(across, down);
  const words = new Uint32Array(image.data.buffer);
  const black = Uint32Array.of(0, 0xff000000, (Math.round(255 * faint) << 24) >>> 0);
  for (let c = 0, i = 0; c < across; c++) {
    for (let at = c; at < words.length; at += across) words[at] = black[set[i++]!]!;
  }
  painted.clearRect(0, 0, across, down);
  painted.putImageData(image, 0, 0);
  // Black becomes the colour, however the browser writes colours.
  painted.globalCompositeOperation = "source-in";
  painted.fillStyle = color;
  painted.fillRect(0, 0, across, down);
  painted.globalCompositeOperation = "source-over";
  context.globalAlpha = alpha;
  context.imageSmoothingEnabled = false;
  context.drawImage(scratch, 0, 0, across, down, left, top, across * width, down * height);
  context.globalAlpha = 1;
}

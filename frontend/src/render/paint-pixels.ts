/**
 * Draws pixels as such, in image coordinates: as finely as the screen shows them, so that it costs what
 * they cover of the screen, however large the image and however ragged their outline is.
 */

import { paintColumn, type PixelsInHand } from "../editor/pixels";
import type { Bounds } from "../geometry/bounds";
import type { Context } from "./layer";
import type { Style } from "./paint";

/** Some cells of the image, column by column; a cell is one pixel, or stands for several. */
interface Cells {
  readonly side: number;
  readonly left: number;
  readonly top: number;
  readonly across: number;
  readonly down: number;
  readonly set: Uint8Array;
}

export interface Zoom {
  /** CSS pixels per pixel of the image. */
  readonly scale: number;
  /** Device pixels per CSS pixel. */
  readonly ratio: number;
}

/** What two bounds have in common; without extent where that is nothing. */
export function common(a: Bounds, b: Bounds): Bounds {
  const left = Math.max(a.left, b.left);
  const top = Math.max(a.top, b.top);
  return { left, top, right: Math.max(left, Math.min(a.right, b.right)), bottom: Math.max(top, Math.min(a.bottom, b.bottom)) };
}

/** What lies within the bounds. */
export function paintPixels(context: Context, pixels: PixelsInHand, within: Bounds, style: Style, { scale, ratio }: Zoom): void {
  const cells = lookAt(pixels, within, Math.max(1, Math.floor(1 / (scale * ratio))));
  if (cells.across === 0 || cells.down === 0) return;
  if (style.fillAlpha > 0) fill(context, cells, style);
  outline(context, cells, style, scale);
}

let scratch: OffscreenCanvas | null = null;

function fill(context: Context, { side, left, top, across, down, set }: Cells, { color, fillAlpha }: Style): void {
  scratch ??= new OffscreenCanvas(across, down);
  // Setting the size empties it too, but allocates anew.
  if (scratch.width < across || scratch.height < down) {
    scratch.width = Math.max(scratch.width, across);
    scratch.height = Math.max(scratch.height, down);
  }
  const painted = scratch.getContext("2d")!;
  const image = new ImageData(across, down);
  const words = new Uint32Array(image.data.buffer);
  for (let c = 0; c < across; c++) {
    for (let r = 0; r < down; r++) if (set[c * down + r]) words[r * across + c] = 0xff000000;
  }
  painted.clearRect(0, 0, across, down);
  painted.putImageData(image, 0, 0);
  // Black becomes the colour, however the browser writes colours.
  painted.globalCompositeOperation = "source-in";
  painted.fillStyle = color;
  painted.fillRect(0, 0, across, down);
  painted.globalCompositeOperation = "source-over";
  context.globalAlpha = fillAlpha;
  context.imageSmoothingEnabled = false;
  context.drawImage(scratch, 0, 0, across, down, left * side, top * side, across * side, down * side);
  context.globalAlpha = 1;
}

/**
 * Which cells are set: those with any pixel of a shape, so that nothing thin is missed; while a gesture
 * draws, or takes away, those whose pixel in the middle is set.
 */
export function lookAt(pixels: PixelsInHand, area: Bounds, side: number): Cells {
  const [height, width] = pixels.size;
  const left = Math.max(0, Math.floor(area.left / side));
  const top = Math.max(0, Math.floor(area.top / side));
  const across = Math.max(0, Math.min(Math.ceil(area.right / side), Math.ceil(width / side)) - left);
  const down = Math.max(0, Math.min(Math.ceil(area.bottom / side), Math.ceil(height / side)) - top);
  const set = new Uint8Array(across * down);
  const middle = side >> 1;
  const cell = (row: number): number => Math.min(down, Math.max(0, Math.ceil((row - middle) / side) - top));
  const holds = (row: number, round: (value: number) => number): number =>
    Math.min(down, Math.max(0, round(row / side) - top));
  for (let c = 0; c < across; c++) {
    if (side > 1 && pixels.finished && !pixels.subtract) {
      const paint = (from: number, to: number): unknown =>
        set.fill(1, c * down + holds(from, Math.floor), c * down + holds(to, Math.ceil));
      const last = Math.min(width, (left + c + 1) * side);
      for (let column = (left + c) * side; column < last; column++) paintColumn(pixels, column, paint);
      continue;
    }
    const column = Math.min(width - 1, (left + c) * side + middle);
    paintColumn(pixels, column, (from, to, value) => set.fill(value, c * down + cell(from), c * down + cell(to)));
  }
  return { side, left, top, across, down, set };
}

/** The borders between cells that are set and cells that are not. */
function outline(context: Context, cells: Cells, { strokes }: Style, scale: number): void {
  const path = borders(cells);
  context.lineCap = "square";
  for (const { color, width } of strokes) {
    context.strokeStyle = color;
    context.lineWidth = width / scale;
    context.stroke(path);
  }
  context.lineCap = "butt";
}

function borders({ side, left, top, across, down, set }: Cells): Path2D {
  const path = new Path2D();
  const at = (c: number, r: number): number =>
    c < 0 || r < 0 || c >= across || r >= down ? 0 : set[c * down + r]!;
  for (let c = 0; c <= across; c++) {
    const x = (left + c) * side;
    // Between this column and the one before, in lines as long as they are straight.
    let from = -1;
    for (let r = 0; r <= down; r++) {
      const border = r < down && at(c - 1, r) !== at(c, r);
      if (border && from < 0) from = r;
      else if (!border && from >= 0) {
        path.moveTo(x, (top + from) * side);
        path.lineTo(x, (top + r) * side);
        from = -1;
      }
    }
  }
  for (let r = 0; r <= down; r++) {
    const y = (top + r) * side;
    let from = -1;
    for (let c = 0; c <= across; c++) {
      const border = c < across && at(c, r - 1) !== at(c, r);
      if (border && from < 0) from = c;
      else if (!border && from >= 0) {
        path.moveTo((left + from) * side, y);
        path.lineTo((left + c) * side, y);
        from = -1;
      }
    }
  }
  return path;
}

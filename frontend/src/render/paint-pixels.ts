/**
 * Draws pixels as such, in image coordinates: as finely as the screen shows them, so that it costs what
 * they cover of the screen, however large the image and however ragged their outline is.
 */

import { paintColumn, type PixelsInHand } from "../editor/pixels";
import type { Bounds } from "../geometry/bounds";
import { Crowding, type Crowds } from "../geometry/crowding";
import { CROWDED, fillCells, SQUARE_CSS_PIXELS, TINT } from "./cells";
import type { Context } from "./layer";
import type { Shown, Style } from "./paint";

/** Some cells of the image, column by column; a cell is one pixel, or stands for several. */
interface Cells {
  readonly side: number;
  readonly left: number;
  readonly top: number;
  readonly across: number;
  readonly down: number;
  readonly set: Uint8Array;
}

/**
 * What lies within the bounds. Whole squares are looked at, and three more around them, so that a part that is painted
 * anew has the same lines as the rest.
 */
export function paintPixels(context: Context, pixels: PixelsInHand, within: Bounds, style: Style, { scale, ratio }: Pick<Shown, "scale" | "ratio">): void {
  const square = SQUARE_CSS_PIXELS / scale;
  const area = squaresAround(within, square);
  const cells = lookAt(pixels, area, Math.max(1, Math.floor(1 / (scale * ratio))));
  if (cells.across === 0 || cells.down === 0) return;
  const lines = borders(cells);
  const crowding = new Crowding(area, square);
  for (let i = 0; i < lines.length; i += 4) crowding.add(lines[i]!, lines[i + 1]!, lines[i + 2]!, lines[i + 3]!);
  const crowds = crowding.crowds(CROWDED * scale);
  fill(context, cells, style, crowds);
  outline(context, lines, style, scale, crowds);
}

function squaresAround({ left, top, right, bottom }: Bounds, square: number): Bounds {
  return {
    left: (Math.floor(left / square) - 3) * square,
    top: (Math.floor(top / square) - 3) * square,
    right: (Math.ceil(right / square) + 3) * square,
    bottom: (Math.ceil(bottom / square) + 3) * square,
  };
}

/** Where no lines are drawn, since they would hide it, the tint alone has to tell. */
function fill(context: Context, cells: Cells, { color, fillAlpha }: Style, crowds: Crowds): void {
  const { side, left, top, across, down, set } = cells;
  const grid = { left: left * side, top: top * side, width: side, height: side, across, down };
  if (crowds.share === 0) {
    if (fillAlpha > 0) fillCells(context, set, grid, color, fillAlpha);
    return;
  }
  const calm = set.slice();
  const crowded = new Uint8Array(set.length);
  for (let c = 0; c < across; c++) {
    for (let r = 0; r < down; r++) {
      const i = c * down + r;
      if (!set[i] || !crowds.isCrowded((left + c + 0.5) * side, (top + r + 0.5) * side)) continue;
      calm[i] = 0;
      crowded[i] = 1;
    }
  }
  if (fillAlpha > 0) fillCells(context, calm, grid, color, fillAlpha);
  fillCells(context, crowded, grid, color, Math.max(fillAlpha, TINT));
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

function outline(context: Context, lines: readonly number[], { strokes }: Style, scale: number, crowds: Crowds): void {
  const path = new Path2D();
  for (let i = 0; i < lines.length; i += 4) {
    const [ax, ay, bx, by] = [lines[i]!, lines[i + 1]!, lines[i + 2]!, lines[i + 3]!];
    if (crowds.isCrowded((ax + bx) / 2, (ay + by) / 2)) continue;
    path.moveTo(ax, ay);
    path.lineTo(bx, by);
  }
  context.lineCap = "square";
  for (const { color, width } of strokes) {
    context.strokeStyle = color;
    context.lineWidth = width / scale;
    context.stroke(path);
  }
  context.lineCap = "butt";
}

/** The borders between cells that are set and cells that are not, each as `x, y, x, y`. */
export function borders({ side, left, top, across, down, set }: Cells): number[] {
  const lines: number[] = [];
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
        lines.push(x, (top + from) * side, x, (top + r) * side);
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
        lines.push((left + from) * side, y, (left + c) * side, y);
        from = -1;
      }
    }
  }
  return lines;
}

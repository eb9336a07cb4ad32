/**
 * Draws pixels as such, in image coordinates: as finely as the screen shows them, so that it costs what
 * they cover of the screen, however large the image and however ragged their outline is.
 */

import { paintColumn, type PixelsInHand } from "../editor/pixels";
import type { Bounds } from "../geometry/bounds";
import { Crowding, type Crowds } from "../geometry/crowding";
import { bordersOf, eachStretch, noteBorders, type Cells } from "./cell-borders";
import { CROWDED, FAINT, fillCells, SQUARE_CSS_PIXELS, TINT } from "./cells";
import type { Context } from "./layer";
import type { Shown, Style } from "./paint";
import { strokePaths } from "./paths";

type Scale = Pick<Shown, "scale" | "ratio">;

const PIECE = 50;
/** Around so many runs the topmost line is one pixel wide at most, which takes a third of the time. */
const FINE_RUNS = 10_000;

/**
 * What lies within the bounds. Whole squares are looked at, and three more around them, so that a part that is painted
 * anew has the same lines as the rest.
 */
export function paintPixels(context: Context, pixels: PixelsInHand, within: Bounds, style: Style, { scale, ratio }: Scale): void {
  const square = SQUARE_CSS_PIXELS / scale;
  const area = squaresAround(within, square);
  const cells = lookAt(pixels, area, Math.max(1, Math.floor(1 / (scale * ratio))));
  if (cells.across === 0 || cells.down === 0) return;
  const crowding = new Crowding(area, square);
  noteBorders(cells, crowding);
  const crowds = crowding.crowds(CROWDED * scale);
  const lines = bordersOf(cells, crowding, crowds);
  // The last to look at the cells, since it marks those that are fainter.
  fill(context, cells, style, crowding, crowds);
  const most = pixels.before.length > 2 * FINE_RUNS ? 1 : Infinity;
  outline(context, lines, style, most, { scale, ratio });
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
function fill(context: Context, cells: Cells, { color, fillAlpha }: Style, crowding: Crowding, crowds: Crowds): void {
  const { side, left, top, across, down, set } = cells;
  const grid = { left: left * side, top: top * side, width: side, height: side, across, down };
  if (crowds.share === 0) {
    if (fillAlpha > 0) fillCells(context, set, grid, color, fillAlpha);
    return;
  }
  const alpha = Math.max(fillAlpha, TINT);
  eachStretch(cells, crowding, (c, from, to, square) => {
    if (crowds.isCrowdedSquare(square)) return;
    for (let i = c * down + from; i < c * down + to; i++) set[i]! *= FAINT;
  });
  fillCells(context, set, grid, color, alpha, fillAlpha / alpha);
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

/** In pieces: a browser takes several times as long for a path of 100,000 lines as for 2,000 paths of 50. */
function outline(context: Context, lines: readonly number[], { strokes, dashed }: Style, most: number, { scale, ratio }: Scale): void {
  const paths: Path2D[] = [];
  for (let i = 0; i < lines.length; i += 4) {
    if (i % (4 * PIECE) === 0) paths.push(new Path2D());
    const path = paths.at(-1)!;
    path.moveTo(lines[i]!, lines[i + 1]!);
    path.lineTo(lines[i + 2]!, lines[i + 3]!);
  }
  context.lineCap = "square";
  strokes.forEach(({ color, width }, i) => {
    // What lies below the topmost line has to be seen around it.
    const pixels = (i < strokes.length - 1 ? width : Math.min(width, most)) * ratio;
    strokePaths(context, paths, color, pixels, scale * ratio, dashed);
  });
  context.lineCap = "butt";
}

/**
 * What a brush covers, by the rule of app/masks/stroke.py: the pixels whose
 * centre lies under the brush somewhere along the line, the rim included. The
 * brush is a disc of a radius, or an upright square of twice that side.
 *
 * What one straight piece of the line covers is convex, so it meets each column
 * in one stretch of rows. The numbers are computed in the very steps of the
 * engine, so that the browser and the server agree about every pixel;
 * tests/data/masks/stroke_cases.json binds both.
 */

import type { ImagePoint } from "./point";
import type { PixelSize } from "./runs";

export interface Brush {
  readonly radius: number;
  readonly square: boolean;
}

type Paint = (column: number, top: number, bottom: number) => void;

/** Calls `paint` with the rows from `top` to before `bottom` of every column under the brush. */
export function strokePiece(
  from: ImagePoint,
  to: ImagePoint,
  { radius, square }: Brush,
  [height, width]: PixelSize,
  paint: Paint,
): void {
  const piece = { ax: from.x, ay: from.y, dx: to.x - from.x, dy: to.y - from.y, radius };
  // One column more on either side, so that no rounding loses one; the rows decide.
  const first = Math.max(0, Math.floor(Math.min(from.x, to.x) - radius - 0.5));
  const last = Math.min(width - 1, Math.ceil(Math.max(from.x, to.x) + radius - 0.5));
  for (let column = first; column <= last; column++) {
    const x = column + 0.5;
    const rows = square ? squareRows(piece, x) : discRows(piece, x);
    if (!rows) continue;
    const top = Math.max(rows[0], 0);
    const bottom = Math.min(rows[1], height - 1);
    if (bottom >= top) paint(column, top, bottom + 1);
  }
}

interface Piece {
  readonly ax: number;
  readonly ay: number;
  readonly dx: number;
  readonly dy: number;
  readonly radius: number;
}

/** First and last row under the disc. */
function discRows(piece: Piece, x: number): [number, number] | null {
  const { ax, ay, dx, dy, radius } = piece;
  const length = Math.hypot(dx, dy);
  const ux = length > 0 ? dx / length : 0;
  const uy = length > 0 ? dy / length : 0;
  let upper = Infinity;
  let lower = -Infinity;
  const meet = (y: number): void => {
    upper = Math.min(upper, y);
    lower = Math.max(lower, y);
  };
  for (const [cx, cy] of [
    [ax, ay],
    [ax + dx, ay + dy],
  ] as const) {
    const reach = radius ** 2 - (x - cx) ** 2;
    // A hair outside still counts here; the distance decides below.
    if (reach < -1e-9 * (1 + radius ** 2)) continue;
    const half = Math.sqrt(Math.max(reach, 0));
    meet(cy - half);
    meet(cy + half);
  }
  for (const side of [-radius, radius]) {
    // The long side runs through (ax - side uy, ay + side ux) in the direction of the piece.
    const along = ux === 0 ? -1 : (x - ax + side * uy) / ux;
    if (along >= 0 && along <= length) meet(ay + side * ux + along * uy);
  }
  if (upper > lower) return null;
  const top = firstUnder(piece, x, Math.ceil(upper - 0.5), 1);
  const bottom = firstUnder(piece, x, Math.floor(lower - 0.5), -1);
  return top === null || bottom === null ? null : [top, bottom];
}

/** The first row under the disc from one before `row` on. */
function firstUnder(piece: Piece, x: number, row: number, step: 1 | -1): number | null {
  for (const shift of [-step, 0, step]) if (underDisc(piece, x, row + shift)) return row + shift;
  return null;
}

function underDisc({ ax, ay, dx, dy, radius }: Piece, x: number, row: number): boolean {
  const px = x - ax;
  const py = row + 0.5 - ay;
  const square = dx * dx + dy * dy;
  const share = square > 0 ? Math.min(1, Math.max(0, (px * dx + py * dy) / square)) : 0;
  return (px - share * dx) ** 2 + (py - share * dy) ** 2 <= radius * radius;
}

/** First and last row under the square. */
function squareRows({ ax, ay, dx, dy, radius }: Piece, x: number): [number, number] | null {
  if (dx === 0 && Math.abs(x - ax) > radius) return null;
  // The part of the piece, from share 0 to 1, that is at most the radius to the side.
  const left = dx === 0 ? 0 : (x - radius - ax) / dx;
  const right = dx === 0 ? 1 : (x + radius - ax) / dx;
  const low = Math.max(Math.min(left, right), 0);
  const high = Math.min(Math.max(left, right), 1);
  if (low > high) return null;
  const y0 = ay + low * dy;
  const y1 = ay + high * dy;
  return [Math.ceil(Math.min(y0, y1) - radius - 0.5), Math.floor(Math.max(y0, y1) + radius - 0.5)];
}

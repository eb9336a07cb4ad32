/**
 * The borders between cells that are set and cells that are not. They belong to the square that the cell lies in on
 * whose left, or top, they are: so each square can be told how much line there is in it, and be left out where that is
 * too much, before there is any list of lines.
 */

import type { Crowding, Crowds } from "../geometry/crowding";

/** Some cells of the image, column by column; a cell is one pixel, or stands for several. */
export interface Cells {
  readonly side: number;
  readonly left: number;
  readonly top: number;
  readonly across: number;
  readonly down: number;
  readonly set: Uint8Array;
}

/** Cells in a row that lie in the same square, up to before `to`. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly square: number;
}

/** Of `count` cells, whose squares are told, all stretches. */
function stretches(count: number, squareOf: (cell: number) => number): Stretch[] {
  const found: Stretch[] = [];
  for (let from = 0; from < count; ) {
    const square = squareOf(from);
    let to = from + 1;
    while (to < count && squareOf(to) === square) to++;
    found.push({ from, to, square });
    from = to;
  }
  return found;
}

/** Calls `found` for each part of a column that lies within one square, column by column, from the top down. */
export function eachStretch(
  { side, left, top, across, down }: Cells,
  crowding: Crowding,
  found: (c: number, from: number, to: number, square: number) => void,
): void {
  const rows = stretches(down, (r) => crowding.rowAt((top + r + 0.5) * side));
  for (let c = 0; c < across; c++) {
    const column = crowding.columnAt((left + c + 0.5) * side);
    for (const { from, to, square } of rows) found(c, from, to, crowding.square(column, square));
  }
}

/** Tells each square how much line there is in it. What ends with the last column or row has no border there. */
export function noteBorders(cells: Cells, crowding: Crowding): void {
  const { side, down, set } = cells;
  eachStretch(cells, crowding, (c, from, to, square) => {
    const [first, last] = [c * down + from, c * down + to];
    let lines = 0;
    let above = from > 0 ? set[first - 1]! : 0;
    for (let i = first; i < last; i++) {
      const here = set[i]!;
      // What lies before the first column is not set.
      const before = c > 0 ? set[i - down]! : 0;
      lines += (here ^ above) + (here ^ before);
      above = here;
    }
    if (lines > 0) crowding.note(square, lines * side);
  });
}

/** Each as `x, y, x, y`, as long as it is straight; without those in crowded squares. */
export function bordersOf(cells: Cells, crowding: Crowding, crowds: Crowds): number[] {
  const { side, left, top, across, down, set } = cells;
  const lines: number[] = [];
  // Where the line above each row began, on its way to the right; -1 where there is none.
  const since = new Int32Array(down + 1).fill(-1);
  const endAt = (r: number, c: number): void => {
    if (since[r]! >= 0) lines.push((left + since[r]!) * side, (top + r) * side, (left + c) * side, (top + r) * side);
    since[r] = -1;
  };
  const at = (c: number, r: number): number => (c < 0 || r < 0 || c >= across || r >= down ? 0 : set[c * down + r]!);
  eachStretch(cells, crowding, (c, from, to, square) => {
    // The lower and the right end of all belong to the last cells.
    const last = to === down ? down + 1 : to;
    if (crowds.isCrowdedSquare(square)) {
      for (let r = from; r < last; r++) endAt(r, c);
      return;
    }
    const upright = (border: number, x: number): void => {
      let begin = -1;
      for (let r = from; r <= to; r++) {
        const isBorder = r < to && at(border - 1, r) !== at(border, r);
        if (isBorder && begin < 0) begin = r;
        else if (!isBorder && begin >= 0) {
          lines.push(x, (top + begin) * side, x, (top + r) * side);
          begin = -1;
        }
      }
    };
    upright(c, (left + c) * side);
    if (c === across - 1) upright(across, (left + across) * side);
    for (let r = from; r < last; r++) {
      if (at(c, r - 1) === at(c, r)) endAt(r, c);
      else if (since[r]! < 0) since[r] = c;
    }
  });
  for (let r = 0; r <= down; r++) endAt(r, across);
  return lines;
}

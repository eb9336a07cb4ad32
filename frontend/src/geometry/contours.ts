/**
 * The outline of a mask: the pixel edges between inside and outside, chained to
 * rings with whole-number corners. Filled by the even-odd rule the rings cover
 * exactly the set pixels, so that a mask can be drawn like any other path and
 * stays crisp at every zoom.
 *
 * The edges run clockwise around what is set. At a corner where two pixels touch
 * only diagonally a ring turns right, so that each pixel keeps its own.
 *
 * Nothing is looked at pixel by pixel: the boundaries between columns are gone
 * through from left to right, and on each the rows where a run of one of its two
 * columns begins or ends. A mask over all of a huge image costs what its runs do.
 */

import type { Ring } from "./ring";
import type { Rle } from "./rle";
import { runsOf, type PixelSize, type Runs } from "./runs";

/** The rings of a mask, from the top down and then from the left, each from the left end of its highest edge. */
export const contours = (rle: Rle): Ring[] => contoursOfRuns(runsOf(rle), rle.size);

function contoursOfRuns(runs: Runs, [height]: PixelSize): Ring[] {
  const corners = new Corners();
  let left = new Ends();
  let right = new Ends();
  let x = -1;
  for (const columns = new Columns(runs, height); columns.next(); ) {
    // After a gap the last column has nothing on its right, and this one nothing on its left.
    if (columns.column > x + 1 && left.length > 0) {
      right.clear();
      boundary(x + 1, left, right, corners);
      left.clear();
    }
    x = columns.column;
    columns.take(right);
    boundary(x, left, right, corners);
    [left, right] = [right, left];
  }
  right.clear();
  boundary(x + 1, left, right, corners);
  return corners.rings();
}

/**
 * Where the runs of a column begin and end, by turns, from the top down. At each lies an edge one
 * pixel long; `corners` has the one to the left where its straight line has begun.
 */
class Ends {
  rows = new Uint32Array(64);
  corners = new Int32Array(64);
  length = 0;

  clear(): void {
    this.length = 0;
  }

  add(row: number): void {
    if (this.length === this.rows.length) {
      const [rows, corners] = [new Uint32Array(2 * this.length), new Int32Array(2 * this.length)];
      rows.set(this.rows);
      corners.set(this.corners);
      [this.rows, this.corners] = [rows, corners];
    }
    this.rows[this.length++] = row;
  }
}

/** The columns in which something is set, one after the other. */
class Columns {
  column = -1;
  readonly #runs: Runs;
  readonly #height: number;
  #i = 0;

  constructor(runs: Runs, height: number) {
    this.#runs = runs;
    this.#height = height;
  }

  next(): boolean {
    if (this.#i >= this.#runs.length) return false;
    // A run may go on in this column that began before it.
    this.column = Math.max(this.column + 1, Math.floor(this.#runs[this.#i]! / this.#height));
    return true;
  }

  take(ends: Ends): void {
    ends.clear();
    const start = this.column * this.#height;
    const end = start + this.#height;
    while (this.#i < this.#runs.length && this.#runs[this.#i]! < end) {
      const stop = this.#runs[this.#i + 1]!;
      ends.add(Math.max(this.#runs[this.#i]!, start) - start);
      ends.add(Math.min(stop, end) - start);
      if (stop > end) return;
      this.#i += 2;
    }
  }
}

/** All corners so far, and which comes after which. */
class Corners {
  #x = new Int32Array(256);
  #y = new Int32Array(256);
  #next = new Int32Array(256);
  /** Whether the edge after the corner goes to the right; a ring begins at such a one. */
  #goesRight = new Uint8Array(256);
  #length = 0;

  add(x: number, y: number): number {
    if (this.#length === this.#x.length) this.#grow();
    this.#x[this.#length] = x;
    this.#y[this.#length] = y;
    return this.#length++;
  }

  link(from: number, to: number): void {
    this.#next[from] = to;
  }

  startsToTheRight(corner: number): void {
    this.#goesRight[corner] = 1;
  }

  rings(): Ring[] {
    const seen = new Uint8Array(this.#length);
    const heads: { head: number; size: number }[] = [];
    for (let corner = 0; corner < this.#length; corner++) {
      if (seen[corner] === 1) continue;
      let head = -1;
      let size = 0;
      for (let at = corner; seen[at] === 0; at = this.#next[at]!, size++) {
        seen[at] = 1;
        if (this.#goesRight[at] === 1 && (head < 0 || this.#compare(at, head) < 0)) head = at;
      }
      heads.push({ head, size });
    }
    heads.sort((a, b) => this.#compare(a.head, b.head));
    return heads.map(({ head, size }) => this.#ring(head, size));
  }

  #compare(a: number, b: number): number {
    return this.#y[a]! - this.#y[b]! || this.#x[a]! - this.#x[b]!;
  }

  #ring(head: number, size: number): Ring {
    const ring = new Array<number>(2 * size);
    for (let i = 0, at = head; i < size; i++, at = this.#next[at]!) {
      ring[2 * i] = this.#x[at]!;
      ring[2 * i + 1] = this.#y[at]!;
    }
    return ring;
  }

  #grow(): void {
    const larger = <T extends Int32Array | Uint8Array>(from: T, to: T): T => (to.set(from), to);
    const size = 2 * this.#length;
    this.#x = larger(this.#x, new Int32Array(size));
    this.#y = larger(this.#y, new Int32Array(size));
    this.#next = larger(this.#next, new Int32Array(size));
    this.#goesRight = larger(this.#goesRight, new Uint8Array(size));
  }
}

/** The corners on the boundary between two columns, from the top down, with the edges that meet there. */
function boundary(x: number, left: Ends, right: Ends, corners: Corners): void {
  let [i, j] = [0, 0];
  let [inLeft, inRight] = [false, false];
  // Where the vertical edge above the row that is looked at ends at its top.
  let top = -1;
  while (i < left.length || j < right.length) {
    const leftRow = i < left.length ? left.rows[i]! : Infinity;
    const rightRow = j < right.length ? right.rows[j]! : Infinity;
    const row = Math.min(leftRow, rightRow);
    const [endsLeft, endsRight] = [leftRow === row, rightRow === row];
    const [edgeAbove, downAbove] = [inLeft !== inRight, inLeft];
    if (endsLeft) inLeft = !inLeft;
    if (endsRight) inRight = !inRight;
    const edgeBelow = inLeft !== inRight;
    if (endsLeft && endsRight && !edgeAbove) {
      // Straight on, no corner.
      right.corners[j] = left.corners[i]!;
    } else {
      // Around what is set clockwise: down on its right, up on its left.
      const corner = corners.add(x, row);
      if (edgeAbove) {
        if (downAbove) corners.link(top, corner);
        else corners.link(corner, top);
      }
      // Where two pixels touch diagonally there are two corners, and each turns right.
      const other = endsLeft && endsRight ? corners.add(x, row) : corner;
      const [ofLeft, ofRight] = inLeft ? [other, corner] : [corner, other];
      if (endsLeft) {
        if (inLeft) corners.link(left.corners[i]!, ofLeft);
        else corners.link(ofLeft, left.corners[i]!);
      }
      if (endsRight) {
        right.corners[j] = ofRight;
        if (inRight) corners.startsToTheRight(ofRight);
      }
      top = edgeBelow ? other : -1;
    }
    if (endsLeft) i++;
    if (endsRight) j++;
  }
}

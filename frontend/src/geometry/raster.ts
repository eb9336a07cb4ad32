/**
 * Polygons to pixels, by the rule of app/masks/raster.py, which is that of
 * pycocotools: coordinates are counted in fifths of a pixel, and where an edge
 * crosses the middle of column c, between u = 5c + 2 and 5c + 3, the fill
 * changes at one pixel of that column. tests/data/masks/mask_golden.json binds
 * both.
 */

import type { Box } from "./bounds";
import type { Ring } from "./ring";
import { NO_PIXELS, unite, without, type PixelSize, type Runs } from "./runs";

/** The union of the rings, with the holes cut out. */
export function rasterised(rings: readonly Ring[], holes: readonly Ring[], size: PixelSize): Runs {
  const all = (list: readonly Ring[]): Runs => united(list.map((ring) => filled(ring, size)));
  return without(all(rings), all(holes));
}

/** Two by two: one after the other, hundreds of rings would copy what is there hundreds of times. */
function united(parts: readonly Runs[]): Runs {
  if (parts.length < 2) return parts[0] ?? NO_PIXELS;
  const half = parts.length >> 1;
  return unite(united(parts.slice(0, half)), united(parts.slice(half)));
}

export function rasterisedBox([x, y, w, h]: Box, size: PixelSize): Runs {
  return filled([x, y, x, y + h, x + w, y + h, x + w, y], size);
}

/** The pixels of one ring by the even-odd rule. */
function filled(ring: Ring, size: PixelSize): Runs {
  const end = size[0] * size[1];
  const toggles = crossings(ring, size);
  const places = new Uint32Array(toggles.length + 1);
  let length = 0;
  toggles.sort();
  for (let i = 0; i < toggles.length; ) {
    const place = toggles[i]!;
    let next = i + 1;
    while (toggles[next] === place) next++;
    // Two changes at one place undo each other; none matters at the end of the image.
    if ((next - i) % 2 === 1 && place < end) places[length++] = place;
    i = next;
  }
  if (length % 2 === 1) places[length++] = end;
  return places.slice(0, length);
}

interface Edge {
  readonly x: number;
  readonly y: number;
  readonly dx: number;
  readonly dy: number;
}

/** The places where the fill changes, in the order of the edges. */
function crossings(ring: Ring, [height, width]: PixelSize): Float64Array {
  const u = ring.map((value) => Math.trunc(value * 5 + 0.5));
  const passed = (x: number): number => Math.min(width, Math.max(0, Math.floor((x + 2) / 5)));
  const n = ring.length >> 1;
  const found: number[] = [];
  for (let i = 0; i < n; i++) {
    const [x, y] = [u[2 * i]!, u[2 * i + 1]!];
    const j = (i + 1) % n;
    const edge = { x, y, dx: u[2 * j]! - x, dy: u[2 * j + 1]! - y };
    const [from, to] = [passed(x), passed(x + edge.dx)];
    for (let column = Math.min(from, to); column < Math.max(from, to); column++) {
      // Fifths to pixels: the middle of a pixel, 5r + 2, still belongs to row r.
      const row = Math.floor((rowOf(edge, column) + 2) / 5);
      found.push(column * height + Math.min(height, Math.max(0, row)));
    }
  }
  return Float64Array.from(found);
}

/** Where the edge crosses the column, in fifths of a pixel, in the very steps of pycocotools. */
function rowOf({ x, y, dx, dy }: Edge, column: number): number {
  // It walks along the longer axis, towards larger numbers.
  const steep = Math.abs(dy) > Math.abs(dx);
  const turned = (steep ? dy : dx) < 0;
  const [ax, ay] = turned ? [x + dx, y + dy] : [x, y];
  if (steep) return steepRow(ax, ay, dx / dy, column);
  // Of the two steps beside the crossing, the one with the smaller y.
  const slope = dy / dx;
  return Math.floor(ay + slope * (5 * column + 2 - ax + (slope < 0 ? 1 : 0)) + 0.5);
}

/** The last step before the rounded x passes from one side of the crossing to the other. */
function steepRow(x: number, y: number, slope: number, column: number): number {
  const beyond = column * 5 + 3;
  const before = (step: number): boolean => x + slope * step + 0.5 < beyond !== slope < 0;
  // A division guesses it to within a step or two.
  let step = Math.floor((beyond - 0.5 - x) / slope);
  while (before(step + 1)) step++;
  while (!before(step)) step--;
  return y + step;
}

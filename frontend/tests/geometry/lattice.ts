/**
 * The outline of a mask pixel by pixel, to compare with: every set pixel sends its four edges around
 * itself clockwise, an edge shared with another set pixel is left out, and the rest is walked along.
 */

import type { Ring } from "../../src/geometry/ring";
import { bbox, decode, type Rle } from "../../src/geometry/rle";

const EAST = 1;
const SOUTH = 2;
const WEST = 4;
const NORTH = 8;

interface Lattice {
  readonly edges: Uint8Array;
  readonly stride: number;
}

export function ringsOfLattice(rle: Rle): Ring[] {
  const [x, y, width, height] = bbox(rle);
  const column = rle.size[0];
  if (width === 0) return [];
  const pixels = decode(rle, x, width);
  const { edges, stride } = outgoingEdges(pixels, column, y, width, height);
  const rings: Ring[] = [];
  for (let at = 0; at < edges.length; at++) {
    // Every ring has an eastward edge, and the first one found begins at a corner of it.
    while (edges[at]! & EAST) rings.push(walk({ edges, stride }, at, x, y));
  }
  return rings;
}

function outgoingEdges(
  pixels: Uint8Array,
  column: number,
  y: number,
  width: number,
  height: number,
): Lattice {
  const stride = width + 1;
  const edges = new Uint8Array(stride * (height + 1));
  const set = (c: number, r: number): boolean =>
    c >= 0 && r >= 0 && c < width && r < height && pixels[c * column + y + r] === 1;
  for (let c = 0; c < width; c++) {
    for (let r = 0; r < height; r++) {
      if (!set(c, r)) continue;
      const corner = r * stride + c;
      if (!set(c, r - 1)) edges[corner]! |= EAST;
      if (!set(c + 1, r)) edges[corner + 1]! |= SOUTH;
      if (!set(c, r + 1)) edges[corner + stride + 1]! |= WEST;
      if (!set(c - 1, r)) edges[corner + stride]! |= NORTH;
    }
  }
  return { edges, stride };
}

function walk({ edges, stride }: Lattice, start: number, x: number, y: number): Ring {
  const steps = { [EAST]: 1, [SOUTH]: stride, [WEST]: -1, [NORTH]: -stride };
  const ring: number[] = [];
  let at = start;
  let heading = EAST;
  let came = 0;
  do {
    if (heading !== came) ring.push(x + (at % stride), y + Math.floor(at / stride));
    // The first edge stays in place until the end: it is where the walk must arrive.
    if (at !== start || heading !== EAST) edges[at]! &= ~heading;
    at += steps[heading as 1 | 2 | 4 | 8];
    came = heading;
    heading = turn(edges[at]!, heading);
  } while (at !== start || heading !== EAST);
  edges[start]! &= ~EAST;
  return ring;
}

/** Right, straight on, left: the first that has an edge. */
function turn(outgoing: number, heading: number): number {
  const right = heading === NORTH ? EAST : heading << 1;
  const left = heading === EAST ? NORTH : heading >> 1;
  return [right, heading, left].find((direction) => outgoing & direction)!;
}

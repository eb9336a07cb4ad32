/**
 * The outline of a mask as COCO polygons with holes, exactly: drawn again they
 * give the very same pixels.
 *
 * A ring outside of everything is a polygon, a hole in one is a hole. Holes are
 * cut out of the union of all polygons, so what lies inside of a hole (an island,
 * and whatever is in it) is left out of the hole: it hangs on the hole's ring by
 * a seam, straight up to the next ring above and back the same way. A seam lies
 * between two columns of pixels, so it leaves no trace. app/masks/contours.py
 * has the same rule.
 */

import { contours } from "./contours";
import type { Rle } from "./rle";
import type { Ring } from "./ring";

export interface Apart {
  readonly rings: readonly Ring[];
  readonly holes: readonly Ring[];
}

interface Traced {
  points: number[];
  readonly hole: boolean;
  /** The highest corner, the leftmost of several. */
  readonly x: number;
  readonly y: number;
}

/** What is seen straight above a ring's highest corner. */
interface Above {
  readonly y: number;
  readonly ring: number;
}

export function ringsApart(mask: Rle): Apart {
  const rings = contours(mask).map(traced).sort((a, b) => a.y - b.y || a.x - b.x);
  if (!rings.some(({ hole }) => hole)) return { rings: rings.map(({ points }) => points), holes: [] };
  const above = lookUp(rings);
  const depths = depthsOf(rings, above);
  // From the lowest on, so that whatever hangs on a ring is part of it before it hangs itself.
  for (let i = rings.length - 1; i >= 0; i--) {
    if (depths[i]! < 2) continue;
    const { y, ring } = above[i]!;
    rings[ring]!.points = hung(rings[ring]!.points, rings[i]!, y);
  }
  const at = (depth: number): Ring[] => rings.flatMap(({ points }, i) => (depths[i] === depth ? [points] : []));
  return { rings: at(0), holes: at(1) };
}

function traced(ring: Ring): Traced {
  let twice = 0;
  let head = 0;
  for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) {
    twice += ring[j]! * ring[i + 1]! - ring[i]! * ring[j + 1]!;
    const higher = ring[i + 1]! - ring[head + 1]! || ring[i]! - ring[head]!;
    if (higher < 0) head = i;
  }
  // From the head on, which is where a seam begins.
  const points = [...ring.slice(head), ...ring.slice(0, head)];
  return { points, hole: twice < 0, x: points[0]!, y: points[1]! };
}

/** For each ring the nearest edge above its head, in the column to the right of it. */
function lookUp(rings: readonly Traced[]): (Above | null)[] {
  const columns = new Map<number, Above[]>(rings.map(({ x }) => [x, []]));
  const sorted = [...columns.keys()].sort((a, b) => a - b);
  rings.forEach(({ points }, ring) => {
    eachEdge(points, (from, to, y) => {
      for (let i = firstFrom(sorted, from); i < sorted.length && sorted[i]! < to; i++) {
        columns.get(sorted[i]!)!.push({ y, ring });
      }
    });
  });
  return rings.map(({ x, y }) =>
    columns.get(x)!.reduce<Above | null>((best, edge) => (edge.y < y && edge.y > (best?.y ?? -1) ? edge : best), null),
  );
}

/** Calls `found` for each horizontal edge, from left to right. */
function eachEdge(points: readonly number[], found: (from: number, to: number, y: number) => void): void {
  for (let i = 0, j = points.length - 2; i < points.length; j = i, i += 2) {
    const y = points[i + 1]!;
    if (points[j + 1] === y) found(Math.min(points[i]!, points[j]!), Math.max(points[i]!, points[j]!), y);
  }
}

function firstFrom(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many rings lie around each: the one above is around it, or a neighbour in the same one. */
function depthsOf(rings: readonly Traced[], above: readonly (Above | null)[]): number[] {
  const depths: number[] = [];
  rings.forEach(({ hole }, i) => {
    const seen = above[i];
    depths.push(seen ? depths[seen.ring]! + (rings[seen.ring]!.hole === hole ? 0 : 1) : 0);
  });
  return depths;
}

/** The ring with another one hung on its edge at the height `y`. */
function hung(points: readonly number[], { points: other, x }: Traced, y: number): number[] {
  for (let i = 0; i < points.length; i += 2) {
    const next = (i + 2) % points.length;
    const [from, to] = [points[i]!, points[next]!];
    const onEdge = points[i + 1] === y && points[next + 1] === y;
    if (!onEdge || Math.min(from, to) > x || Math.max(from, to) <= x) continue;
    const seam = [x, y, ...other, x, other[1]!, x, y];
    return [...points.slice(0, i + 2), ...seam, ...points.slice(i + 2)];
  }
  throw new Error("A ring hangs on no edge.");
}

/** What of a shape lies within bounds. */

import { boxOfBounds, boundsOfBox, type Bounds, type Box } from "./bounds";
import { imagePoint, type ImagePoint } from "./point";
import { ringArea, vertex, vertexCount, type Ring } from "./ring";
import { countsOf, writeCounts, type Rle } from "./rle";

type Side = readonly [axis: "x" | "y", limit: number, sign: 1 | -1];

/**
 * The ring cut off at the bounds, or null when nothing of it lies within: Sutherland and Hodgman's
 * algorithm ("Reentrant polygon clipping", 1974). Parts that the cut separates stay one ring,
 * joined along the border, where they cover nothing.
 */
export function clipRing(ring: Ring, bounds: Bounds): Ring | null {
  const sides: Side[] = [
    ["x", bounds.left, 1],
    ["x", bounds.right, -1],
    ["y", bounds.top, 1],
    ["y", bounds.bottom, -1],
  ];
  const points = Array.from({ length: vertexCount(ring) }, (_, i) => vertex(ring, i));
  if (points.every((p) => sides.every((side) => within(p, side)))) return ring;
  const clipped = sides.reduce(cutOff, points).flatMap(({ x, y }) => [x, y]);
  return vertexCount(clipped) >= 3 && ringArea(clipped) > 0 ? clipped : null;
}

const within = (p: ImagePoint, [axis, limit, sign]: Side): boolean => (p[axis] - limit) * sign >= 0;

function cutOff(points: readonly ImagePoint[], side: Side): ImagePoint[] {
  return points.flatMap((to, i) => {
    const from = points.at(i - 1)!;
    const crossing = within(from, side) === within(to, side) ? [] : [crossingOf(from, to, side)];
    return within(to, side) ? [...crossing, to] : crossing;
  });
}

function crossingOf(from: ImagePoint, to: ImagePoint, [axis, limit]: Side): ImagePoint {
  const t = (limit - from[axis]) / (to[axis] - from[axis]);
  return axis === "x"
    ? imagePoint(limit, from.y + t * (to.y - from.y))
    : imagePoint(from.x + t * (to.x - from.x), limit);
}

/** The part of a box within the bounds; null for none. */
export function clipBox(box: Box, bounds: Bounds): Box | null {
  const { left, top, right, bottom } = boundsOfBox(box);
  const clipped = {
    left: Math.max(left, bounds.left),
    top: Math.max(top, bounds.top),
    right: Math.min(right, bounds.right),
    bottom: Math.min(bottom, bounds.bottom),
  };
  if (clipped.left >= clipped.right || clipped.top >= clipped.bottom) return null;
  const same = clipped.left === left && clipped.top === top && clipped.right === right && clipped.bottom === bottom;
  return same ? box : boxOfBounds(clipped);
}

export interface PlacedMask {
  readonly mask: Rle;
  /** Pixels that fell outside. */
  readonly lost: number;
  readonly kept: number;
}

/** A mask on an image of another size, moved by whole pixels; the same mask where nothing differs. */
export function placeMask(mask: Rle, size: readonly [number, number], dx: number, dy: number): PlacedMask {
  const [height, width] = mask.size;
  const same = height === size[0] && width === size[1] && dx === 0 && dy === 0;
  const runs = setRuns(mask, size, dx, dy);
  const total = countsOf(mask).reduce((sum, count, i) => (i % 2 === 1 ? sum + count : sum), 0);
  const kept = runs.reduce((sum, [start, end]) => sum + end - start, 0);
  return { mask: same ? mask : fromRuns(runs, size), lost: total - kept, kept };
}

/** The set pixels of the moved mask as `[start, end)` of column-major places, in order. */
function setRuns(
  mask: Rle,
  [toHeight, toWidth]: readonly [number, number],
  dx: number,
  dy: number,
): [number, number][] {
  const height = mask.size[0];
  const runs: [number, number][] = [];
  let at = 0;
  countsOf(mask).forEach((count, i) => {
    const end = at + count;
    while (i % 2 === 1 && at < end) {
      const column = Math.floor(at / height);
      const stop = Math.min(end, (column + 1) * height);
      const top = Math.max(0, at - column * height + dy);
      const bottom = Math.min(toHeight, stop - column * height + dy);
      const place = (column + dx) * toHeight;
      if (column + dx >= 0 && column + dx < toWidth && top < bottom) {
        runs.push([place + top, place + bottom]);
      }
      at = stop;
    }
    at = end;
  });
  return runs;
}

function fromRuns(runs: readonly [number, number][], size: readonly [number, number]): Rle {
  const counts: number[] = [];
  let at = 0;
  for (const [start, end] of runs) {
    // Runs that meet at the end of a column are one.
    if (start === at && counts.length > 0) counts[counts.length - 1]! += end - start;
    else counts.push(start - at, end - start);
    at = end;
  }
  const rest = size[0] * size[1] - at;
  if (rest > 0 || counts.length === 0) counts.push(rest);
  return { size, counts: writeCounts(counts) };
}

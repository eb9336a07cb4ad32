/** Ways along a ring from one place on it to another. */

import { distance, imagePoint, type ImagePoint } from "./point";
import { nearestEdge, vertex, vertexCount, type Ring } from "./ring";

/** A place on the outline: on the edge from this vertex to the next, or on the vertex itself. */
export interface RingPlace {
  readonly index: number;
  readonly point: ImagePoint;
}

/** Computed points lie in these parts of a pixel. */
const UNITS_PER_PIXEL = 10_000;
const rounded = (value: number): number => Math.round(value * UNITS_PER_PIXEL) / UNITS_PER_PIXEL;

export interface FoundPlace extends RingPlace {
  readonly vertex: boolean;
  readonly distance: number;
}

/**
 * The nearest vertex within the radius, with its very numbers, or else the nearest
 * place on an edge within `reach`.
 */
export function placeOn(ring: Ring, at: ImagePoint, radius: number, reach = radius): FoundPlace | null {
  let nearest = radius;
  let index = -1;
  for (let i = 0; i + 1 < ring.length; i += 2) {
    const away = Math.hypot(ring[i]! - at.x, ring[i + 1]! - at.y);
    if (away <= nearest) [index, nearest] = [i >> 1, away];
  }
  if (index >= 0) return { index, point: vertex(ring, index), vertex: true, distance: nearest };
  const edge = nearestEdge(ring, at);
  if (!edge || edge.distance > reach) return null;
  const { x, y } = edge.point;
  return { index: edge.index, point: imagePoint(rounded(x), rounded(y)), vertex: false, distance: edge.distance };
}

/**
 * The points from one place to the other, both included: the shorter way round, or
 * the longer one when asked for.
 */
export function wayAlong(ring: Ring, from: RingPlace, to: RingPlace, longer = false): ImagePoint[] {
  const ahead = forward(ring, from, to);
  const back = forward(ring, to, from).reverse();
  const ways = [ahead, back].sort((a, b) => lengthOf(a) - lengthOf(b));
  return ways[longer ? 1 : 0]!;
}

function forward(ring: Ring, from: RingPlace, to: RingPlace): ImagePoint[] {
  const n = vertexCount(ring);
  const along = ({ index, point }: RingPlace): number => distance(vertex(ring, index), point);
  // On one edge the way ahead is straight, or once around.
  const straight = from.index === to.index && along(from) <= along(to);
  const steps = straight ? 0 : (to.index - from.index + n) % n || n;
  const passed = Array.from({ length: steps }, (_, i) => vertex(ring, (from.index + 1 + i) % n));
  return withoutRepeats([from.point, ...passed, to.point]);
}

const lengthOf = (way: readonly ImagePoint[]): number =>
  way.reduce((sum, point, i) => sum + (i > 0 ? distance(way[i - 1]!, point) : 0), 0);

function withoutRepeats(points: readonly ImagePoint[]): ImagePoint[] {
  return points.filter((point, i) => i === 0 || point.x !== points[i - 1]!.x || point.y !== points[i - 1]!.y);
}

/**
 * The ring with the points in place of the shorter way from one place to the other,
 * or of the longer one. It begins with the first vertex that is left and runs as before.
 */
export function redrawn(
  ring: Ring,
  from: RingPlace,
  to: RingPlace,
  points: readonly ImagePoint[],
  longer = false,
): Ring {
  const [ahead, back] = [forward(ring, from, to), forward(ring, to, from)];
  // What is kept runs forward; the new points go from its end to its beginning.
  const dropsAhead = lengthOf(ahead) <= lengthOf(back) !== longer;
  const kept = dropsAhead ? back : ahead;
  const added = dropsAhead ? points : [...points].reverse();
  const start = firstVertex(ring, kept);
  return [...kept.slice(start), ...added, ...kept.slice(0, start)].flatMap(({ x, y }) => [x, y]);
}

/** Where in what is kept the first of the ring's vertices is that is still there. */
function firstVertex(ring: Ring, kept: readonly ImagePoint[]): number {
  for (let i = 0; i < vertexCount(ring); i++) {
    const { x, y } = vertex(ring, i);
    const place = kept.findIndex((point) => point.x === x && point.y === y);
    if (place >= 0) return place;
  }
  return 0;
}

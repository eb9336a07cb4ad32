/**
 * Rings: closed polygons as COCO writes them, one flat list `[x, y, x, y, ...]`
 * without a repeated first point. A ring fills by the even-odd rule, as in
 * pycocotools; several rings of one annotation are united.
 */

import { boundsOfNumbers, meetsSegment, overlap, sumOf, type Bounds } from "./bounds";
import { distance, imagePoint, nearestOnSegment, type ImagePoint } from "./point";

export type Ring = readonly number[];

export const vertexCount = (ring: Ring): number => ring.length >> 1;

export const vertex = (ring: Ring, index: number): ImagePoint =>
  imagePoint(ring[2 * index]!, ring[2 * index + 1]!);

export function insideRing(ring: Ring, p: ImagePoint): boolean {
  let inside = false;
  const n = vertexCount(ring);
  for (let i = 0, j = n - 1; i < n; j = i++) {
    const yi = ring[2 * i + 1]!;
    const yj = ring[2 * j + 1]!;
    if (yi > p.y === yj > p.y) continue;
    const xi = ring[2 * i]!;
    const xj = ring[2 * j]!;
    if (p.x < ((xj - xi) * (p.y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

/** The shoelace area, never negative. */
export const ringArea = (ring: Ring): number => Math.abs(signedArea(ring));

/** Positive where the ring runs clockwise on the screen. */
export function signedArea(ring: Ring): number {
  let twice = 0;
  const n = vertexCount(ring);
  for (let i = 0, j = n - 1; i < n; j = i++) {
    twice += ring[2 * j]! * ring[2 * i + 1]! - ring[2 * i]! * ring[2 * j + 1]!;
  }
  return twice / 2;
}

/** Whether all vertices lie on one line, so that there is nothing inside. */
export function isFlat(ring: Ring): boolean {
  const [x0, y0] = [ring[0]!, ring[1]!];
  let [dx, dy] = [0, 0];
  for (let i = 2; i < ring.length; i += 2) {
    const [x, y] = [ring[i]! - x0, ring[i + 1]! - y0];
    if (Math.hypot(x, y) > Math.hypot(dx, dy)) [dx, dy] = [x, y];
  }
  const slack = 1e-9 * (dx * dx + dy * dy);
  for (let i = 2; i < ring.length; i += 2) {
    if (Math.abs((ring[i]! - x0) * dy - (ring[i + 1]! - y0) * dx) > slack) return false;
  }
  return true;
}

export interface EdgeHit {
  /** The index of the vertex that the edge starts at. */
  readonly index: number;
  readonly point: ImagePoint;
  readonly distance: number;
}

/** The nearest point of the outline, or null for an empty ring. */
export function nearestEdge(ring: Ring, p: ImagePoint): EdgeHit | null {
  const n = vertexCount(ring);
  if (n === 0) return null;
  // In numbers alone: every movement of the pointer asks, and outlines have thousands of points.
  let index = 0;
  let nearest = Infinity;
  for (let i = 0; i < n; i++) {
    const ax = ring[2 * i]!;
    const ay = ring[2 * i + 1]!;
    const j = i + 1 === n ? 0 : 2 * i + 2;
    const dx = ring[j]! - ax;
    const dy = ring[j + 1]! - ay;
    const squared = dx * dx + dy * dy;
    const along = squared === 0 ? 0 : ((p.x - ax) * dx + (p.y - ay) * dy) / squared;
    const t = along < 0 ? 0 : along > 1 ? 1 : along;
    const [offX, offY] = [ax + t * dx - p.x, ay + t * dy - p.y];
    const away = offX * offX + offY * offY;
    if (away < nearest) [index, nearest] = [i, away];
  }
  const point = nearestOnSegment(p, vertex(ring, index), vertex(ring, (index + 1) % n));
  return { index, point, distance: distance(p, point) };
}

/** Whether the outline passes through the bounds. */
export function outlineMeets(ring: Ring, bounds: Bounds): boolean {
  const n = vertexCount(ring);
  for (let i = 0; i < n; i++) {
    if (meetsSegment(bounds, vertex(ring, i), vertex(ring, (i + 1) % n))) return true;
  }
  return false;
}

/** The ring with one vertex elsewhere; every other number is the same number. */
export function withVertex(ring: Ring, index: number, p: ImagePoint): Ring {
  const moved = ring.slice();
  moved[2 * index] = p.x;
  moved[2 * index + 1] = p.y;
  return moved;
}

export function withInserted(ring: Ring, after: number, p: ImagePoint): Ring {
  return [...ring.slice(0, 2 * after + 2), p.x, p.y, ...ring.slice(2 * after + 2)];
}

export function translated(ring: Ring, dx: number, dy: number): Ring {
  return ring.map((value, i) => sumOf(value, i % 2 === 0 ? dx : dy));
}

/** The four corners, clockwise from the top left one. */
export const ringOfBounds = ({ left, top, right, bottom }: Bounds): Ring => [
  left, top, right, top, right, bottom, left, bottom,
];

export function ringsBounds(rings: readonly Ring[]): Bounds | null {
  return boundsOfNumbers(rings.length === 1 ? rings[0]! : rings.flat());
}

/** Whether any two of the rings could cover the same pixel, judged by their extents. */
export function anyOverlap(rings: readonly Ring[]): boolean {
  const extents = rings.map((ring) => boundsOfNumbers(ring));
  return extents.some(
    (a, i) => a && extents.some((b, j) => j > i && b !== null && overlap(a, b)),
  );
}

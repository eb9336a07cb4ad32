/**
 * Rings: closed polygons as COCO writes them, one flat list `[x, y, x, y, ...]`
 * without a repeated first point. A ring fills by the even-odd rule, as in
 * pycocotools; several rings of one annotation are united.
 */

import { boundsOfNumbers, meetsSegment, overlap, sumOf, union, type Bounds } from "./bounds";
import { distance, imagePoint, nearestOnSegment, type ImagePoint } from "./point";
import { indexBounds, indexOf, meetsStretch, squaredDistanceTo, stretch } from "./ring-index";

export type Ring = readonly number[];

export const vertexCount = (ring: Ring): number => ring.length >> 1;

export const vertex = (ring: Ring, index: number): ImagePoint =>
  imagePoint(ring[2 * index]!, ring[2 * index + 1]!);

export function insideRing(ring: Ring, p: ImagePoint): boolean {
  const index = indexOf(ring);
  if (!index) return crossings(ring, p, 0, vertexCount(ring)) % 2 === 1;
  const { count, extents } = index;
  let passed = 0;
  for (let s = 0; s < count; s++) {
    const at = 4 * s;
    if (extents[at + 2]! < p.x || extents[at + 1]! > p.y || extents[at + 3]! <= p.y) continue;
    const [first, last] = stretch(ring, s);
    // Wholly to the right of the point it is passed an odd number of times where its ends lie on two sides.
    if (extents[at]! > p.x) passed += isBelow(ring, first, p) === isBelow(ring, last, p) ? 0 : 1;
    else passed += crossings(ring, p, first, last);
  }
  return passed % 2 === 1;
}

const isBelow = (ring: Ring, i: number, { y }: ImagePoint): boolean =>
  ring[2 * (i === vertexCount(ring) ? 0 : i) + 1]! > y;

/** How many edges, of those that begin at these vertices, a line from the point to the right goes through. */
function crossings(ring: Ring, p: ImagePoint, first: number, last: number): number {
  let found = 0;
  const n = vertexCount(ring);
  for (let i = first; i < last; i++) {
    const j = i + 1 === n ? 0 : i + 1;
    const yi = ring[2 * i + 1]!;
    const yj = ring[2 * j + 1]!;
    if (yi > p.y === yj > p.y) continue;
    const xi = ring[2 * i]!;
    const xj = ring[2 * j]!;
    if (p.x < ((xi - xj) * (p.y - yj)) / (yi - yj) + xj) found += 1;
  }
  return found;
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
  const best = { index: 0, away: Infinity };
  const index = indexOf(ring);
  if (!index) nearestOf(ring, p, 0, n, best);
  else {
    // The nearest stretch first, so that most others can be passed over.
    const distances = Array.from({ length: index.count }, (_, s) => squaredDistanceTo(index, s, p.x, p.y));
    const nearest = distances.reduce((least, away, s) => (away < distances[least]! ? s : least), 0);
    nearestOf(ring, p, ...stretch(ring, nearest), best);
    // Of two edges as near as each other the earlier one counts, as without stretches.
    distances.forEach((away, s) => {
      if (s !== nearest && away <= best.away) nearestOf(ring, p, ...stretch(ring, s), best);
    });
  }
  const point = nearestOnSegment(p, vertex(ring, best.index), vertex(ring, (best.index + 1) % n));
  return { index: best.index, point, distance: distance(p, point) };
}

/** Of the edges that begin at these vertices, where one is nearer than what was found before. */
function nearestOf(
  ring: Ring,
  p: ImagePoint,
  first: number,
  last: number,
  best: { index: number; away: number },
): void {
  const n = vertexCount(ring);
  // In numbers alone: every movement of the pointer asks, and outlines have thousands of points.
  for (let i = first; i < last; i++) {
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
    if (away < best.away || (away === best.away && i < best.index)) [best.index, best.away] = [i, away];
  }
}

/** Whether the outline passes through the bounds. */
export function outlineMeets(ring: Ring, bounds: Bounds): boolean {
  const n = vertexCount(ring);
  const index = indexOf(ring);
  const meets = (first: number, last: number): boolean => {
    for (let i = first; i < last; i++) {
      if (meetsSegment(bounds, vertex(ring, i), vertex(ring, (i + 1) % n))) return true;
    }
    return false;
  };
  if (!index) return meets(0, n);
  for (let s = 0; s < index.count; s++) {
    if (meetsStretch(index, s, bounds) && meets(...stretch(ring, s))) return true;
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
  return rings.reduce<Bounds | null>((sum, ring) => union(sum, ringBounds(ring)), null);
}

function ringBounds(ring: Ring): Bounds | null {
  const index = indexOf(ring);
  return index ? indexBounds(index) : boundsOfNumbers(ring);
}

/**
 * The rings in groups, in none of which two could cover the same pixel, judged by their extents. There are as few
 * of them as it takes where shapes lie side by side, though thousands lie within the extent of a ragged one.
 */
export function apart(rings: readonly Ring[]): (readonly Ring[])[] {
  if (rings.length < 2) return rings.length === 0 ? [] : [rings];
  const groups: Group[] = [];
  const extents = rings.map((ring) => ringBounds(ring));
  const fromLeft = rings.map((_, i) => i).sort((a, b) => (extents[a]?.left ?? 0) - (extents[b]?.left ?? 0));
  for (const i of fromLeft) {
    const extent = extents[i];
    if (!extent) continue;
    let group = groups.find((one) => hasRoom(one, extent));
    if (!group) groups.push((group = { members: [], beside: [] }));
    group.members.push(i);
    group.beside.push(extent);
  }
  // In their own order, whichever lies further to the left.
  for (const { members } of groups) members.sort((a, b) => a - b);
  groups.sort((a, b) => a.members[0]! - b.members[0]!);
  return groups.map(({ members }) => members.map((i) => rings[i]!));
}

interface Group {
  readonly members: number[];
  /** Those that may reach as far to the right as where the next ring begins. */
  beside: Bounds[];
}

function hasRoom(group: Group, extent: Bounds): boolean {
  group.beside = group.beside.filter(({ right }) => right > extent.left);
  return !group.beside.some((other) => overlap(other, extent));
}

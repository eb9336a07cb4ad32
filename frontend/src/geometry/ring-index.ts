/**
 * Where the points of a long ring lie, so that what is asked about one place looks at few of them: the extent of each
 * stretch of edges. Rings never change in place, so it is computed once for each.
 */

import type { Bounds } from "./bounds";
import type { Ring } from "./ring";

/** Edges of one stretch; a ring of fewer points is looked at as a whole. */
const STRETCH = 64;

export interface RingIndex {
  readonly count: number;
  /** Left, top, right and bottom of each stretch, the end of its last edge included. */
  readonly extents: Float64Array;
}

const indexes = new WeakMap<Ring, RingIndex>();

/** Null for a ring of so few points that nothing would be gained. */
export function indexOf(ring: Ring): RingIndex | null {
  if (ring.length <= 4 * STRETCH) return null;
  let index = indexes.get(ring);
  if (!index) {
    index = computed(ring);
    indexes.set(ring, index);
  }
  return index;
}

/** The first point of a stretch, and the one behind its last. */
export const stretch = (ring: Ring, i: number): readonly [number, number] => [
  i * STRETCH,
  Math.min((i + 1) * STRETCH, ring.length >> 1),
];

function computed(ring: Ring): RingIndex {
  const n = ring.length >> 1;
  const count = Math.ceil(n / STRETCH);
  const extents = new Float64Array(4 * count);
  for (let s = 0; s < count; s++) {
    const [first, last] = stretch(ring, s);
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let i = first; i <= last; i++) {
      const at = i === n ? 0 : 2 * i;
      const [x, y] = [ring[at]!, ring[at + 1]!];
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      if (y > bottom) bottom = y;
    }
    extents.set([left, top, right, bottom], 4 * s);
  }
  return { count, extents };
}

/** The extent of the ring, from those of its stretches. */
export function indexBounds({ count, extents }: RingIndex): Bounds {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let s = 0; s < 4 * count; s += 4) {
    left = Math.min(left, extents[s]!);
    top = Math.min(top, extents[s + 1]!);
    right = Math.max(right, extents[s + 2]!);
    bottom = Math.max(bottom, extents[s + 3]!);
  }
  return { left, top, right, bottom };
}

/** The numbers of the vertices within the bounds, the first ones of them where there are more than `most`. */
export function verticesWithin(ring: Ring, bounds: Bounds, most = Infinity): number[] {
  const { left, top, right, bottom } = bounds;
  const found: number[] = [];
  const look = (first: number, last: number): void => {
    for (let i = first; i < last && found.length < most; i++) {
      const [x, y] = [ring[2 * i]!, ring[2 * i + 1]!];
      if (x >= left && x <= right && y >= top && y <= bottom) found.push(i);
    }
  };
  const index = indexOf(ring);
  if (!index) look(0, ring.length >> 1);
  for (let s = 0; index && s < index.count && found.length < most; s++) {
    if (meetsStretch(index, s, bounds)) look(...stretch(ring, s));
  }
  return found;
}

/** Whether a stretch may have anything within the bounds. */
export function meetsStretch({ extents }: RingIndex, s: number, { left, top, right, bottom }: Bounds): boolean {
  const at = 4 * s;
  return extents[at]! <= right && extents[at + 2]! >= left && extents[at + 1]! <= bottom && extents[at + 3]! >= top;
}

/** The square of how far a place is from the extent of a stretch, at least as near as any of its edges. */
export function squaredDistanceTo({ extents }: RingIndex, s: number, x: number, y: number): number {
  const at = 4 * s;
  const dx = Math.max(extents[at]! - x, 0, x - extents[at + 2]!);
  const dy = Math.max(extents[at + 1]! - y, 0, y - extents[at + 3]!);
  return dx * dx + dy * dy;
}

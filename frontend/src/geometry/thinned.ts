/**
 * Rings of very many points as a screen shows them: without what lies closer than can be told apart, and without
 * what is out of sight. Only what is drawn; nothing of it is ever stored.
 */

import type { Bounds } from "./bounds";

/** A ring, be it a copy in numbers of its own. */
export type Points = ArrayLike<number>;

/**
 * The points of a ring of which each is further than the tolerance from the one before, across or down. No edge is
 * moved by more than that. The ring itself where all of its points are.
 */
export function thinned(ring: Points, tolerance: number): Points {
  const kept = new Float64Array(ring.length);
  let length = 0;
  let [x, y] = [Infinity, Infinity];
  for (let i = 0; i + 1 < ring.length; i += 2) {
    const [u, v] = [ring[i]!, ring[i + 1]!];
    if (Math.abs(u - x) <= tolerance && Math.abs(v - y) <= tolerance) continue;
    kept[length++] = x = u;
    kept[length++] = y = v;
  }
  return length === ring.length ? ring : kept.slice(0, length);
}

/** On which sides of the bounds a point lies outside, as bits; 0 for one inside. */
const sidesOf = (x: number, y: number, { left, top, right, bottom }: Bounds): number =>
  (x < left ? 1 : 0) | (x > right ? 2 : 0) | (y < top ? 4 : 0) | (y > bottom ? 8 : 0);

/**
 * A ring that fills the same within the bounds: a point between two others that lie outside on the same side as it
 * does is left out, for the way past it may as well be straight.
 */
export function filledAlike(ring: Points, bounds: Bounds): Points {
  const kept = new Float64Array(ring.length);
  let length = 0;
  const n = ring.length >> 1;
  if (n === 0) return kept;
  let before = -1;
  let here = sidesOf(ring[0]!, ring[1]!, bounds);
  for (let i = 0; i < n; i++) {
    const next = i + 1 < n ? sidesOf(ring[2 * i + 2]!, ring[2 * i + 3]!, bounds) : 0;
    const isIdle = before >= 0 && (before & here & next) !== 0;
    if (!isIdle) {
      kept[length++] = ring[2 * i]!;
      kept[length++] = ring[2 * i + 1]!;
      before = here;
    }
    here = next;
  }
  return kept.subarray(0, length);
}

/** Calls `found` with each edge of the ring that may be seen within the bounds, by the indices of its ends. */
export function eachEdgeWithin(ring: Points, bounds: Bounds, found: (from: number, to: number) => void): void {
  const n = ring.length >> 1;
  if (n === 0) return;
  let here = sidesOf(ring[0]!, ring[1]!, bounds);
  for (let i = 0; i < n; i++) {
    const to = i + 1 < n ? i + 1 : 0;
    const there = sidesOf(ring[2 * to]!, ring[2 * to + 1]!, bounds);
    if ((here & there) === 0) found(i, to);
    here = there;
  }
}

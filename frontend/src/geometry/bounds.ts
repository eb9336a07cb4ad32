/** Axis-parallel extents in image pixels, as edges rather than as a COCO box. */

import type { ImagePoint } from "./point";

export interface Bounds {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** `[x, y, width, height]`, as COCO writes a box. */
export type Box = readonly [number, number, number, number];

export function boundsOfNumbers(numbers: readonly number[], stride = 2): Bounds | null {
  if (numbers.length < 2) return null;
  let left = Infinity;
  let top = Infinity;
  let right = -Infinity;
  let bottom = -Infinity;
  for (let i = 0; i + 1 < numbers.length; i += stride) {
    const x = numbers[i]!;
    const y = numbers[i + 1]!;
    if (x < left) left = x;
    if (x > right) right = x;
    if (y < top) top = y;
    if (y > bottom) bottom = y;
  }
  return { left, top, right, bottom };
}

export function union(a: Bounds | null, b: Bounds | null): Bounds | null {
  if (!a || !b) return a ?? b;
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  };
}

export function overlap(a: Bounds, b: Bounds): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

/** Whether `inner` lies in `outer`, its edges included. */
export function encloses(outer: Bounds, inner: Bounds): boolean {
  return (
    inner.left >= outer.left &&
    inner.right <= outer.right &&
    inner.top >= outer.top &&
    inner.bottom <= outer.bottom
  );
}

/** Whether the two have a point in common; one of no extent can be met, too. */
export function meets(a: Bounds, b: Bounds): boolean {
  return a.left <= b.right && b.left <= a.right && a.top <= b.bottom && b.top <= a.bottom;
}

/** Whether the segment a-b has a point in the bounds: what is left of it after each side's cut. */
export function meetsSegment(bounds: Bounds, a: ImagePoint, b: ImagePoint): boolean {
  let [from, to] = [0, 1];
  const dx = b.x - a.x;
  const dy = b.y - a.y;
  for (const [step, room] of [
    [-dx, a.x - bounds.left],
    [dx, bounds.right - a.x],
    [-dy, a.y - bounds.top],
    [dy, bounds.bottom - a.y],
  ] as const) {
    if (step === 0 && room < 0) return false;
    if (step < 0) from = Math.max(from, room / step);
    if (step > 0) to = Math.min(to, room / step);
  }
  return from <= to;
}

export function contains(b: Bounds, p: ImagePoint, margin = 0): boolean {
  return (
    p.x >= b.left - margin &&
    p.x <= b.right + margin &&
    p.y >= b.top - margin &&
    p.y <= b.bottom + margin
  );
}

/** All that is no further from the point than this, across and down. */
export const around = ({ x, y }: ImagePoint, reach: number): Bounds => ({
  left: x - reach,
  top: y - reach,
  right: x + reach,
  bottom: y + reach,
});

export const grown = ({ left, top, right, bottom }: Bounds, by: number): Bounds => ({
  left: left - by,
  top: top - by,
  right: right + by,
  bottom: bottom + by,
});

/** A COCO box may have negative sizes; it then covers the mirrored area. */
export function boundsOfBox([x, y, width, height]: Box): Bounds {
  return {
    left: Math.min(x, x + width),
    top: Math.min(y, y + height),
    right: Math.max(x, x + width),
    bottom: Math.max(y, y + height),
  };
}

export function boxOfBounds(b: Bounds): Box {
  return [b.left, b.top, b.right - b.left, b.bottom - b.top];
}

export function boxBetween(a: ImagePoint, b: ImagePoint): Box {
  return [Math.min(a.x, b.x), Math.min(a.y, b.y), lengthBetween(a.x, b.x), lengthBetween(a.y, b.y)];
}

/** Without the digits that a difference of decimal numbers has of its own: 0.3 - 0.1 is 0.2. */
export const lengthBetween = (a: number, b: number): number => Number(Math.abs(a - b).toFixed(10));

/** So that ten decimals of a sum are a whole number that is held exactly. */
const LARGEST_SUM = 900_000;

/**
 * Without the digits that a sum of decimal numbers has of its own: 0.1 + 0.2 is 0.3. Numbers that have
 * more digits than decimals are written with keep them.
 */
export function sumOf(a: number, b: number): number {
  const sum = a + b;
  if (b === 0 || Math.abs(sum) > LARGEST_SUM) return sum;
  const written = Math.round(sum * 1e10) / 1e10;
  const noise = (Math.abs(a) + Math.abs(b) + Math.abs(sum)) * Number.EPSILON;
  return Math.abs(written - sum) <= noise ? written : sum;
}

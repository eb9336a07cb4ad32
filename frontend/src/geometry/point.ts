/**
 * Two coordinate systems, two types.
 *
 * An `ImagePoint` is in pixels of the image as shown: origin top left, pixel
 * (c, r) covers [c, c+1) x [r, r+1). A `ScreenPoint` is in CSS pixels of the
 * stage, the element that holds the canvases. They look the same at run time,
 * so the brand keeps the compiler from mixing them up; only the camera turns
 * one into the other.
 */

declare const system: unique symbol;

export interface ImagePoint {
  readonly x: number;
  readonly y: number;
  readonly [system]?: "image";
}

export interface ScreenPoint {
  readonly x: number;
  readonly y: number;
  readonly [system]?: "screen";
}

export const imagePoint = (x: number, y: number): ImagePoint => ({ x, y }) as ImagePoint;

export const screenPoint = (x: number, y: number): ScreenPoint => ({ x, y }) as ScreenPoint;

/** Distance of two points of the same system. */
export function distance<P extends ImagePoint | ScreenPoint>(a: P, b: NoInfer<P>): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

/** The point of the segment a-b that is nearest to p. */
export function nearestOnSegment(p: ImagePoint, a: ImagePoint, b: ImagePoint): ImagePoint {
  const dx = b.x - a.x;
  const dy = b.y - a.y;
  const squared = dx * dx + dy * dy;
  if (squared === 0) return a;
  const t = Math.min(1, Math.max(0, ((p.x - a.x) * dx + (p.y - a.y) * dy) / squared));
  return imagePoint(a.x + t * dx, a.y + t * dy);
}

/**
 * Which annotations are another one elsewhere, so that what took long to compute for that one, such as
 * the outline of a mask, need not be computed again while it is being moved.
 */

import { imagePoint, type ImagePoint } from "../geometry/point";
import { translated } from "../geometry/ring";
import type { Annotation } from "../model/records";
import type { Outline } from "./shape";

interface Origin {
  readonly of: Annotation;
  readonly dx: number;
  readonly dy: number;
}

const origins = new WeakMap<Annotation, Origin>();

const originOf = (annotation: Annotation): Origin => origins.get(annotation) ?? { of: annotation, dx: 0, dy: 0 };

export function rememberMoved(from: Annotation, moved: Annotation, dx: number, dy: number): void {
  const origin = originOf(from);
  if (moved !== from) origins.set(moved, { of: origin.of, dx: origin.dx + dx, dy: origin.dy + dy });
}

/** What it was before it was moved, however often; itself where it was not. */
export const movedFrom = (annotation: Annotation): Annotation => originOf(annotation).of;

/** The outline of one annotation from that of another, where both are the same one in two places; else null. */
export function movedOutline(from: Annotation, outline: Outline, to: Annotation): Outline | null {
  const [a, b] = [originOf(from), originOf(to)];
  if (a.of !== b.of) return null;
  const [dx, dy] = [b.dx - a.dx, b.dy - a.dy];
  if (dx === 0 && dy === 0) return outline;
  const point = ({ x, y }: ImagePoint): ImagePoint => imagePoint(x + dx, y + dy);
  const ring = (numbers: readonly number[]): readonly number[] => translated(numbers, dx, dy);
  return {
    areas: outline.areas.map(({ rings, cut }) => ({ rings: rings.map(ring), cut: cut.map(ring) })),
    lines: outline.lines.map(([start, end]) => [point(start), point(end)] as const),
    dots: outline.dots.map((dot) => ({ ...dot, at: point(dot.at) })),
  };
}

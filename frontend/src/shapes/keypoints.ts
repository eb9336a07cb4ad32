/**
 * Keypoints: `[x, y, v, ...]` in the order of the category, with v = 0 absent,
 * 1 labelled but hidden, 2 visible. The category's skeleton joins them.
 */

import { contains, sumOf, union, type Bounds } from "../geometry/bounds";
import { distance, imagePoint, type ImagePoint } from "../geometry/point";
import type { Annotation } from "../model/records";
import { plural, WITHOUT_EDGES, type Handle, type ShapeKind } from "./shape";

const NAME = "keypoints";

interface Keypoint {
  readonly index: number;
  readonly at: ImagePoint;
  readonly visibility: number;
}

function labelled(annotation: Annotation): Keypoint[] {
  const numbers = annotation.keypoints ?? [];
  const points: Keypoint[] = [];
  for (let i = 0; 3 * i + 2 < numbers.length; i++) {
    const visibility = numbers[3 * i + 2]!;
    if (visibility === 0) continue;
    points.push({ index: i, at: imagePoint(numbers[3 * i]!, numbers[3 * i + 1]!), visibility });
  }
  return points;
}

function extent(annotation: Annotation): Bounds | null {
  return labelled(annotation).reduce<Bounds | null>(
    (sum, { at }) => union(sum, { left: at.x, top: at.y, right: at.x, bottom: at.y }),
    null,
  );
}

function withNumbers(annotation: Annotation, index: number, numbers: number[]): Annotation {
  const keypoints = annotation.keypoints!.slice();
  keypoints.splice(3 * index, numbers.length, ...numbers);
  return { ...annotation, keypoints };
}

/** Those outside of the bounds made absent. */
export function keypointsWithin(numbers: readonly number[], bounds: Bounds): readonly number[] {
  const outside = (at: number): boolean =>
    !contains(bounds, imagePoint(numbers[at]!, numbers[at + 1]!));
  return numbers.map((value, i) => (outside(i - (i % 3)) ? 0 : value));
}

export const keypoints: ShapeKind = {
  ...WITHOUT_EDGES,
  name: NAME,
  heavy: false,
  present: (annotation) => labelled(annotation).length > 0,
  bounds: extent,

  area(annotation) {
    const bounds = extent(annotation);
    return bounds ? (bounds.right - bounds.left) * (bounds.bottom - bounds.top) : 0;
  },

  hits(annotation, at, tolerance) {
    const bounds = extent(annotation);
    if (!bounds || !contains(bounds, at, tolerance)) return false;
    return labelled(annotation).some((point) => distance(point.at, at) <= tolerance);
  },

  touches: (annotation, bounds) => labelled(annotation).some(({ at }) => contains(bounds, at)),

  outline(annotation, context) {
    const points = new Map(labelled(annotation).map((point) => [point.index, point]));
    const lines = context.skeleton.flatMap(([a, b]) => {
      const from = points.get(a - 1);
      const to = points.get(b - 1);
      return from && to ? [[from.at, to.at] as const] : [];
    });
    const dots = [...points.values()].map(({ at, visibility }) => ({
      at,
      hidden: visibility === 1,
    }));
    return { areas: [], lines, dots };
  },

  pixels: () => null,

  handles: (annotation, context): Handle[] =>
    labelled(annotation).map(({ index, at, visibility }) => ({
      shape: NAME,
      part: 0,
      index,
      at,
      cursor: "move",
      label: `${context.keypoints[index] ?? `point ${index + 1}`}${visibility === 1 ? " (hidden)" : ""}`,
    })),

  drag: (annotation, handle, to) => withNumbers(annotation, handle.index, [to.x, to.y]),

  /** An absent keypoint is three zeros, as in COCO. */
  removeHandle: (annotation, handle) => withNumbers(annotation, handle.index, [0, 0, 0]),

  dragAll: (annotation, handles, dx, dy) =>
    handles.reduce(
      (moved, { index, at }) => withNumbers(moved, index, [sumOf(at.x, dx), sumOf(at.y, dy)]),
      annotation,
    ),

  removeAll: (annotation, handles) =>
    handles.reduce((left, { index }) => withNumbers(left, index, [0, 0, 0]), annotation),

  move(annotation, dx, dy) {
    const numbers = annotation.keypoints!.slice();
    for (const { index, at } of labelled(annotation)) {
      numbers[3 * index] = sumOf(at.x, dx);
      numbers[3 * index + 1] = sumOf(at.y, dy);
    }
    return { ...annotation, keypoints: numbers };
  },

  placed(annotation, place) {
    const numbers = annotation.keypoints!.slice();
    for (const { index, at } of labelled(annotation)) numbers.splice(3 * index, 2, ...place(at.x, at.y));
    return { ...annotation, keypoints: numbers };
  },

  describe: (annotation) => plural(labelled(annotation).length, "keypoint"),
};

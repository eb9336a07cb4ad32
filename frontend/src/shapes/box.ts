/**
 * A box that stands for itself: of an annotation without segmentation, which covers
 * what is in it, or beside a segmentation, where it is a frame and nothing else.
 */

import { boundsOfBox, contains, lengthBetween, meets, sumOf, type Box } from "../geometry/bounds";
import { combine, type Region } from "../geometry/clipping";
import { imagePoint } from "../geometry/point";
import { rasterisedBox } from "../geometry/raster";
import { ringOfBounds, vertex } from "../geometry/ring";
import type { Annotation } from "../model/records";
import { sliced } from "./slicing";
import { NO_OUTLINE, WITHOUT_EDGES, type Handle, type ShapeKind } from "./shape";

const NAME = "box";

/** Eight handles clockwise from the top left corner, as shares of width and height. */
export const PLACES: readonly (readonly [number, number, string])[] = [
  [0, 0, "nwse-resize"],
  [0.5, 0, "ns-resize"],
  [1, 0, "nesw-resize"],
  [1, 0.5, "ew-resize"],
  [1, 1, "nwse-resize"],
  [0.5, 1, "ns-resize"],
  [0, 1, "nesw-resize"],
  [0, 0.5, "ew-resize"],
];

/** Whether the box is what the annotation covers. */
export const isAlone = ({ segmentation }: Annotation): boolean =>
  segmentation === null || (Array.isArray(segmentation) && segmentation.length === 0);

const boxOf = (annotation: Annotation): Box => annotation.bbox!;

const regionOf = (annotation: Annotation): Region => ({
  rings: [ringOfBounds(boundsOfBox(boxOf(annotation)))],
  holes: [],
});

/** One side of the box moved along one axis; the opposite side stays where it is. */
function resized(from: number, size: number, share: number, to: number): [number, number] {
  if (share === 0.5) return [from, size];
  // A box with a negative size is the mirrored one.
  const [start, length] = size < 0 ? [from + size, -size] : [from, size];
  const fixed = share === 0 ? start + length : start;
  return share === 1 && to >= start ? [start, lengthBetween(start, to)] : [Math.min(fixed, to), lengthBetween(fixed, to)];
}

export const box: ShapeKind = {
  ...WITHOUT_EDGES,
  name: NAME,
  heavy: false,
  present: (annotation) => annotation.bbox !== null,
  bounds: (annotation) => boundsOfBox(boxOf(annotation)),
  area: (annotation) => Math.abs(boxOf(annotation)[2] * boxOf(annotation)[3]),

  hits(annotation, at, tolerance) {
    const bounds = boundsOfBox(boxOf(annotation));
    if (!contains(bounds, at, tolerance)) return false;
    if (isAlone(annotation)) return true;
    // Beside a segmentation only the frame is there.
    const { left, top, right, bottom } = bounds;
    return Math.min(at.x - left, right - at.x, at.y - top, bottom - at.y) <= tolerance;
  },

  touches: (annotation, bounds) => isAlone(annotation) && meets(boundsOfBox(boxOf(annotation)), bounds),

  outline(annotation) {
    const { rings } = regionOf(annotation);
    if (isAlone(annotation)) return { ...NO_OUTLINE, areas: [{ rings, cut: [] }] };
    const corners = Array.from({ length: 4 }, (_, i) => vertex(rings[0]!, i));
    return { ...NO_OUTLINE, lines: corners.map((corner, i) => [corner, corners[(i + 1) % 4]!] as const) };
  },

  pixels: (annotation, size) => (isAlone(annotation) ? rasterisedBox(boxOf(annotation), size) : null),

  handles(annotation): Handle[] {
    const { left, top, right, bottom } = boundsOfBox(boxOf(annotation));
    return PLACES.map(([u, v, cursor], index) => ({
      shape: NAME,
      part: 0,
      index,
      at: imagePoint(left + u * (right - left), top + v * (bottom - top)),
      cursor,
      label: null,
    }));
  },

  drag(annotation, handle, to) {
    const [u, v] = PLACES[handle.index]!;
    const [x, y, width, height] = boxOf(annotation);
    const [newX, newWidth] = resized(x, width, u, to.x);
    const [newY, newHeight] = resized(y, height, v, to.y);
    return { ...annotation, bbox: [newX, newY, newWidth, newHeight] };
  },

  removeHandle: () => null,

  move(annotation, dx, dy) {
    const [x, y, width, height] = boxOf(annotation);
    // One of a negative size is the mirrored one, which the server takes.
    const [left, top] = [Math.min(x, x + width), Math.min(y, y + height)];
    return { ...annotation, bbox: [sumOf(left, dx), sumOf(top, dy), Math.abs(width), Math.abs(height)] };
  },

  placed(annotation, place) {
    const { left, top, right, bottom } = boundsOfBox(boxOf(annotation));
    const [, , width, height] = boxOf(annotation);
    const [x, y] = place(left, top);
    const [farX, farY] = place(right, bottom);
    // A side that stays keeps its number, which the difference of its ends need not be.
    const side = (size: number, stays: boolean, from: number, to: number): number =>
      stays ? Math.abs(size) : Math.round((to - from) * 100) / 100;
    const stays = [x === left && farX === right, y === top && farY === bottom] as const;
    return { ...annotation, bbox: [x, y, side(width, stays[0], x, farX), side(height, stays[1], y, farY)] };
  },

  region: regionOf,

  slice(annotation, line) {
    return sliced(annotation, regionOf(annotation), line);
  },

  /** A box that is no rectangle any more is a polygon. */
  combine(annotation, region, operation) {
    const base = regionOf(annotation);
    const [rectangle] = base.rings;
    const { rings: segmentation, holes } = combine(base, region, operation);
    if (segmentation.length === 0) return null;
    const same = segmentation.length === 1 && segmentation[0] === rectangle && holes.length === 0;
    return same ? annotation : { ...annotation, bbox: null, segmentation, holes };
  },

  describe: (annotation) => (isAlone(annotation) ? "box" : "own box"),
};

/**
 * What each kind of geometry can do.
 *
 * An annotation may have several kinds at once, such as polygons and keypoints.
 * A `ShapeKind` answers for its own fields and leaves the others alone. All
 * functions are pure: an annotation goes in, an answer or a new annotation comes
 * out. A new kind is one file and one line in SHAPES.
 */

import type { Bounds } from "../geometry/bounds";
import type { Operation, Region } from "../geometry/clipping";
import type { ImagePoint } from "../geometry/point";
import type { Ring } from "../geometry/ring";
import type { PixelSize, Runs } from "../geometry/runs";
import type { Annotation } from "../model/records";

/** Area to fill: rings combined by the even-odd rule, minus the cut-out rings. */
export interface FilledArea {
  readonly rings: readonly Ring[];
  readonly cut: readonly Ring[];
}

/** Extent and size. */
export interface Measures {
  readonly bounds: Bounds | null;
  readonly area: number;
}

export interface Dot {
  readonly at: ImagePoint;
  readonly hidden: boolean;
}

/** What there is to draw, as numbers in image pixels. */
export interface Outline {
  readonly areas: readonly FilledArea[];
  readonly lines: readonly (readonly [ImagePoint, ImagePoint])[];
  readonly dots: readonly Dot[];
}

export const NO_OUTLINE: Outline = { areas: [], lines: [], dots: [] };

/** A place that the hand can take hold of. `part` and `index` mean something to the kind only. */
export interface Handle {
  readonly shape: string;
  readonly part: number;
  readonly index: number;
  readonly at: ImagePoint;
  readonly cursor: string;
  readonly label: string | null;
}

/** A place on the outline where a new handle can be made. */
export interface EdgePlace {
  readonly shape: string;
  readonly part: number;
  readonly index: number;
  readonly at: ImagePoint;
  readonly distance: number;
}

/** Where a point goes. */
export type Place = (x: number, y: number) => readonly [number, number];

/** What a category adds to the drawing of its annotations. */
export interface ShapeContext {
  readonly keypoints: readonly string[];
  readonly skeleton: readonly (readonly [number, number])[];
}

export interface ShapeKind {
  readonly name: string;
  present(annotation: Annotation): boolean;
  bounds(annotation: Annotation): Bounds | null;
  /** In square image pixels, for ordering by size. */
  area(annotation: Annotation): number;
  /** `tolerance` in image pixels, for outlines and dots. */
  hits(annotation: Annotation, at: ImagePoint, tolerance: number): boolean;
  /** Whether a part of it lies in the bounds. */
  touches(annotation: Annotation, bounds: Bounds): boolean;
  outline(annotation: Annotation, context: ShapeContext): Outline;
  /** The pixels that it covers on an image of this size; null when it covers none by nature. */
  pixels(annotation: Annotation, size: PixelSize): Runs | null;
  /** Too slow to compute for the main thread: left to the raster worker. */
  readonly heavy: boolean;
  handles(annotation: Annotation, context: ShapeContext): Handle[];
  /** Those within the bounds, at most so many, and how many there are in all. Kinds with few handles have neither. */
  handlesWithin?(annotation: Annotation, bounds: Bounds, most: number): Handle[];
  pointCount?(annotation: Annotation): number;
  /** One of them; null when there is none such. Kinds with few handles have no such function. */
  handle?(annotation: Annotation, part: number, index: number): Handle | null;
  /** The annotation with the handle elsewhere. */
  drag(annotation: Annotation, handle: Handle, to: ImagePoint): Annotation;
  /** Null when this handle cannot be taken away. */
  removeHandle(annotation: Annotation, handle: Handle): Annotation | null;
  /**
   * Several handles moved by the same distance, and several taken away (null when
   * too few would be left). Kinds whose handles are no points of their own have neither.
   */
  dragAll?(annotation: Annotation, handles: readonly Handle[], dx: number, dy: number): Annotation;
  removeAll?(annotation: Annotation, handles: readonly Handle[]): Annotation | null;
  /** The nearest place for a new handle, or null when the kind has none. */
  edge(annotation: Annotation, at: ImagePoint): EdgePlace | null;
  insert(annotation: Annotation, place: EdgePlace): { annotation: Annotation; handle: Handle };
  /** Null when it cannot be moved by this distance without loss. */
  move(annotation: Annotation, dx: number, dy: number): Annotation | null;
  /** How far it can be moved towards a distance without loss. Kinds without such a function go anywhere. */
  reach?(annotation: Annotation, dx: number, dy: number): readonly [number, number];
  /** The annotation with every point elsewhere. Kinds that cannot be resized without loss have no such function. */
  placed?(annotation: Annotation, place: Place): Annotation;
  /**
   * The annotation with the region added to its area or cut out of it: the same
   * object when that changes nothing, null when nothing would be left. Kinds
   * without an area have no such function.
   */
  combine?(annotation: Annotation, region: Region, operation: Operation): Annotation | null;
  /** What it covers, as outlines; for joining. */
  region?(annotation: Annotation): Region;
  /** Cut along a line: what keeps the annotation's name, the larger one, and the other; null when not cut through. */
  slice?(annotation: Annotation, line: readonly ImagePoint[]): readonly [Annotation, Annotation] | null;
  describe(annotation: Annotation): string;
}

/** The answers of a kind whose outline takes no new handles. */
export const WITHOUT_EDGES = {
  edge: () => null,
  insert: () => {
    throw new Error("This shape takes no new points.");
  },
} as const satisfies Partial<ShapeKind>;

export const plural = (count: number, one: string): string =>
  `${count} ${one}${count === 1 ? "" : "s"}`;

/**
 * Masks: `segmentation` is an RLE. Its pixels change by painting (`pixels.ts`);
 * it has no handles, and moves by whole pixels as far as all of it stays in the image.
 */

import { boundsOfBox, type Bounds } from "../geometry/bounds";
import { contours } from "../geometry/contours";
import type { Ring } from "../geometry/ring";
import * as rle from "../geometry/rle";
import { rasterised } from "../geometry/raster";
import {
  pixelCount,
  rleOf,
  runsBounds,
  runsOf,
  sameRuns,
  unite,
  without,
  type PixelSize,
  type Runs,
} from "../geometry/runs";
import type { Annotation, Segmentation } from "../model/records";
import { NO_OUTLINE, WITHOUT_EDGES, type ShapeKind } from "./shape";
import { slicedMask } from "./slicing";

/** What is read from a mask once. */
export interface Reading {
  readonly ends: Float64Array;
  readonly area: number;
  readonly bounds: Bounds | null;
}

const UNREADABLE: Reading = { ends: new Float64Array(), area: 0, bounds: null };

export function isMask(segmentation: Segmentation): segmentation is rle.Rle {
  return segmentation !== null && "counts" in segmentation;
}

const readings = new WeakMap<rle.Rle, Reading>();

/** How many numbers its runs are written with. */
export const countsLength = (mask: rle.Rle): number => read(mask).ends.length;

export const readingOf = (mask: rle.Rle): Reading => read(mask);

/** Somebody else has read it. */
export const rememberReading = (mask: rle.Rle, reading: Reading): void => void readings.set(mask, reading);

/** Parsed once per mask. One that does not fit its size is kept and listed, but has no extent. */
function read(mask: rle.Rle): Reading {
  let reading = readings.get(mask);
  if (!reading) {
    try {
      const counts = rle.countsOf(mask);
      const box = rle.bbox(mask, counts);
      reading = {
        ends: rle.runEnds(mask, counts),
        area: rle.area(mask, counts),
        bounds: box[2] > 0 ? boundsOfBox(box) : null,
      };
    } catch (error) {
      if (!(error instanceof rle.RleError)) throw error;
      reading = UNREADABLE;
    }
    readings.set(mask, reading);
  }
  return reading;
}

/** An outline of so many runs costs more than drawing the pixels that the screen can show. */
const RAGGED_RUNS = 10_000;

export const isRaggedMask = (mask: rle.Rle): boolean => read(mask).ends.length / 2 > RAGGED_RUNS;

/** What is read from a mask of these pixels, which need not be parsed for it. */
export function rememberPixels(mask: rle.Rle, runs: Runs): void {
  const [height, width] = mask.size;
  const isWhole = runs.at(-1) === height * width;
  const ends = new Float64Array(runs.length + (isWhole ? 0 : 1)).fill(height * width);
  ends.set(runs);
  readings.set(mask, { ends, area: pixelCount(runs), bounds: runsBounds(runs, height) });
}

/** Tracing a larger part of an image would be felt when the pointer comes near. */
const MOST_TRACED_PIXELS = 4_000_000;

const traced = new WeakMap<rle.Rle, readonly Ring[]>();

/** The edges of its pixels as rings, once per mask; none where that would take long. */
export function pixelEdges(mask: rle.Rle): readonly Ring[] {
  let rings = traced.get(mask);
  if (!rings) {
    const { bounds } = read(mask);
    const looked = bounds ? (bounds.right - bounds.left) * mask.size[0] : 0;
    rings = bounds && looked <= MOST_TRACED_PIXELS ? contours(mask) : [];
    traced.set(mask, rings);
  }
  return rings;
}

/** Null where the mask does not fit the image, or itself. */
function pixelsOfMask(mask: rle.Rle, size: PixelSize): Runs | null {
  return fitsImage(mask, size) && read(mask) !== UNREADABLE ? runsOf(mask) : null;
}

/** Whether it is no mask of another image's size. */
export const fitsImage = (segmentation: Segmentation, [height, width]: PixelSize): boolean =>
  !isMask(segmentation) || (segmentation.size[0] === height && segmentation.size[1] === width);

const between = (value: number, least: number, most: number): number => Math.min(Math.max(value, least), most);

const maskOf = (annotation: Annotation): rle.Rle => annotation.segmentation as rle.Rle;

export const mask: ShapeKind = {
  ...WITHOUT_EDGES,
  name: "mask",
  heavy: true,
  present: (annotation) => isMask(annotation.segmentation),
  bounds: (annotation) => read(maskOf(annotation)).bounds,
  area: (annotation) => read(maskOf(annotation)).area,

  hits(annotation, at) {
    const { ends } = read(maskOf(annotation));
    return ends.length > 0 && rle.covers(maskOf(annotation), ends, at);
  },

  touches(annotation, bounds) {
    const { ends } = read(maskOf(annotation));
    return ends.length > 0 && rle.meets(maskOf(annotation), ends, bounds);
  },

  outline(annotation) {
    if (read(maskOf(annotation)).bounds === null) return NO_OUTLINE;
    return { ...NO_OUTLINE, areas: [{ rings: contours(maskOf(annotation)), cut: [] }] };
  },

  slice(annotation, line) {
    return read(maskOf(annotation)).bounds ? slicedMask(annotation, maskOf(annotation), line) : null;
  },

  pixels: (annotation, size) => pixelsOfMask(maskOf(annotation), size),

  handles: () => [],
  drag: (annotation) => annotation,
  removeHandle: () => null,

  reach(annotation, dx, dy) {
    const [height, width] = maskOf(annotation).size;
    const { bounds } = read(maskOf(annotation));
    if (!bounds) return [0, 0];
    return [
      between(Math.round(dx), -bounds.left, width - bounds.right),
      between(Math.round(dy), -bounds.top, height - bounds.bottom),
    ];
  },

  move(annotation, dx, dy) {
    const { counts, size } = maskOf(annotation);
    if (!read(maskOf(annotation)).bounds) return null;
    const [x, y] = mask.reach!(annotation, dx, dy);
    if (x !== dx || y !== dy) return null;
    if (x === 0 && y === 0) return annotation;
    // Where every pixel stays in the image, all runs move by the same number of places.
    const by = x * size[0] + y;
    const moved = runsOf(maskOf(annotation)).map((place) => place + by);
    return { ...annotation, segmentation: rleOf(moved, size, typeof counts === "string") };
  },

  combine(annotation, { rings, holes }, operation) {
    const mask = maskOf(annotation);
    const before = pixelsOfMask(mask, mask.size);
    if (!before) return annotation;
    const region = rasterised(rings, holes, mask.size);
    const after = operation === "add" ? unite(before, region) : without(before, region);
    if (after.length === 0) return null;
    if (sameRuns(before, after)) return annotation;
    return { ...annotation, bbox: null, segmentation: rleOf(after, mask.size, typeof mask.counts === "string") };
  },

  describe(annotation) {
    const { counts, size } = maskOf(annotation);
    const kind = typeof counts === "string" ? "RLE mask" : "uncompressed RLE mask";
    return read(maskOf(annotation)) === UNREADABLE
      ? `${kind} that does not fit ${size[1]} × ${size[0]}`
      : kind;
  },
};

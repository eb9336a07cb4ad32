/**
 * Masks: `segmentation` is an RLE. Its pixels change by painting (`pixels.ts`);
 * it has no handles, and moves by whole pixels as far as all of it stays in the image.
 */

import { boundsOfBox } from "../geometry/bounds";
import { contours } from "../geometry/contours";
import type { Ring } from "../geometry/ring";
import * as rle from "../geometry/rle";
import { rasterised } from "../geometry/raster";
import {
  covers,
  meets,
  pixelCount,
  rleOf,
  NO_PIXELS,
  runsBounds,
  runsOf,
  sameRuns,
  unite,
  without,
  type PixelSize,
  type Runs,
} from "../geometry/runs";
import type { Annotation, Segmentation } from "../model/records";
import { NO_OUTLINE, WITHOUT_EDGES, type Measures, type ShapeKind } from "./shape";
import { slicedMask } from "./slicing";

/** What is read from every mask when its image opens; its pixels are not kept for it. */
export interface Reading extends Measures {
  /** How many numbers its runs are written with. */
  readonly counts: number;
}

const UNREADABLE: Reading = { counts: 0, area: 0, bounds: null };

export function isMask(segmentation: Segmentation): segmentation is rle.Rle {
  return segmentation !== null && "counts" in segmentation;
}

const readings = new WeakMap<rle.Rle, Reading>();
const unfolded = new WeakMap<rle.Rle, Runs>();

export const readingOf = (mask: rle.Rle): Reading => read(mask);

/** Somebody else has read it. */
export function rememberReading(mask: rle.Rle, reading: Reading, runs: Runs): void {
  readings.set(mask, reading);
  unfolded.set(mask, runs);
}

/** Once somebody asks for them, such as the pointer that is above it. None where the mask does not fit its size. */
export function runsIn(mask: rle.Rle): Runs {
  let runs = unfolded.get(mask);
  if (!runs) {
    runs = read(mask) === UNREADABLE ? NO_PIXELS : runsOf(mask);
    unfolded.set(mask, runs);
  }
  return runs;
}

/** Reads the pixels and what else is read from them at once, for whoever needs them anyway. */
export function unfold(mask: rle.Rle): void {
  if (unfolded.has(mask) || readings.has(mask)) return;
  try {
    rememberPixels(mask, runsOf(mask));
  } catch (error) {
    if (!(error instanceof rle.RleError)) throw error;
    readings.set(mask, UNREADABLE);
  }
}

/** Parsed once per mask. One that does not fit its size is kept and listed, but has no extent. */
function read(mask: rle.Rle): Reading {
  let reading = readings.get(mask);
  if (!reading) {
    try {
      const counts = rle.countsOf(mask);
      const box = rle.bbox(mask, counts);
      reading = {
        counts: counts.length,
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

export const isRaggedMask = (mask: rle.Rle): boolean => read(mask).counts / 2 > RAGGED_RUNS;

/** What is read from a mask of these pixels, which need not be parsed for it. */
export function rememberPixels(mask: rle.Rle, runs: Runs): void {
  const [height, width] = mask.size;
  const counts = runs.length + (runs.at(-1) === height * width ? 0 : 1);
  rememberReading(mask, { counts, area: pixelCount(runs), bounds: runsBounds(runs, height) }, runs);
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
  return fitsImage(mask, size) && read(mask) !== UNREADABLE ? runsIn(mask) : null;
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

  hits: (annotation, at) => covers(runsIn(maskOf(annotation)), maskOf(annotation).size, at),
  touches: (annotation, bounds) => meets(runsIn(maskOf(annotation)), maskOf(annotation).size, bounds),

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
    const moved = runsIn(maskOf(annotation)).map((place) => place + by);
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

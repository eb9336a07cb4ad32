/**
 * Annotations as sets of pixels: what they cover, and what they become when
 * their pixels change. Whatever nobody touched stays the same object.
 */

import { ringsApart } from "../geometry/apart";
import { rasterised } from "../geometry/raster";
import type { Rle } from "../geometry/rle";
import { rleOf, sameRuns, splicedCounts, type PixelSize, type Runs } from "../geometry/runs";
import type { Annotation } from "../model/records";
import * as mask from "./mask";
import { isMask, rememberPixels, type Reading } from "./mask";
import { shapesOf } from ".";

const covered = new WeakMap<Annotation, { size: PixelSize; runs: Runs | null }>();

/** What the annotation covers; null for what has no area, or a mask that does not fit the image. */
export function pixelsOf(annotation: Annotation, size: PixelSize): Runs | null {
  const known = covered.get(annotation);
  if (known && known.size[0] === size[0] && known.size[1] === size[1]) return known.runs;
  const runs = shapesOf(annotation).reduce<Runs | null>(
    (found, kind) => found ?? kind.pixels(annotation, size),
    null,
  );
  covered.set(annotation, { size, runs });
  return runs;
}

/** What is known of a mask beside its counts, so that whoever has it need not read them. */
export interface MaskReading extends Reading {
  readonly runs: Uint32Array<ArrayBuffer>;
}

/** A copy, so that it can be handed over; null for what is no mask. */
export function readingOf(annotation: Annotation, size: PixelSize): MaskReading | null {
  const { segmentation } = annotation;
  const runs = isMask(segmentation) ? pixelsOf(annotation, size) : null;
  if (!isMask(segmentation) || !runs) return null;
  return { ...mask.readingOf(segmentation), runs: runs.slice() };
}

export function rememberReading(annotation: Annotation, { runs, ...reading }: MaskReading, size: PixelSize): void {
  const { segmentation } = annotation;
  if (!isMask(segmentation)) return;
  mask.rememberReading(segmentation, reading, runs);
  covered.set(annotation, { size, runs });
}

/** About how many steps a conversion takes: edges between columns that an outline crosses, or runs of a mask. */
export function conversionWork(annotation: Annotation): number {
  const { segmentation, holes } = annotation;
  if (isMask(segmentation)) return mask.readingOf(segmentation).counts;
  let work = 0;
  for (const ring of [...(segmentation ?? []), ...holes]) {
    for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) work += 1 + Math.abs(ring[i]! - ring[j]!);
  }
  return work;
}

/** Whether a segmentation says what the annotation covers, and not only a box. */
export const isSegmented = ({ segmentation }: Annotation): boolean =>
  isMask(segmentation) || (segmentation !== null && segmentation.length > 0);

export const isMaskAnnotation = ({ segmentation }: Annotation): boolean => isMask(segmentation);

/**
 * The annotation as a mask of these pixels. A mask keeps its form, compressed or
 * not; whatever is not about pixels, such as iscrowd, stays.
 */
export function withPixels(annotation: Annotation, runs: Runs, size: PixelSize): Annotation {
  const { segmentation } = annotation;
  const compressed = !isMask(segmentation) || typeof segmentation.counts === "string";
  const made = spliced(annotation, runs, size) ?? rleOf(runs, size, compressed);
  rememberPixels(made, runs);
  const painted = { ...annotation, segmentation: made, holes: [], bbox: null };
  covered.set(painted, { size, runs });
  return painted;
}

/** Where the annotation is a mask whose text is known only what changes of it is written; else null. */
function spliced(annotation: Annotation, runs: Runs, size: PixelSize): Rle | null {
  const { segmentation } = annotation;
  if (!isMask(segmentation) || typeof segmentation.counts !== "string") return null;
  const before = pixelsOf(annotation, size);
  return before && { size, counts: splicedCounts(segmentation.counts, before, runs, size) };
}

/** A mask of the very pixels that the annotation covers; null where it covers none. */
export function toMask(annotation: Annotation, size: PixelSize): Annotation | null {
  const runs = pixelsOf(annotation, size);
  return runs && runs.length > 0 && !isMaskAnnotation(annotation) ? withPixels(annotation, runs, size) : null;
}

/**
 * Polygons and holes along the edges of the mask's pixels, which are the same
 * pixels when they are drawn again; null where the mask is empty or cannot be read.
 */
export function toPolygons(annotation: Annotation, size: PixelSize): Annotation | null {
  const { segmentation } = annotation;
  const runs = pixelsOf(annotation, size);
  if (!runs || runs.length === 0 || !isMask(segmentation)) return null;
  const { rings, holes } = ringsApart(segmentation);
  if (!sameRuns(rasterised(rings, holes, size), runs)) return null;
  return { ...annotation, segmentation: rings, holes, bbox: null };
}

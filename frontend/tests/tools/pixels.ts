/** Masks as a story of pixels knows them: rectangles, and what an annotation covers. */

import { rasterisedBox } from "../../src/geometry/raster";
import { pixelCount, rleOf, type PixelSize, type Runs } from "../../src/geometry/runs";
import type { Rle } from "../../src/geometry/rle";
import type { Annotation } from "../../src/model/records";
import { pixelsOf } from "../../src/shapes/pixels";

/** The image of every story. */
export const SIZE: PixelSize = [100, 200];

export const rectangle = (x: number, y: number, width: number, height: number): Runs =>
  rasterisedBox([x, y, width, height], SIZE);

export const mask = (runs: Runs, compressed = true): Rle => rleOf(runs, SIZE, compressed);

export const covered = (annotation: Annotation | undefined): Runs => pixelsOf(annotation!, SIZE)!;

export const areaOf = (annotation: Annotation | undefined): number => pixelCount(covered(annotation));

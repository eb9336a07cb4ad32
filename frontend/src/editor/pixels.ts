/**
 * Pixels of a mask while a hand works on them: what was there, and what is being
 * added or taken away. Nothing here is an annotation yet.
 */

import type { Bounds } from "../geometry/bounds";
import { eachInColumn, NO_PIXELS, type PixelSize, type Runs } from "../geometry/runs";
import type { Annotation, AnnotationKey } from "../model/records";

type Found = (top: number, bottom: number) => void;

/** Something that knows its pixels column by column, such as a `Bitmap`. */
export interface PixelColumns {
  /** Calls `found` for each stretch of set pixels, from `top` to before `bottom`, of one column. */
  eachInColumn(column: number, found: Found): void;
}

export interface PixelsInHand {
  /** The mask that is worked on; null for one that is not there yet. */
  readonly key: AnnotationKey | null;
  readonly categoryId: number | null;
  readonly size: PixelSize;
  readonly before: Runs;
  readonly drawn: PixelColumns;
  readonly subtract: boolean;
  /** What has changed so far, in pixels of the image; it only grows. */
  readonly changes: readonly Bounds[];
  /** What the gesture made, once it is over. */
  readonly finished: Annotation | null;
}

/** An annotation as nothing but its pixels. */
export function finishedPixels(key: AnnotationKey, finished: Annotation, before: Runs, size: PixelSize): PixelsInHand {
  const drawn = columnsOf(NO_PIXELS, size);
  return { key, categoryId: finished.category_id, size, before, drawn, subtract: false, changes: [], finished };
}

export function columnsOf(runs: Runs, [height]: PixelSize): PixelColumns {
  return { eachInColumn: (column, found) => eachInColumn(runs, height, column, found) };
}

/** Calls `paint` for each stretch of a column, in the order in which they cover each other. */
export function paintColumn(
  { before, drawn, subtract, size }: PixelsInHand,
  column: number,
  paint: (top: number, bottom: number, value: 0 | 1) => void,
): void {
  eachInColumn(before, size[0], column, (top, bottom) => paint(top, bottom, 1));
  drawn.eachInColumn(column, (top, bottom) => paint(top, bottom, subtract ? 0 : 1));
}

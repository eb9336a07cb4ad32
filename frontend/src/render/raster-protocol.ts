/** What the main thread and the raster worker say to each other. */

import type { Look } from "../editor/look";
import type { Packed } from "../model/packed";
import type { AnnotationKey } from "../model/records";
import type { Outline, ShapeContext } from "../shapes/shape";
import type { Frame } from "./layer";

export interface ShapeUpdate {
  readonly key: AnnotationKey;
  readonly color: string;
  readonly context: ShapeContext;
}

export interface RasterRequest {
  readonly updates: readonly ShapeUpdate[];
  /** The annotations of the updates, in their order; null for what is gone. */
  readonly packed: Packed;
  readonly frame: Frame;
  /** CSS pixels drawn beyond each edge of the stage, so that panning shows no gap at once. */
  readonly margin: number;
  /** Drawn elsewhere or hidden. */
  readonly without: ReadonlySet<AnnotationKey>;
  readonly look: Look;
  /** Whether a bitmap is asked for; otherwise only outlines are. */
  readonly draws: boolean;
  /** In hand, with outlines that only the worker computes. */
  readonly wanted: readonly AnnotationKey[];
}

export interface RasterAnswer {
  readonly bitmap: ImageBitmap | null;
  /**
   * Outlines that only the worker computes: those that were wanted, and what was traced to be drawn.
   * Null stands for one that is so ragged that the pixels are drawn faster.
   */
  readonly outlines: readonly (readonly [AnnotationKey, Outline | null])[];
}

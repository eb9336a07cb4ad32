/**
 * The editor's view of the tools.
 *
 * Tools import the editor, not the other way round, so the editor knows them
 * only by these interfaces. `path` names the active tool and what the hand is
 * doing, such as `polygon.drawing`.
 */

import type { Bounds } from "../geometry/bounds";
import type { ImagePoint } from "../geometry/point";
import type { Intent, PointerInput } from "./input";
import type { ToolOption } from "./options";
import type { Superpixels } from "../geometry/superpixels";
import type { PixelsInHand } from "./pixels";

/** One gesture of the hint line: the key or gesture, and what it does. */
export interface Hint {
  readonly gesture: string;
  readonly does: string;
}

/** What is under the brush, in image pixels. */
export interface Tip {
  readonly at: ImagePoint;
  readonly radius: number;
  readonly square: boolean;
}

/** What a tool wants to have drawn above everything else. */
export interface Preview {
  readonly line: readonly ImagePoint[];
  readonly closed: boolean;
  /** The line is the border of an area. */
  readonly filled: boolean;
  /** The area is cut away, and looks like it. */
  readonly subtracts: boolean;
  /** A stretch of an outline that would go. */
  readonly gone: readonly ImagePoint[];
  readonly dots: readonly ImagePoint[];
  /** A new point that the next press would make. */
  readonly ghost: ImagePoint | null;
  /** The pointer is on another outline: on a point of it, or on an edge. */
  readonly mark: { readonly at: ImagePoint; readonly kind: "point" | "edge" } | null;
  readonly tip: Tip | null;
  readonly pixels: PixelsInHand | null;
  /** Whose borders are shown. */
  readonly superpixels: Superpixels | null;
  /** What a drag on empty space would select. */
  readonly marquee: Marquee | null;
  /** Limbs of a skeleton that are not there yet. */
  readonly limbs: readonly (readonly [ImagePoint, ImagePoint])[];
  /** What the next press would place, written at the pointer. */
  readonly label: { readonly at: ImagePoint; readonly text: string } | null;
  /** The keypoint that the next press would place. */
  readonly keypoint: number | null;
}

/** The rectangle of a drag that selects: what lies in it, or all that it touches. */
export interface Marquee {
  readonly bounds: Bounds;
  readonly touching: boolean;
}

export const NO_PREVIEW: Preview = {
  line: [],
  closed: false,
  filled: true,
  subtracts: false,
  gone: [],
  dots: [],
  ghost: null,
  mark: null,
  tip: null,
  pixels: null,
  superpixels: null,
  marquee: null,
  limbs: [],
  label: null,
  keypoint: null,
};

export interface ToolInfo {
  readonly id: string;
  readonly label: string;
  /** A Lucide icon's name. */
  readonly icon: string;
  readonly key: string;
  readonly help: string;
  /** Draws or changes something, so that it is not for viewers. */
  readonly edits: boolean;
  /** The handles of the selected object that it takes hold of, if any: those are drawn. */
  readonly handles?: "all" | "keypoints";
  /** What the tool can be set to, in the order in which the strip shows it. */
  readonly options?: readonly ToolOption[];
}

export interface Hand {
  readonly path: string;
  readonly toolId: string;
  readonly tools: readonly ToolInfo[];
  /** Of the selected object, those that the tool in hand takes hold of. */
  readonly handles: "all" | "keypoints" | null;
  readonly cursor: string;
  readonly hints: readonly Hint[];
  /** The options of the tool in hand. */
  readonly options: readonly ToolOption[];
  readonly preview: Preview;
  /** A gesture is under way; nothing is saved before it ends. */
  readonly busy: boolean;
  /** The hand is done, and the gesture ends by itself as soon as something has been computed. */
  readonly computing: boolean;
  choose(toolId: string): void;
  pointer(input: PointerInput): void;
  /** False when the gesture in hand has no use for it. */
  intend(intent: Intent): boolean;
  /** Whether following a border can begin or go the other way round. */
  readonly traces: boolean;
  trace(): void;
  holdSpace(held: boolean): void;
  /** Does nothing else until the function that it gives is called; `dropped` is, where the person cancels it. */
  wait(forWhat: string, dropped: () => void): () => void;
}

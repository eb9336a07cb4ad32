/**
 * What reaches the tools from the hand, free of any DOM event.
 *
 * The stage turns pointer events into these; tests write them down as a story.
 */

import type { ImagePoint, ScreenPoint } from "../geometry/point";

export interface PointerInput {
  readonly type: "down" | "move" | "up" | "abort";
  readonly pointerId: number;
  readonly device: "mouse" | "touch" | "pen";
  /** 0 main, 1 middle, 2 right; meaningful for `down` and `up`. */
  readonly button: number;
  readonly screen: ScreenPoint;
  readonly image: ImagePoint;
  readonly shift: boolean;
  /** Ctrl, or Cmd on a Mac. */
  readonly primary: boolean;
  readonly alt: boolean;
  /** By the rubber end of a pen. */
  readonly rubber: boolean;
  /** A finger that has stayed where it came down. */
  readonly long?: true;
  /** Milliseconds, from any fixed start. */
  readonly time: number;
}

/** What keys and buttons ask of the gesture in hand. */
export type Intent = "complete" | "cancel" | "step-back" | KeypointIntent;

/** What only the keypoints tool understands, and is only sent to it. */
export type KeypointIntent = "skip" | "hide";

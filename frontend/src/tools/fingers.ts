/**
 * What fingers mean: one draws, two pan and zoom. On a device with a pen the
 * pen draws and a finger pans, and what touches the screen beside the pen is the
 * hand that holds it.
 *
 * A finger that stays where it came down means a long press, where the tool in hand
 * has a use for one.
 *
 * The press of a finger is held back until the finger moves or is lifted, so that
 * the first finger of a pinch has begun nothing yet when the second one comes.
 */

import type { Editor } from "../editor/editor";
import type { PointerInput } from "../editor/input";
import type { Toggle } from "../editor/options";
import * as cameras from "../geometry/camera";
import { distance, screenPoint, type ScreenPoint } from "../geometry/point";
import { isDrag } from "./pointing";

export const PEN_ONLY: Toggle = {
  kind: "toggle",
  id: "pen-only",
  label: "Only the pen draws",
  help: "Fingers pan and zoom the image. It is on from the first time that a pen is seen.",
  initial: false,
};

/** A touch that begins this soon after the pen was near is the hand that holds it. */
const PALM_MS = 500;

/** A finger that stays this long where it came down is a long press. */
const LONG_PRESS_MS = 450;

/** What one finger does once it is clear; two and more pan and zoom. */
type Doing = "nothing" | "drawing" | "panning" | "pinching";

export interface FingersOptions {
  readonly editor: Editor;
  /** Hands an input of a drawing finger on. */
  readonly pass: (input: PointerInput) => void;
  /** The press that was handed on turned out to be none. */
  readonly interrupt: () => void;
  /** Whether a tap of a finger means something where only the pen draws, and so does a long press. */
  readonly picks: () => boolean;
}

export class Fingers {
  readonly #options: FingersOptions;
  readonly #down = new Map<number, ScreenPoint>();
  readonly #palms = new Set<number>();
  /** The first finger's press, until it is clear what it begins. */
  #held: PointerInput | null = null;
  #doing: Doing = "nothing";
  #penDown = false;
  #penAt = -Infinity;

  constructor(options: FingersOptions) {
    this.#options = options;
  }

  /** Sees every input. True when that was a finger, and nobody else has to do anything. */
  take(input: PointerInput): boolean {
    if (input.device === "pen") this.#seePen(input);
    if (input.device !== "touch") return false;
    if (input.type === "down") this.#press(input);
    else if (this.#palms.has(input.pointerId)) this.#liftPalm(input);
    else if (this.#down.has(input.pointerId)) {
      if (input.type === "move") this.#move(input);
      else this.#lift(input);
    }
    return true;
  }

  /** Whether this is a touch that is not meant. */
  isPalm({ device, pointerId }: PointerInput): boolean {
    return device === "touch" && this.#palms.has(pointerId);
  }

  #seePen({ type, time }: PointerInput): void {
    const { editor } = this.#options;
    this.#penAt = time;
    if (type !== "move") this.#penDown = type === "down";
    if (editor.options.chosen[PEN_ONLY.id] === undefined) {
      editor.options.set(PEN_ONLY, true);
      editor.say("The pen draws and fingers move the image. The command “Only the pen draws” changes that.");
    }
    if (type === "down") this.#dropAll();
  }

  /** The hand lies down before the tip of the pen does. */
  #dropAll(): void {
    if (this.#doing === "drawing") this.#options.interrupt();
    for (const id of this.#down.keys()) this.#palms.add(id);
    this.#down.clear();
    this.#rest();
  }

  #rest(): void {
    this.#held = null;
    this.#doing = "nothing";
  }

  #press(input: PointerInput): void {
    if (this.#penDown || input.time - this.#penAt < PALM_MS) return void this.#palms.add(input.pointerId);
    this.#down.set(input.pointerId, input.screen);
    if (this.#down.size === 1) this.#hold(input);
    else {
      if (this.#doing === "drawing") this.#options.interrupt();
      this.#held = null;
      this.#doing = "pinching";
    }
  }

  #hold(press: PointerInput): void {
    this.#held = press;
    if (!this.#options.picks()) return;
    setTimeout(() => {
      if (this.#held !== press) return;
      this.#held = null;
      this.#doing = "drawing";
      this.#options.pass({ ...press, long: true });
      this.#options.editor.signal.emit("tool");
    }, LONG_PRESS_MS);
  }

  #liftPalm({ type, pointerId }: PointerInput): void {
    if (type !== "move") this.#palms.delete(pointerId);
  }

  #move(input: PointerInput): void {
    const before = this.#twoFingers();
    const last = this.#down.get(input.pointerId)!;
    if (this.#held && !isDrag(this.#held.screen, input)) return;
    this.#down.set(input.pointerId, input.screen);
    if (this.#held) this.#begin(this.#held);
    if (this.#doing === "drawing") this.#options.pass(input);
    else if (this.#doing === "panning") this.#pan(last, input.screen);
    else if (before) this.#spread(before, this.#twoFingers()!);
  }

  /** The finger drags. */
  #begin(press: PointerInput): void {
    this.#held = null;
    this.#doing = this.#options.editor.options.get(PEN_ONLY) ? "panning" : "drawing";
    if (this.#doing === "drawing") this.#options.pass(press);
  }

  #lift(input: PointerInput): void {
    const held = this.#held;
    const { pass, picks, editor } = this.#options;
    this.#down.delete(input.pointerId);
    if (held && input.type === "up" && (picks() || !editor.options.get(PEN_ONLY))) {
      pass(held);
      pass(input);
    } else if (this.#doing === "drawing") pass(input);
    // The finger that stays longest after a pinch must not draw.
    if (this.#down.size === 0) this.#rest();
  }

  #pan(from: ScreenPoint, to: ScreenPoint): void {
    const { editor } = this.#options;
    editor.moveCamera(cameras.pan(editor.camera, to.x - from.x, to.y - from.y));
  }

  #twoFingers(): readonly [ScreenPoint, ScreenPoint] | null {
    const [a, b] = this.#down.values();
    return a && b ? [a, b] : null;
  }

  #spread(before: readonly [ScreenPoint, ScreenPoint], after: readonly [ScreenPoint, ScreenPoint]): void {
    const { editor } = this.#options;
    this.#pan(middle(before), middle(after));
    const factor = distance(...after) / Math.max(distance(...before), 1);
    editor.moveCamera(cameras.zoomAt(editor.camera, middle(after), factor));
  }
}

function middle([a, b]: readonly [ScreenPoint, ScreenPoint]): ScreenPoint {
  return screenPoint((a.x + b.x) / 2, (a.y + b.y) / 2);
}

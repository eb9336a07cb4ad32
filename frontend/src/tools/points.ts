/**
 * Points of the one selected annotation, as the select tool works on them: drag
 * one or all selected ones, select some by Alt and a drag, erase those that Shift
 * and a drag pass over.
 */

import { NO_PREVIEW, type Hint, type Marquee, type Preview } from "../editor/hand";
import type { Intent, PointerInput } from "../editor/input";
import { LAST_POINTS, pointName, pointsWithin, selectedPoints, selectPoints } from "../editor/points";
import { boundsOfBox, boundsOfNumbers, boxBetween } from "../geometry/bounds";
import { distance, imagePoint, nearestOnSegment, type ImagePoint } from "../geometry/point";
import type { Annotation, AnnotationKey } from "../model/records";
import * as shapes from "../shapes";
import type { Handle } from "../shapes/shape";
import { Changing } from "./changing";
import { drawn, isDrag, pickRadius, shift } from "./pointing";
import type { SelectTool } from "./select";
import { State } from "./tool";

/** The annotation in hand, as it was when the hand took hold of it. */
export interface Grip {
  readonly key: AnnotationKey;
  readonly annotation: Annotation;
}

/** The button is down on a point: it is dragged, and all selected ones with it when it is one of them. */
export class DraggingPoint extends Changing {
  override readonly name = "dragging_point";
  readonly #grip: Grip;
  readonly #handle: Handle;
  readonly #together: readonly Handle[];
  readonly #press: PointerInput;
  #dragged = false;

  constructor(tool: SelectTool, grip: Grip, handle: Handle, press: PointerInput) {
    super(tool);
    this.#grip = grip;
    this.#handle = handle;
    this.#press = press;
    const selected = selectedPoints(tool.editor);
    const name = pointName(handle);
    this.#together = selected.some((point) => pointName(point) === name) ? selected : [];
  }

  override get cursor(): string {
    return this.#handle.cursor;
  }

  override move(input: PointerInput): void {
    this.#dragged ||= isDrag(this.#press.screen, input);
    if (!this.#dragged) return;
    const { key } = this.#grip;
    this.editor.change(new Map([[key, this.#together.length > 1 ? this.#allMoved(input) : this.#moved(input)]]));
  }

  override up(input: PointerInput): void {
    super.up(input);
    if (!this.#dragged) selectPoints(this.editor, [this.#handle]);
  }

  /** The point keeps its distance to the pointer, so that taking hold moves nothing. */
  #moved({ image }: PointerInput): Annotation {
    const { at } = this.#handle;
    const from = this.#press.image;
    const to = drawn(this.editor, imagePoint(at.x + image.x - from.x, at.y + image.y - from.y));
    return shapes.drag(this.#grip.annotation, this.#handle, to);
  }

  /** All by the same distance, as far as the first of them that would leave the image. */
  #allMoved({ image }: PointerInput): Annotation {
    const { left, top, right, bottom } = boundsOfNumbers(this.#together.flatMap(({ at }) => [at.x, at.y]))!;
    const { width, height } = this.editor.image;
    const within = (by: number, least: number, most: number): number =>
      Math.min(Math.max(by, Math.min(-least, 0)), Math.max(most, 0));
    const { dx, dy } = shift(this.#press.image, image);
    const [x, y] = [within(dx, left, width - right), within(dy, top, height - bottom)];
    return shapes.dragAll(this.#grip.annotation, this.#together, x, y);
  }
}

/** Alt is held: a click adds one point to the selected ones or takes it away, a drag selects many. */
export class SelectingPoints extends State<SelectTool> {
  override readonly name = "selecting_points";
  override readonly busy = true;
  readonly #press: PointerInput;
  readonly #handle: Handle | null;
  #to: ImagePoint;
  #dragged = false;

  constructor(tool: SelectTool, press: PointerInput, handle: Handle | null) {
    super(tool);
    this.#press = press;
    this.#handle = handle;
    this.#to = press.image;
  }

  override get cursor(): string {
    return "crosshair";
  }

  override get hints(): readonly Hint[] {
    return [
      { gesture: "Release", does: "select points" },
      { gesture: "Shift", does: "add them" },
      { gesture: "Esc", does: "drop" },
    ];
  }

  get #marquee(): Marquee {
    return { bounds: boundsOfBox(boxBetween(this.#press.image, this.#to)), touching: false };
  }

  override get preview(): Preview {
    return this.#dragged ? { ...NO_PREVIEW, marquee: this.#marquee } : NO_PREVIEW;
  }

  override move(input: PointerInput): void {
    this.#to = input.image;
    this.#dragged ||= isDrag(this.#press.screen, input);
  }

  override up(input: PointerInput): void {
    this.move(input);
    this.tool.idle();
    const before = selectedPoints(this.editor);
    if (this.#dragged) {
      const found = pointsWithin(this.editor, this.#marquee.bounds);
      selectPoints(this.editor, input.shift ? [...before, ...found] : found);
    } else if (this.#handle) {
      const name = pointName(this.#handle);
      const others = before.filter((point) => pointName(point) !== name);
      selectPoints(this.editor, others.length < before.length ? others : [...before, this.#handle]);
    } else selectPoints(this.editor, []);
  }

  override intend(intent: Intent): boolean {
    if (intent === "cancel") this.tool.idle();
    return intent === "cancel";
  }
}

/** Shift is held on a point: it is taken away, and with it all that the drag passes over. */
export class Erasing extends Changing {
  override readonly name = "erasing";
  readonly #key: AnnotationKey;
  #last: ImagePoint;

  constructor(tool: SelectTool, key: AnnotationKey, press: PointerInput) {
    super(tool);
    this.#key = key;
    this.#last = press.image;
  }

  override get cursor(): string {
    return "crosshair";
  }

  override move(input: PointerInput): void {
    const annotation = this.editor.document.get(this.#key);
    if (!annotation) return;
    const from = this.#last;
    this.#last = input.image;
    const radius = this.editor.imageLength(pickRadius(input));
    const passed = shapes
      .points(annotation, this.editor.context(annotation))
      .filter(({ at }) => distance(at, nearestOnSegment(at, from, input.image)) <= radius);
    if (passed.length > 0) this.erase(annotation, passed);
  }

  erase(annotation: Annotation, points: readonly Handle[]): void {
    const without = shapes.removeHandles(annotation, points);
    if (without) this.editor.change(new Map([[this.#key, without]]));
    else this.editor.say(LAST_POINTS);
  }
}

/**
 * Points of the one selected annotation, as the select tool works on them: drag
 * one or all selected ones, select some by Alt and a drag, erase those that Shift
 * and a drag pass over.
 */

import type { Editor } from "../editor/editor";
import { NO_PREVIEW, type Hint, type Marquee, type Preview } from "../editor/hand";
import type { Intent, PointerInput } from "../editor/input";
import { LAST_POINTS, pointName, pointsWithin, selectedPoints, selectPoints } from "../editor/points";
import { boundsOfBox, boundsOfNumbers, boxBetween, grown, meets } from "../geometry/bounds";
import { distance, imagePoint, nearestOnSegment, type ImagePoint } from "../geometry/point";
import type { Change } from "../model/document";
import type { Annotation, AnnotationKey } from "../model/records";
import * as shapes from "../shapes";
import type { Handle } from "../shapes/shape";
import { Changing } from "./changing";
import { isDrag, pickRadius, shift } from "./pointing";
import type { SelectTool } from "./select";
import { placed, SHARED } from "./snapping";
import { State } from "./tool";

/** The annotation in hand, as it was when the hand took hold of it. */
export interface Grip {
  readonly key: AnnotationKey;
  readonly annotation: Annotation;
}

interface Sharing extends Grip {
  readonly points: readonly Handle[];
}

/** The annotations that have points where one of these is, with those points. */
function sharing(editor: Editor, own: AnnotationKey, points: readonly Handle[]): Sharing[] {
  const places = new Set(points.map(({ at }) => `${at.x},${at.y}`));
  const extent = boundsOfNumbers(points.flatMap(({ at }) => [at.x, at.y]))!;
  return [...editor.document.entries()].flatMap(([key, annotation]) => {
    const { bounds } = shapes.measures(annotation);
    if (key === own || !bounds || !meets(bounds, extent)) return [];
    if (!editor.visible(key) || editor.view.locked.has(key)) return [];
    const near = shapes.pointsWithin(annotation, extent, editor.context(annotation));
    const there = near.filter(({ at }) => places.has(`${at.x},${at.y}`));
    return there.length > 0 ? [{ key, annotation, points: there }] : [];
  });
}

/** The button is down on a point: it is dragged, and all selected ones with it when it is one of them. */
export class DraggingPoint extends Changing {
  override readonly name = "dragging_point";
  readonly #grip: Grip;
  readonly #handle: Handle;
  readonly #together: readonly Handle[];
  /** Points of other annotations at the very same places, which move along. */
  readonly #shared: readonly Sharing[];
  #mark: Preview["mark"] = null;
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
    const moved = this.#together.length > 1 ? this.#together : [handle];
    this.#shared = tool.editor.options.get(SHARED) ? sharing(tool.editor, grip.key, moved) : [];
  }

  override get cursor(): string {
    return this.#handle.cursor;
  }

  override move(input: PointerInput): void {
    this.#dragged ||= isDrag(this.#press.screen, input);
    if (!this.#dragged) return;
    this.editor.change(this.#together.length > 1 ? this.#allMoved(input) : this.#moved(input));
  }

  override get preview(): Preview {
    return { ...NO_PREVIEW, mark: this.#mark };
  }

  override up(input: PointerInput): void {
    super.up(input);
    if (!this.#dragged) selectPoints(this.editor, [this.#handle]);
  }

  /** The point keeps its distance to the pointer, so that taking hold moves nothing. */
  #moved(input: PointerInput): Change {
    const { at: start } = this.#handle;
    const { x, y } = this.#press.image;
    const meant = imagePoint(start.x + input.image.x - x, start.y + input.image.y - y);
    const moving = new Set([this.#grip.key, ...this.#shared.map(({ key }) => key)]);
    const { at, snapped } = placed(this.editor, meant, input, moving);
    this.#mark = snapped && { at, kind: snapped };
    const own = shapes.drag(this.#grip.annotation, this.#handle, at);
    return this.#withShared(own, (annotation, points) =>
      points.reduce((moved, point) => shapes.drag(moved, point, at), annotation),
    );
  }

  #withShared(own: Annotation, move: (annotation: Annotation, points: readonly Handle[]) => Annotation): Change {
    const others = this.#shared.map(({ key, annotation, points }) => [key, move(annotation, points)] as const);
    return new Map([[this.#grip.key, own], ...others]);
  }

  /** All by the same distance, as far as the first of them that would leave the image. */
  #allMoved({ image }: PointerInput): Change {
    const { left, top, right, bottom } = boundsOfNumbers(this.#together.flatMap(({ at }) => [at.x, at.y]))!;
    const { width, height } = this.editor.image;
    const within = (by: number, least: number, most: number): number =>
      Math.min(Math.max(by, Math.min(-least, 0)), Math.max(most, 0));
    const { dx, dy } = shift(this.#press.image, image);
    const [x, y] = [within(dx, left, width - right), within(dy, top, height - bottom)];
    const own = shapes.dragAll(this.#grip.annotation, this.#together, x, y);
    return this.#withShared(own, (annotation, points) => shapes.dragAll(annotation, points, x, y));
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
    const way = grown(boundsOfNumbers([from.x, from.y, input.image.x, input.image.y])!, radius);
    const passed = shapes
      .pointsWithin(annotation, way, this.editor.context(annotation))
      .filter(({ at }) => distance(at, nearestOnSegment(at, from, input.image)) <= radius);
    if (passed.length > 0) this.erase(annotation, passed);
  }

  erase(annotation: Annotation, points: readonly Handle[]): void {
    const without = shapes.removeHandles(annotation, points);
    if (without) this.editor.change(new Map([[this.#key, without]]));
    else this.editor.say(LAST_POINTS);
  }
}

/** A prediction is dragged where it is drawn: what comes of that is accepted, in one step. */

import { acceptAs } from "../editor/deciding";
import type { Hint } from "../editor/hand";
import type { Intent, PointerInput } from "../editor/input";
import { imagePoint } from "../geometry/point";
import type { Prediction } from "../model/predictions";
import { sameAnnotation, sameValue, type Annotation } from "../model/records";
import * as shapes from "../shapes";
import type { Handle } from "../shapes/shape";
import { drawn, isDrag, shift } from "./pointing";
import type { SelectTool } from "./select";
import { State } from "./tool";

/** The button is down on the selected prediction: on a handle of it, or on the whole of it. */
export class ReshapingPrediction extends State<SelectTool> {
  override readonly name = "reshaping_prediction";
  override readonly busy = true;
  readonly #prediction: Prediction;
  /** With a new point already, where the press was on an edge. */
  readonly #start: Annotation;
  readonly #handle: Handle | null;
  readonly #press: PointerInput;
  #shape: Annotation | null = null;

  constructor(
    tool: SelectTool,
    prediction: Prediction,
    press: PointerInput,
    { start, handle }: { readonly start: Annotation; readonly handle: Handle | null },
  ) {
    super(tool);
    this.#prediction = prediction;
    this.#press = press;
    this.#start = start;
    this.#handle = handle;
  }

  override get cursor(): string {
    return this.#handle?.cursor ?? "move";
  }

  override get hints(): readonly Hint[] {
    return [
      { gesture: "Release", does: "accept it like this" },
      { gesture: "Esc", does: "put back" },
    ];
  }

  override move(input: PointerInput): void {
    if (!this.#shape && !isDrag(this.#press.screen, input)) return;
    const shape = this.#reshaped(input);
    if (!shape) return;
    this.#shape = shape;
    this.editor.predictions.reshape(this.#prediction.id, shape);
  }

  override up(input: PointerInput): void {
    this.move(input);
    const shape = this.#shape;
    this.intend("cancel");
    if (shape) this.#accept(shape);
    else if (!this.#handle) this.tool.pickPrediction(this.#press);
  }

  /** Back where it was taken hold of, it is left open; so is what somebody else has decided meanwhile. */
  #accept(shape: Annotation): void {
    const { predictions } = this.editor;
    if (!predictions.isOpen(this.#prediction.id)) {
      this.editor.say("Somebody else has decided about this prediction meanwhile.");
    } else if (!sameAnnotation(shape, this.#prediction.shape)) acceptAs(this.editor, this.#prediction, shape);
  }

  override intend(intent: Intent): boolean {
    if (intent === "complete") return false;
    this.editor.predictions.reshape(this.#prediction.id, this.#prediction.shape);
    this.tool.idle();
    return true;
  }

  /** Null, having said why, where it cannot be moved. */
  #reshaped(input: PointerInput): Annotation | null {
    if (sameValue(input.screen, this.#press.screen)) return this.#prediction.shape;
    if (!this.#handle) {
      const { dx, dy } = shift(this.#press.image, input.image);
      return shapes.move(this.#start, ...shapes.reach([this.#start], dx, dy));
    }
    // The point keeps its distance to the pointer, so that taking hold moves nothing.
    const { x, y } = this.#handle.at;
    const { image } = this.#press;
    const at = drawn(this.editor, imagePoint(x + input.image.x - image.x, y + input.image.y - image.y));
    return shapes.drag(this.#start, this.#handle, at);
  }
}

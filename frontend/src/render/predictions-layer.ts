/**
 * Predictions: dashed outlines, so that nobody takes them for annotations. Outlines
 * of masks take a while; a frame traces a few of them and shows the boxes of the
 * others until their turn comes.
 */

import type { Editor } from "../editor/editor";
import type { Bounds } from "../geometry/bounds";
import type { Prediction } from "../model/predictions";
import type { Annotation } from "../model/records";
import * as shapes from "../shapes";
import { NO_OUTLINE, type Outline } from "../shapes/shape";
import { drawHandles, handlesInSight } from "./handles";
import { clear, newCanvas, setBlank, shownIn, useImageSpace, useScreenSpace, wholeArea, type Frame, type Layer } from "./layer";
import { drawingOf, paint, type Style } from "./paint";

const TRACE_MS = 6;

const predictedStyle = (color: string): Style => ({
  color,
  fillAlpha: 0,
  strokes: [
    { color: "rgb(255 255 255 / 75%)", width: 3 },
    { color, width: 1.5 },
  ],
  dashed: true,
});

const chosenStyle = (color: string): Style => ({
  color,
  fillAlpha: 0.2,
  strokes: [
    { color, width: 4 },
    { color: "#ffffff", width: 2 },
  ],
  dashed: true,
});

export class PredictionsLayer implements Layer {
  readonly canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #editor: Editor;
  readonly #again: () => void;
  readonly #outlines = new WeakMap<Annotation, Outline>();

  constructor(editor: Editor, again: () => void) {
    ({ canvas: this.canvas, context: this.#context } = newCanvas());
    this.#editor = editor;
    this.#again = again;
  }

  draw(frame: Frame): void {
    const { predictions } = this.#editor;
    if (setBlank(this.canvas, !predictions.shown || predictions.listed.length === 0)) return;
    clear(this.#context, frame);
    const { selected } = predictions;
    const others = predictions.listed.filter((one) => one !== selected);
    const deadline = performance.now() + TRACE_MS;
    // The best and the selected one lie on top.
    const inOrder = [...others.reverse(), ...(selected ? [selected] : [])];
    useImageSpace(this.#context, frame);
    const shown = shownIn(wholeArea(frame), frame);
    for (const one of inOrder) {
      const style = one === selected ? chosenStyle : predictedStyle;
      const color = this.#editor.color(one.shape.category_id);
      paint(this.#context, drawingOf(this.#outline(one.shape, deadline)), style(color), shown);
    }
    useScreenSpace(this.#context, frame);
    if (selected) this.#handles(selected, frame);
  }

  #outline(shape: Annotation, deadline: number): Outline {
    const known = this.#outlines.get(shape) ?? this.#movedOutline(shape);
    if (known) return known;
    if (shapes.isHeavy(shape) && performance.now() > deadline) {
      this.#again();
      const { bounds } = shapes.measures(shape);
      return bounds ? boxAround(bounds) : NO_OUTLINE;
    }
    const outline = shapes.outline(shape, this.#editor.context(shape));
    this.#outlines.set(shape, outline);
    return outline;
  }

  /** One that is being dragged keeps the outline that it had. */
  #movedOutline(shape: Annotation): Outline | null {
    const from = shapes.movedFrom(shape);
    const outline = this.#outlines.get(from);
    return outline && from !== shape ? shapes.movedOutline(from, outline, shape) : null;
  }

  /** Of the one that can be taken hold of. */
  #handles({ shape }: Prediction, frame: Frame): void {
    const { hand, readOnly, view } = this.#editor;
    if (readOnly || hand.handles !== "all" || view.selection.size > 0) return;
    drawHandles(this.#context, frame, {
      handles: hand.busy ? [] : handlesInSight(shape, this.#editor.context(shape), frame),
      selected: [],
      hovered: null,
      chosen: null,
      color: this.#editor.color(shape.category_id),
    });
  }
}

function boxAround({ left, top, right, bottom }: Bounds): Outline {
  const ring = [left, top, right, top, right, bottom, left, bottom];
  return { ...NO_OUTLINE, areas: [{ rings: [ring], cut: [] }] };
}

/**
 * The names of categories beside their objects, when the person wants them, and the scores of
 * predictions. What is selected or under the pointer has the first choice of a place, then scores,
 * the best first, then the names of larger objects. What is small on the screen has no label until then.
 */

import type { Editor } from "../editor/editor";
import type { Bounds } from "../geometry/bounds";
import { toScreen } from "../geometry/camera";
import { imagePoint } from "../geometry/point";
import type { Annotation } from "../model/records";
import * as shapes from "../shapes";
import { LabelPlaces, LABEL_HEIGHT, type Place } from "./label-places";
import { clear, newCanvas, setBlank, useScreenSpace, type Frame, type Layer } from "./layer";

const SMALLEST_CSS_PIXELS = 28;
/** More would hide the image. */
const MOST_NAMES = 300;
const MOST_SCORES = 100;
const MOST_LETTERS = 24;
/** The border in the object's colour, and the room on both sides of the text. */
const BORDER = 3;
const PADDING = 4;

interface Label {
  readonly text: string;
  readonly color: string;
  /** Of its object, in CSS pixels of the stage. */
  readonly object: Bounds;
}

interface Name extends Label {
  readonly size: number;
  /** It chooses its place before all others. */
  readonly first: boolean;
}

export class LabelsLayer implements Layer {
  readonly canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #editor: Editor;
  readonly #widths = new Map<string, number>();

  constructor(editor: Editor) {
    ({ canvas: this.canvas, context: this.#context } = newCanvas());
    this.#editor = editor;
  }

  draw(frame: Frame): void {
    const { predictions, view } = this.#editor;
    const places = new LabelPlaces(frame.size);
    const scores = predictions.shown ? this.#scores(frame, places) : [];
    if (setBlank(this.canvas, !view.look.labels && scores.length === 0)) return;
    clear(this.#context, frame);
    useScreenSpace(this.#context, frame);
    this.#context.font = "11px system-ui, sans-serif";
    const names = view.look.labels ? this.#named(frame, places) : [];
    this.#labels(names.filter(({ first }) => first), places, MOST_NAMES);
    this.#labels(scores, places, MOST_SCORES);
    this.#labels(names.filter(({ first }) => !first), places, MOST_NAMES);
  }

  /** The selected prediction's, then those of the best. */
  #scores({ camera }: Frame, places: LabelPlaces): Label[] {
    const { listed, selected } = this.#editor.predictions;
    const inOrder = selected ? [selected, ...listed.filter((one) => one !== selected)] : listed;
    return inOrder.flatMap((one) => {
      const { bounds } = shapes.measures(one.shape);
      const object = bounds && onStage(bounds, camera);
      if (one.score === null || !object || !places.sees(object)) return [];
      if (sizeOf(object) < SMALLEST_CSS_PIXELS && one !== selected) return [];
      return { text: one.score.toFixed(2), color: this.#editor.color(one.shape.category_id), object };
    });
  }

  /** The largest objects first. */
  #named({ camera }: Frame, places: LabelPlaces): Name[] {
    const { document, view } = this.#editor;
    const found: Name[] = [];
    for (const [key, annotation] of document.entries()) {
      const { bounds } = shapes.measures(annotation);
      if (!bounds || !this.#editor.visible(key)) continue;
      const object = onStage(bounds, camera);
      const size = sizeOf(object);
      const first = key === view.hovered || view.selection.has(key);
      if ((size < SMALLEST_CSS_PIXELS && !first) || !places.sees(object)) continue;
      const text = this.#nameOf(annotation);
      if (text) found.push({ text, color: this.#editor.colorOf(key), object, size, first });
    }
    return found.sort((a, b) => b.size - a.size);
  }

  #nameOf(annotation: Annotation): string | null {
    const name = this.#editor.category(annotation.category_id)?.name ?? annotation.caption;
    return name && name.length > MOST_LETTERS ? `${name.slice(0, MOST_LETTERS - 1)}…` : name;
  }

  #labels(labels: readonly Label[], places: LabelPlaces, most: number): void {
    let count = 0;
    for (const { text, color, object } of labels) {
      if (count === most) return;
      const width = this.#width(text);
      const place = places.take(object, width);
      if (!place) continue;
      this.#paint(text, color, place, width);
      count += 1;
    }
  }

  #width(text: string): number {
    let width = this.#widths.get(text);
    if (width === undefined) {
      width = Math.ceil(this.#context.measureText(text).width) + BORDER + 2 * PADDING;
      this.#widths.set(text, width);
    }
    return width;
  }

  #paint(text: string, color: string, { left, top }: Place, width: number): void {
    const context = this.#context;
    context.fillStyle = "rgb(15 18 22 / 80%)";
    context.fillRect(left, top, width, LABEL_HEIGHT);
    context.fillStyle = color;
    context.fillRect(left, top, BORDER, LABEL_HEIGHT);
    context.fillStyle = "#ffffff";
    context.fillText(text, left + BORDER + PADDING, top + 12);
  }
}

const sizeOf = ({ left, top, right, bottom }: Bounds): number => Math.max(right - left, bottom - top);

function onStage({ left, top, right, bottom }: Bounds, camera: Frame["camera"]): Bounds {
  const from = toScreen(camera, imagePoint(left, top));
  const to = toScreen(camera, imagePoint(right, bottom));
  return { left: from.x, top: from.y, right: to.x, bottom: to.y };
}

/**
 * The names of categories beside their objects, when the person wants them. An
 * object that is small on the screen has none, and a label that would lie on
 * another one is left out: the larger object keeps its own.
 */

import type { Editor } from "../editor/editor";
import { toScreen } from "../geometry/camera";
import { imagePoint } from "../geometry/point";
import type { Annotation, AnnotationKey } from "../model/records";
import * as shapes from "../shapes";
import { clear, newCanvas, setBlank, useScreenSpace, type Frame, type Layer } from "./layer";

const HEIGHT_CSS_PIXELS = 16;
const SMALLEST_CSS_PIXELS = 28;
const MOST_LABELS = 300;
/** Places are taken in steps of this many CSS pixels. */
const CELL_CSS_PIXELS = 16;

interface Candidate {
  readonly key: AnnotationKey;
  readonly annotation: Annotation;
  readonly x: number;
  readonly y: number;
  readonly size: number;
}

export class LabelsLayer implements Layer {
  readonly canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #editor: Editor;

  constructor(editor: Editor) {
    ({ canvas: this.canvas, context: this.#context } = newCanvas());
    this.#editor = editor;
  }

  draw(frame: Frame): void {
    if (setBlank(this.canvas, !this.#editor.view.look.labels)) return;
    clear(this.#context, frame);
    useScreenSpace(this.#context, frame);
    this.#context.font = "11px system-ui, sans-serif";
    const taken = new Set<string>();
    let count = 0;
    for (const candidate of this.#candidates(frame)) {
      if (this.#label(candidate, taken) && ++count >= MOST_LABELS) return;
    }
  }

  /** What is large enough and on the stage, the largest first. */
  #candidates({ camera, size }: Frame): Candidate[] {
    const found: Candidate[] = [];
    for (const [key, annotation] of this.#editor.document.entries()) {
      const { bounds } = shapes.measures(annotation);
      if (!bounds || !this.#editor.visible(key)) continue;
      const extent = Math.max(bounds.right - bounds.left, bounds.bottom - bounds.top) * camera.scale;
      if (extent < SMALLEST_CSS_PIXELS) continue;
      const { x, y } = toScreen(camera, imagePoint(bounds.left, bounds.top));
      if (x > size.width || y > size.height || x + extent < 0 || y + extent < 0) continue;
      found.push({ key, annotation, x, y, size: extent });
    }
    return found.sort((a, b) => b.size - a.size);
  }

  #label({ key, annotation, x, y }: Candidate, taken: Set<string>): boolean {
    const text = this.#editor.category(annotation.category_id)?.name ?? annotation.caption;
    if (!text) return false;
    const context = this.#context;
    const shown = text.length > 24 ? `${text.slice(0, 23)}…` : text;
    const width = context.measureText(shown).width + 11;
    const left = Math.max(0, x);
    const top = Math.max(0, y - HEIGHT_CSS_PIXELS);
    const cells = cellsOf(left, top, width);
    if (cells.some((cell) => taken.has(cell))) return false;
    for (const cell of cells) taken.add(cell);
    context.fillStyle = "rgb(15 18 22 / 80%)";
    context.fillRect(left, top, width, HEIGHT_CSS_PIXELS);
    context.fillStyle = this.#editor.colorOf(key);
    context.fillRect(left, top, 3, HEIGHT_CSS_PIXELS);
    context.fillStyle = "#ffffff";
    context.fillText(shown, left + 7, top + 12);
    return true;
  }
}

function cellsOf(left: number, top: number, width: number): string[] {
  const first = Math.floor(left / CELL_CSS_PIXELS);
  const last = Math.floor((left + width) / CELL_CSS_PIXELS);
  const columns = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const rows = [top, top + HEIGHT_CSS_PIXELS - 1].map((y) => Math.floor(y / CELL_CSS_PIXELS));
  return columns.flatMap((column) => rows.map((row) => `${column},${row}`));
}

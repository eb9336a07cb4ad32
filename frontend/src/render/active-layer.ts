/**
 * What is in hand: the selection with its handles, what the pointer is over, the
 * gesture's preview, and whatever the bitmap below does not show yet. Drawn anew
 * in every frame; there is never much of it.
 */

import type { Editor } from "../editor/editor";
import { NO_PREVIEW, type Marquee, type Preview } from "../editor/hand";
import { toScreen } from "../geometry/camera";
import { imagePoint, type ImagePoint } from "../geometry/point";
import type { AnnotationKey } from "../model/records";
import * as shapes from "../shapes";
import type { Handle } from "../shapes/shape";
import { clear, newCanvas, setBlank, useImageSpace, useScreenSpace, type Frame, type Layer } from "./layer";
import { hoverStyle, normalStyle, paint, refusedStyle, selectedStyle, type Style } from "./paint";
import type { ShapesLayer } from "./shapes-layer";

/** More than this many late shapes wait for the worker, which is faster with them. */
const MOST_LATE = 50;
const HANDLE_CSS_PIXELS = 7;
const SMALLEST_HANDLE_CSS_PIXELS = 3;
const HOVERED_HANDLE_CSS_PIXELS = 10;

export class ActiveLayer implements Layer {
  readonly canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #editor: Editor;
  readonly #below: ShapesLayer;
  readonly #refused: () => ReadonlyMap<AnnotationKey, string>;

  constructor(
    editor: Editor,
    below: ShapesLayer,
    refused: () => ReadonlyMap<AnnotationKey, string>,
  ) {
    ({ canvas: this.canvas, context: this.#context } = newCanvas());
    this.#editor = editor;
    this.#below = below;
    this.#refused = refused;
  }

  draw(frame: Frame): void {
    const { view, hand } = this.#editor;
    const late = this.#late();
    const refused = this.#refused();
    const blank = late.size + view.selection.size + refused.size === 0 && !view.hovered && isBlank(hand.preview);
    if (setBlank(this.canvas, blank)) return;
    clear(this.#context, frame);
    useImageSpace(this.#context, frame);
    for (const key of late) this.#shape(key, normalStyle, frame);
    if (view.hovered && !view.selection.has(view.hovered)) {
      this.#shape(view.hovered, hoverStyle, frame);
    }
    for (const key of view.selection) this.#shape(key, selectedStyle, frame);
    for (const key of refused.keys()) this.#shape(key, refusedStyle, frame);
    useScreenSpace(this.#context, frame);
    this.#handles(frame);
    this.#preview(hand.preview, frame);
  }

  #late(): Set<AnnotationKey> {
    const { view } = this.#editor;
    const late = new Set(this.#below.missing());
    for (const key of late) if (view.selection.has(key) || view.hidden.has(key)) late.delete(key);
    return late.size > MOST_LATE ? new Set() : late;
  }

  #color(key: AnnotationKey): string {
    return this.#editor.color(this.#editor.document.get(key)?.category_id ?? null);
  }

  #shape(key: AnnotationKey, style: (color: string) => Style, frame: Frame): void {
    const annotation = this.#editor.document.get(key);
    if (!annotation || !this.#editor.visible(key)) return;
    const outline = this.#below.inHand(key, annotation);
    if (outline) paint(this.#context, outline, style(this.#color(key)), frame.camera.scale);
  }

  #handles(frame: Frame): void {
    const { view, document, readOnly } = this.#editor;
    const key = view.only;
    const annotation = key && document.get(key);
    if (!annotation || readOnly || this.#editor.hand.toolId !== "select") return;
    if (view.hidden.has(key) || view.locked.has(key)) return;
    const color = this.#color(key);
    this.#context.lineWidth = 1.5;
    const handles = shapes.handles(annotation, this.#editor.context(annotation));
    const { bounds } = shapes.measures(annotation);
    const around = bounds ? 2 * (bounds.right - bounds.left + bounds.bottom - bounds.top) : 0;
    // Where points lie close together, handles of the usual size would hide the shape.
    const spacing = (around * frame.camera.scale) / Math.max(handles.length, 1);
    const side = Math.min(HANDLE_CSS_PIXELS, Math.max(SMALLEST_HANDLE_CSS_PIXELS, spacing * 0.7));
    for (const handle of handles) this.#handle(handle, side, color, frame);
  }

  #handle(handle: Handle, side: number, color: string, frame: Frame): void {
    const { x, y } = toScreen(frame.camera, handle.at);
    if (x < -8 || y < -8 || x > frame.size.width + 8 || y > frame.size.height + 8) return;
    const { hoveredHandle } = this.#editor.view;
    const hovered =
      hoveredHandle?.shape === handle.shape &&
      hoveredHandle.part === handle.part &&
      hoveredHandle.index === handle.index;
    this.#square(x, y, hovered ? HOVERED_HANDLE_CSS_PIXELS : side, color, hovered);
    if (hovered && handle.label) this.#label(handle.label, x, y);
  }

  #square(x: number, y: number, side: number, color: string, filled: boolean): void {
    const context = this.#context;
    context.fillStyle = filled ? color : "#ffffff";
    context.strokeStyle = filled ? "#ffffff" : color;
    context.fillRect(x - side / 2, y - side / 2, side, side);
    context.strokeRect(x - side / 2, y - side / 2, side, side);
  }

  #label(text: string, x: number, y: number): void {
    const context = this.#context;
    context.font = "12px system-ui, sans-serif";
    const width = context.measureText(text).width;
    context.fillStyle = "rgb(15 18 22 / 85%)";
    context.fillRect(x + 10, y - 22, width + 12, 20);
    context.fillStyle = "#ffffff";
    context.fillText(text, x + 16, y - 8);
  }

  #preview({ line, closed, dots, ghost, marquee }: Preview, frame: Frame): void {
    if (marquee) this.#marquee(marquee, frame);
    const color = this.#editor.color(this.#editor.categoryId);
    const selected = this.#editor.view.only;
    if (line.length > 1) this.#line(line, closed, color, frame);
    this.#context.lineWidth = 1.5;
    dots.forEach((dot, i) => {
      const { x, y } = toScreen(frame.camera, dot);
      this.#square(x, y, i === 0 ? 9 : 6, color, false);
    });
    if (ghost) {
      const { x, y } = toScreen(frame.camera, ghost);
      this.#square(x, y, 9, line.length > 0 || !selected ? color : this.#color(selected), true);
    }
  }

  /** Without a colour of its own: white on black is seen on every image. */
  #marquee({ bounds, touching }: Marquee, { camera }: Frame): void {
    const context = this.#context;
    const { x, y } = toScreen(camera, imagePoint(bounds.left, bounds.top));
    const width = (bounds.right - bounds.left) * camera.scale;
    const height = (bounds.bottom - bounds.top) * camera.scale;
    context.fillStyle = "rgb(255 255 255 / 12%)";
    context.fillRect(x, y, width, height);
    context.setLineDash(touching ? [5, 4] : []);
    for (const [style, line] of [["rgb(0 0 0 / 70%)", 3], ["#ffffff", 1.5]] as const) {
      context.strokeStyle = style;
      context.lineWidth = line;
      context.strokeRect(x, y, width, height);
    }
    context.setLineDash([]);
  }

  #line(line: readonly ImagePoint[], closed: boolean, color: string, frame: Frame): void {
    const context = this.#context;
    context.beginPath();
    for (const point of line) {
      const { x, y } = toScreen(frame.camera, point);
      context.lineTo(x, y);
    }
    if (closed) context.closePath();
    context.fillStyle = color;
    context.globalAlpha = 0.2;
    context.fill("evenodd");
    context.globalAlpha = 1;
    context.lineJoin = "round";
    for (const [style, width] of [
      ["rgb(0 0 0 / 55%)", 4],
      ["#ffffff", 2.5],
      [color, 1.5],
    ] as const) {
      context.strokeStyle = style;
      context.lineWidth = width;
      context.stroke();
    }
  }
}

function isBlank(preview: Preview): boolean {
  return Object.entries(NO_PREVIEW).every(([name, nothing]) => {
    const value: unknown = preview[name as keyof Preview];
    return Array.isArray(value) ? value.length === 0 : value === nothing;
  });
}

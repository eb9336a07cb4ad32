/**
 * The stack of layers in one element, drawn in animation frames.
 *
 * Anything that could change what is seen asks for a frame; a frame reads the
 * editor once and draws all layers with the same camera.
 */

import type { Editor } from "../editor/editor";
import { toScreen } from "../geometry/camera";
import { imagePoint } from "../geometry/point";
import type { AnnotationKey } from "../model/records";
import { ActiveLayer } from "./active-layer";
import { ImageLayer } from "./image-layer";
import { GuidesLayer } from "./guides-layer";
import { LabelsLayer } from "./labels-layer";
import type { Layer } from "./layer";
import { Mover } from "./mover";
import { OutlinesLayer } from "./outlines-layer";
import type { Picture } from "./picture";
import { connectPointer } from "./pointer";
import { PixelsLayer } from "./pixels-layer";
import { PredictionsLayer } from "./predictions-layer";
import { frameOf, type ShapesLayer } from "./shapes-layer";
import { SuperpixelsLayer } from "./superpixels-layer";

export interface StageOptions {
  readonly element: HTMLElement;
  readonly editor: Editor;
  /** Outlives the stage. */
  readonly shapes: ShapesLayer;
  /** Annotations that the server does not take, drawn in red. */
  readonly refused: () => ReadonlyMap<AnnotationKey, string>;
}

export class Stage {
  readonly #element: HTMLElement;
  readonly #editor: Editor;
  /** The image's place, with its shadow: a plain element, since canvas shadows are slow. */
  readonly #plate = document.createElement("div");
  readonly #plateMover = new Mover(this.#plate);
  readonly #image: ImageLayer;
  readonly #shapes: ShapesLayer;
  readonly #outlines: OutlinesLayer;
  readonly #pixels: PixelsLayer;
  readonly #layers: readonly Layer[];
  readonly #undo: (() => void)[] = [];
  #requested = 0;

  constructor({ element, editor, shapes, refused }: StageOptions) {
    this.#element = element;
    this.#editor = editor;
    this.#image = new ImageLayer(editor, () => this.request());
    this.#shapes = shapes;
    shapes.answered = () => this.request();
    this.#outlines = new OutlinesLayer(editor, shapes.ledger, refused, () => this.request());
    this.#pixels = new PixelsLayer(editor, shapes.ledger, () => this.request());
    this.#layers = [
      this.#image,
      new GuidesLayer(editor),
      this.#shapes,
      new PredictionsLayer(editor, () => this.request()),
      new SuperpixelsLayer(editor),
      this.#pixels,
      this.#outlines,
      // Above all that is filled, or the tint of what is selected would lie on them.
      new LabelsLayer(editor),
      new ActiveLayer(editor),
    ];
    this.#plate.className = "stage-plate";
    element.append(this.#plate, ...this.#layers.map(({ canvas }) => canvas));
    const topics = [
      "document",
      "selection",
      "view",
      "camera",
      "tool",
      "category",
      "categories",
      "predictions",
    ] as const;
    this.#undo.push(
      editor.signal.on(topics, () => this.request()),
      editor.signal.on(["tool"], () => this.#setCursor()),
      connectPointer(element, editor),
      this.#watchSize(),
    );
    this.#setCursor();
  }

  /** Draws at once, not with the next frame: what is ready is seen, and what is not begins. */
  draw(): void {
    cancelAnimationFrame(this.#requested);
    this.#draw();
  }

  show(picture: Picture): void {
    this.#image.show(picture);
    this.request();
  }

  /** Where a point of the image is, in CSS pixels of the window. */
  imageToClient(x: number, y: number): { x: number; y: number } {
    const { left, top } = this.#element.getBoundingClientRect();
    const at = toScreen(this.#editor.camera, imagePoint(x, y));
    return { x: left + at.x, y: top + at.y };
  }

  request(): void {
    this.#requested ||= requestAnimationFrame(() => this.#draw());
  }

  destroy(): void {
    cancelAnimationFrame(this.#requested);
    for (const undo of this.#undo) undo();
    this.#shapes.answered = () => undefined;
    this.#image.destroy();
    this.#outlines.destroy();
    this.#pixels.destroy();
    this.#plateMover.release();
    this.#element.replaceChildren();
  }

  #draw(): void {
    this.#requested = 0;
    const { camera, image } = this.#editor;
    const frame = frameOf(this.#editor);
    const across = plateSide(camera.x, image.width * camera.scale, frame.size.width);
    const down = plateSide(camera.y, image.height * camera.scale, frame.size.height);
    const { style } = this.#plate;
    this.#plateMover.move(`translate(${across.start}px, ${down.start}px)`);
    style.width = `${across.length}px`;
    style.height = `${down.length}px`;
    for (const layer of this.#layers) layer.draw(frame);
  }

  #setCursor(): void {
    const { cursor } = this.#editor.hand;
    if (this.#element.style.cursor !== cursor) this.#element.style.cursor = cursor;
  }

  #watchSize(): () => void {
    const measure = (): void => {
      const { clientWidth: width, clientHeight: height } = this.#element;
      if (width > 0 && height > 0) this.#editor.resize({ width, height });
    };
    measure();
    // Before this frame is shown, or it would have the layers as they were, stretched.
    const observer = new ResizeObserver(() => {
      measure();
      this.draw();
    });
    observer.observe(this.#element);
    return () => observer.disconnect();
  }
}

/** More than the plate's shadow reaches. */
const BEYOND_CSS_PIXELS = 64;

/**
 * Where the plate begins and how long it is. An edge out of sight may lie anywhere out of sight, so
 * the length stays the same while one pans, and all of it where the image covers the stage.
 */
export function plateSide(start: number, length: number, stage: number): { start: number; length: number } {
  const most = stage + 2 * BEYOND_CSS_PIXELS;
  if (length <= most) return { start, length };
  return { start: Math.max(start, Math.min(-BEYOND_CSS_PIXELS, start + length - most)), length: most };
}

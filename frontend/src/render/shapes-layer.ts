/**
 * All shapes but those in hand, as a bitmap from the raster worker.
 *
 * While the worker draws, the last bitmap is moved with the camera, which costs
 * a fraction of a millisecond. At most one request is under way: when its
 * answer comes, the next is made if anything has changed since.
 */

import type { Editor } from "../editor/editor";
import type { Look } from "../editor/look";
import type { Annotation, AnnotationKey } from "../model/records";
import * as shapes from "../shapes";
import type { Outline } from "../shapes/shape";
import { clear, newCanvas, sameFrame, type Frame, type Layer } from "./layer";
import { pixelsInHand } from "./pixels-layer";
import type { RasterAnswer, RasterRequest, ShapeUpdate } from "./raster-protocol";

const MARGIN_CSS_PIXELS = 96;

interface Raster {
  readonly bitmap: ImageBitmap;
  readonly frame: Frame;
  readonly without: ReadonlySet<AnnotationKey>;
  readonly look: Look;
}

export class ShapesLayer implements Layer {
  readonly canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #worker: Worker;
  readonly #editor: Editor;
  readonly #answered: () => void;
  readonly #unsubscribe: readonly (() => void)[];
  readonly #outdated = new Set<AnnotationKey>();
  readonly #traced = new Map<AnnotationKey, { annotation: Annotation; outline: Outline }>();
  readonly #outlines = new WeakMap<Annotation, Outline>();
  #asked: (RasterRequest & { at: Map<AnnotationKey, Annotation> }) | null = null;
  #raster: Raster | null = null;
  #drawn: { frame: Frame; raster: Raster } | null = null;

  constructor(editor: Editor, worker: Worker, answered: () => void) {
    ({ canvas: this.canvas, context: this.#context } = newCanvas());
    this.#editor = editor;
    this.#worker = worker;
    this.#answered = answered;
    worker.onmessage = ({ data }: MessageEvent<RasterAnswer>) => this.#receive(data);
    const allOutdated = (): void => {
      for (const [key] of editor.document.entries()) this.#outdated.add(key);
    };
    allOutdated();
    this.#unsubscribe = [
      editor.signal.on(["categories"], allOutdated),
      editor.document.subscribe((diff) => {
        for (const { key } of diff) this.#outdated.add(key);
      }),
    ];
  }

  /** In the active layer instead of the bitmap, as soon as the outline is known. */
  inHand(key: AnnotationKey, annotation: Annotation): Outline | null {
    const known = this.#outlines.get(annotation);
    if (known) return known;
    if (shapes.isHeavy(annotation)) {
      const traced = this.#traced.get(key);
      return traced?.annotation === annotation ? traced.outline : null;
    }
    const outline = shapes.outline(annotation, this.#editor.context(annotation));
    this.#outlines.set(annotation, outline);
    return outline;
  }

  /** Those that the bitmap on screen does not show as they are by now. */
  *missing(): Generator<AnnotationKey> {
    yield* this.#outdated;
    if (this.#asked) for (const { key } of this.#asked.updates) yield key;
    if (this.#raster) yield* this.#raster.without;
  }

  draw(frame: Frame): void {
    this.#ask(frame);
    const raster = this.#raster;
    if (!raster || (this.#drawn?.raster === raster && sameFrame(this.#drawn.frame, frame))) return;
    this.#drawn = { frame, raster };
    clear(this.#context, frame);
    const from = raster.frame.camera;
    const { camera, ratio } = frame;
    const zoom = camera.scale / from.scale;
    const [x, y] = [camera.x - from.x * zoom, camera.y - from.y * zoom];
    this.#context.setTransform(zoom * ratio, 0, 0, zoom * ratio, x * ratio, y * ratio);
    const { width, height } = raster.bitmap;
    const drawnRatio = raster.frame.ratio;
    this.#context.drawImage(
      raster.bitmap,
      -MARGIN_CSS_PIXELS,
      -MARGIN_CSS_PIXELS,
      width / drawnRatio,
      height / drawnRatio,
    );
  }

  destroy(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#worker.terminate();
  }

  #ask(frame: Frame): void {
    if (this.#asked || frame.size.width === 0) return;
    const without = this.#without();
    const current =
      this.#raster &&
      this.#outdated.size === 0 &&
      sameFrame(this.#raster.frame, frame) &&
      this.#raster.look === this.#editor.view.look &&
      sameKeys(this.#raster.without, without);
    if (current) return;
    const at = new Map<AnnotationKey, Annotation>();
    const updates = [...this.#outdated].map((key) => this.#update(key, at));
    this.#outdated.clear();
    const request = { updates, frame, margin: MARGIN_CSS_PIXELS, without, look: this.#editor.view.look };
    this.#asked = { ...request, at };
    this.#worker.postMessage(request);
  }

  #update(key: AnnotationKey, at: Map<AnnotationKey, Annotation>): ShapeUpdate {
    const annotation = this.#editor.document.get(key);
    if (annotation) at.set(key, annotation);
    this.#traced.delete(key);
    const categoryId = annotation?.category_id ?? null;
    const { keypoints, skeleton } = this.#editor.category(categoryId) ?? shapes.NO_CONTEXT;
    const color = this.#editor.color(categoryId);
    return { key, annotation, color, context: { keypoints, skeleton } };
  }

  #without(): Set<AnnotationKey> {
    const { view, document } = this.#editor;
    const without = new Set(view.hidden);
    for (const key of view.selection) {
      const annotation = document.get(key);
      if (annotation && this.inHand(key, annotation)) without.add(key);
    }
    // What a gesture made comes back to be traced; until then it is drawn as pixels.
    const pixels = pixelsInHand(this.#editor, this);
    if (pixels?.key && !pixels.finished) without.add(pixels.key);
    return without;
  }

  #receive({ bitmap, outlines }: RasterAnswer): void {
    const asked = this.#asked!;
    this.#asked = null;
    this.#raster?.bitmap.close();
    this.#raster = { bitmap, frame: asked.frame, without: asked.without, look: asked.look };
    for (const [key, outline] of outlines) {
      const annotation = asked.at.get(key) ?? this.#editor.document.get(key);
      if (annotation) this.#traced.set(key, { annotation, outline });
    }
    this.#answered();
  }
}

function sameKeys(a: ReadonlySet<AnnotationKey>, b: ReadonlySet<AnnotationKey>): boolean {
  return a.size === b.size && [...a].every((key) => b.has(key));
}

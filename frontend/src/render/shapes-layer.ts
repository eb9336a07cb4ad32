/**
 * All shapes but those in hand, as a bitmap from the raster worker.
 *
 * While the worker draws, the browser's compositor moves the last bitmap with the
 * camera: nothing is painted on the main thread. At most one request is under way;
 * when its answer comes, the next is made if anything has changed since. It can be
 * drawn before it is on a stage, and stays as it is between two stages.
 */

import type { Editor } from "../editor/editor";
import type { Look } from "../editor/look";
import { pack } from "../model/packed";
import type { Annotation, AnnotationKey } from "../model/records";
import * as shapes from "../shapes";
import type { Outline } from "../shapes/shape";
import { sameFrame, type Frame, type Layer } from "./layer";
import { Mover } from "./mover";
import { pixelsInHand } from "./pixels-layer";
import type { RasterAnswer, RasterRequest, ShapeUpdate } from "./raster-protocol";

/** Drawn beyond each edge of the stage, and how much of that may be used up before more is asked for. */
const MARGIN_CSS_PIXELS = 192;
const LEAST_MARGIN_CSS_PIXELS = 96;

interface Raster {
  readonly frame: Frame;
  readonly without: ReadonlySet<AnnotationKey>;
  readonly look: Look;
}

export const frameOf = ({ camera, stage }: Editor): Frame => ({
  camera,
  size: stage,
  ratio: window.devicePixelRatio,
});

export class ShapesLayer implements Layer {
  readonly canvas = document.createElement("canvas");
  readonly #context = this.canvas.getContext("bitmaprenderer")!;
  readonly #mover = new Mover(this.canvas);
  readonly #worker: Worker;
  readonly #editor: Editor;
  /** Called when there is something new to show. */
  answered: () => void = () => undefined;
  /** Resolves when the first bitmap is there, or will never be. */
  readonly drawn: Promise<void>;
  #settle: () => void = () => undefined;
  readonly #unsubscribe: readonly (() => void)[];
  readonly #outdated = new Set<AnnotationKey>();
  readonly #traced = new Map<AnnotationKey, { annotation: Annotation; outline: Outline }>();
  readonly #outlines = new WeakMap<Annotation, Outline>();
  #asked: (RasterRequest & { readonly at: ReadonlyMap<AnnotationKey, Annotation | null> }) | null = null;
  #raster: Raster | null = null;
  #drawn: { frame: Frame; raster: Raster } | null = null;

  constructor(editor: Editor, worker: Worker) {
    this.canvas.className = "stage-shapes";
    this.canvas.setAttribute("aria-hidden", "true");
    this.#editor = editor;
    this.#worker = worker;
    this.drawn = new Promise((resolve) => (this.#settle = resolve));
    worker.onmessage = ({ data }: MessageEvent<RasterAnswer>) => this.#receive(data);
    worker.onerror = () => this.#settle();
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
      const traced = this.#tracedOutline(key, annotation);
      if (traced) this.#outlines.set(annotation, traced);
      return traced;
    }
    const outline = shapes.outline(annotation, this.#editor.context(annotation));
    this.#outlines.set(annotation, outline);
    return outline;
  }

  /** That of the worker, also where the annotation has only been moved since. */
  #tracedOutline(key: AnnotationKey, annotation: Annotation): Outline | null {
    const traced = this.#traced.get(key);
    return traced ? shapes.movedOutline(traced.annotation, traced.outline, annotation) : null;
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
    const from = raster.frame.camera;
    const { camera } = frame;
    const zoom = camera.scale / from.scale;
    const x = camera.x - from.x * zoom - MARGIN_CSS_PIXELS * zoom;
    const y = camera.y - from.y * zoom - MARGIN_CSS_PIXELS * zoom;
    this.#mover.move(`matrix(${zoom}, 0, 0, ${zoom}, ${x}, ${y})`);
    this.canvas.dataset["drawn"] = "true";
  }

  destroy(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#worker.terminate();
    this.#settle();
    this.canvas.width = 0;
    this.canvas.height = 0;
  }

  #ask(frame: Frame): void {
    if (this.#asked || frame.size.width === 0) return;
    const without = this.#without();
    const current =
      this.#raster &&
      // What is in hand may change as it likes: it is not on the bitmap.
      [...this.#outdated].every((key) => without.has(key)) &&
      stillCovers(this.#raster.frame, frame) &&
      this.#raster.look === this.#editor.view.look &&
      sameKeys(this.#raster.without, without);
    if (current) return;
    const at = new Map([...this.#outdated].map((key) => [key, this.#editor.document.get(key)]));
    const updates = [...at].map(([key, annotation]) => this.#update(key, annotation));
    const packed = pack([...at.values()]);
    this.#outdated.clear();
    const request = { updates, packed, frame, margin: MARGIN_CSS_PIXELS, without, look: this.#editor.view.look };
    this.#asked = { ...request, at };
    this.#worker.postMessage(request, [packed.numbers.buffer]);
  }

  #update(key: AnnotationKey, annotation: Annotation | null): ShapeUpdate {
    // What is moved is in hand, and the worker does not trace what is left out of its bitmap.
    const outline = annotation && this.#traced.get(key)?.annotation !== annotation ? this.#tracedOutline(key, annotation) : null;
    if (annotation && outline) this.#traced.set(key, { annotation, outline });
    else this.#traced.delete(key);
    const categoryId = annotation?.category_id ?? null;
    const { keypoints, skeleton } = this.#editor.category(categoryId) ?? shapes.NO_CONTEXT;
    const color = this.#editor.color(categoryId);
    return { key, color, context: { keypoints, skeleton } };
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
    const { width, height } = bitmap;
    if (this.canvas.width !== width || this.canvas.height !== height) {
      Object.assign(this.canvas, { width, height });
      this.canvas.style.width = `${width / asked.frame.ratio}px`;
      this.canvas.style.height = `${height / asked.frame.ratio}px`;
    }
    this.#context.transferFromImageBitmap(bitmap);
    this.#raster = { frame: asked.frame, without: asked.without, look: asked.look };
    for (const [key, outline] of outlines) {
      const annotation = asked.at.get(key) ?? this.#editor.document.get(key);
      if (annotation) this.#traced.set(key, { annotation, outline });
    }
    this.#settle();
    this.answered();
  }
}

/**
 * Whether a raster of one frame is as good for another one: nothing but moved, by
 * whole device pixels, and with enough left beyond the edge that comes nearer.
 */
function stillCovers(raster: Frame, frame: Frame): boolean {
  const { size, ratio } = raster;
  if (ratio !== frame.ratio || size.width !== frame.size.width || size.height !== frame.size.height) return false;
  if (raster.camera.scale !== frame.camera.scale) return false;
  const [dx, dy] = [frame.camera.x - raster.camera.x, frame.camera.y - raster.camera.y];
  const most = MARGIN_CSS_PIXELS - LEAST_MARGIN_CSS_PIXELS;
  const whole = (shift: number): boolean => Math.abs(shift * ratio - Math.round(shift * ratio)) < 0.01;
  return Math.abs(dx) <= most && Math.abs(dy) <= most && whole(dx) && whole(dy);
}

function sameKeys(a: ReadonlySet<AnnotationKey>, b: ReadonlySet<AnnotationKey>): boolean {
  return a.size === b.size && [...a].every((key) => b.has(key));
}

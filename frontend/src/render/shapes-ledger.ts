/**
 * Which state of which shape the worker has, which of it is on its bitmap, and what to ask for next.
 *
 * What is in hand, selected or worked on by a gesture, is never on the bitmap: the main thread draws
 * it, as it draws whatever the bitmap does not show yet. Outlines that take long to find come from the
 * worker, also those of what is in hand; where one is not there yet, its pixels are drawn. So a shape
 * stays on the screen whatever happens to selection, tool or camera, and however long the worker takes.
 */

import type { Editor } from "../editor/editor";
import type { Look } from "../editor/look";
import { pack } from "../model/packed";
import type { Annotation, AnnotationKey } from "../model/records";
import * as shapes from "../shapes";
import type { Outline } from "../shapes/shape";
import { servesMoved, type Frame } from "./layer";
import type { RasterAnswer, RasterRequest, ShapeUpdate } from "./raster-protocol";

/** Drawn beyond each edge of the stage, and how much of that may be used up before more is asked for. */
export const MARGIN_CSS_PIXELS = 192;
const LEAST_MARGIN_CSS_PIXELS = 96;
/** More than this many that were changed, or shown again, at once wait for the worker, which is faster with them. */
const MOST_LATE = 50;

/** What is on the screen. */
interface Raster {
  readonly frame: Frame;
  readonly look: Look;
  readonly inHand: ReadonlySet<AnnotationKey>;
  readonly hidden: ReadonlySet<AnnotationKey>;
}

export class ShapesLedger {
  readonly #editor: Editor;
  readonly #unsubscribe: readonly (() => void)[];
  /** Changed since the worker was told. */
  readonly #outdated = new Set<AnnotationKey>();
  /** As the worker has them. */
  readonly #told = new Map<AnnotationKey, Annotation>();
  /** The worker was told of them without being asked to draw. */
  readonly #fresh = new Set<AnnotationKey>();
  /** Null for one of so many points that the main thread is better off with pixels; it is not sent. */
  readonly #traced = new Map<AnnotationKey, { annotation: Annotation; outline: Outline | null }>();
  readonly #outlines = new WeakMap<Annotation, Outline | null>();
  /** At most one request is under way. */
  #asked: { readonly raster: Raster; readonly keys: readonly AnnotationKey[] } | null = null;
  #raster: Raster | null = null;
  /** After a failure, until all is drawn anew. */
  #doubtful = false;

  constructor(editor: Editor) {
    this.#editor = editor;
    this.#outdateAll();
    this.#unsubscribe = [
      editor.signal.on(["categories"], () => this.#outdateAll()),
      editor.document.subscribe((diff) => {
        for (const { key } of diff) this.#outdated.add(key);
      }),
    ];
  }

  destroy(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  /** The frame of the bitmap on the screen; null before the first one. */
  get frame(): Frame | null {
    return this.#raster?.frame ?? null;
  }

  /** For the main thread to draw; null as long as only the worker can tell, and where pixels are drawn faster. */
  outline(key: AnnotationKey, annotation: Annotation): Outline | null {
    return this.#known(key, annotation) ?? null;
  }

  /** Undefined as long as only the worker can tell. */
  #known(key: AnnotationKey, annotation: Annotation): Outline | null | undefined {
    if (this.#outlines.has(annotation)) return this.#outlines.get(annotation);
    const found = shapes.isHeavy(annotation)
      ? this.#tracedOutline(key, annotation)
      : shapes.outline(annotation, this.#editor.context(annotation));
    if (found !== undefined) this.#outlines.set(annotation, found);
    return found;
  }

  /** Not in hand, nor on the bitmap as they are by now: for the main thread to draw meanwhile. */
  late(): Set<AnnotationKey> {
    const { document, view } = this.#editor;
    const changed = [...this.#outdated, ...(this.#asked?.keys ?? [])];
    const shownAgain = [...(this.#raster?.hidden ?? [])].filter((key) => !view.hidden.has(key));
    const late = new Set([...(this.#raster?.inHand ?? []), ...this.#fresh]);
    for (const keys of [changed, shownAgain]) if (keys.length <= MOST_LATE) for (const key of keys) late.add(key);
    for (const key of late) {
      if (view.selection.has(key) || view.hidden.has(key) || !document.get(key)) late.delete(key);
    }
    return late;
  }

  /** What to ask the worker for a screen like this; null when there is nothing, or an answer is still to come. */
  request(frame: Frame): RasterRequest | null {
    if (this.#asked || frame.size.width === 0) return null;
    const { hidden, look } = this.#editor.view;
    const raster = { frame, look, inHand: this.#inHand(), hidden: new Set(hidden) };
    const draws = this.#doubtful || !this.#serves(raster);
    const wanted = [...raster.inHand].filter((key) => this.#lacksOutline(key));
    if (!draws && wanted.length === 0) return null;
    const keys = [...this.#outdated];
    const annotations = keys.map((key) => this.#editor.document.get(key));
    const updates = keys.map((key, i) => this.#update(key, annotations[i]!, draws));
    this.#outdated.clear();
    this.#asked = { raster, keys };
    const without = new Set([...raster.hidden, ...raster.inHand]);
    return { updates, packed: pack(annotations), frame, margin: MARGIN_CSS_PIXELS, without, look, draws, wanted };
  }

  /** The answer has come; with a bitmap it is on the screen. */
  receive({ bitmap, outlines }: Pick<RasterAnswer, "outlines"> & { readonly bitmap: unknown }): void {
    if (bitmap) {
      this.#raster = this.#asked!.raster;
      this.#fresh.clear();
      this.#doubtful = false;
    }
    this.#asked = null;
    for (const [key, outline] of outlines) {
      const annotation = this.#told.get(key);
      if (annotation) this.#traced.set(key, { annotation, outline });
    }
  }

  /** The worker failed: no answer comes to what was asked, and nobody knows how much of it was taken in. */
  lost(): void {
    // Those that are deleted since are in no document.
    for (const key of this.#asked?.keys ?? []) this.#outdated.add(key);
    this.#outdateAll();
    this.#doubtful = true;
    this.#asked = null;
  }

  #outdateAll(): void {
    for (const [key] of this.#editor.document.entries()) this.#outdated.add(key);
  }

  #lacksOutline(key: AnnotationKey): boolean {
    const annotation = this.#editor.document.get(key)!;
    return shapes.isHeavy(annotation) && this.#known(key, annotation) === undefined;
  }

  #inHand(): Set<AnnotationKey> {
    const { view, document, hand } = this.#editor;
    const gesture = hand.preview.pixels?.key ?? null;
    const keys = gesture === null ? view.selection : [...view.selection, gesture];
    return new Set([...keys].filter((key) => document.get(key) && !view.hidden.has(key)));
  }

  /** That of the worker, also where the annotation has only been moved since. */
  #tracedOutline(key: AnnotationKey, annotation: Annotation): Outline | null | undefined {
    const traced = this.#traced.get(key);
    if (!traced) return undefined;
    if (!traced.outline) return shapes.movedFrom(traced.annotation) === shapes.movedFrom(annotation) ? null : undefined;
    return shapes.movedOutline(traced.annotation, traced.outline, annotation) ?? undefined;
  }

  #update(key: AnnotationKey, annotation: Annotation | null, draws: boolean): ShapeUpdate {
    // What is only moved need not be traced again to be drawn by the main thread.
    const isOther = annotation && this.#traced.get(key)?.annotation !== annotation;
    const outline = isOther ? this.#tracedOutline(key, annotation) : undefined;
    if (annotation && outline !== undefined) this.#traced.set(key, { annotation, outline });
    else this.#traced.delete(key);
    if (!annotation) this.#told.delete(key);
    else {
      if (!draws && !this.#told.has(key)) this.#fresh.add(key);
      this.#told.set(key, annotation);
    }
    const categoryId = annotation?.category_id ?? null;
    const { keypoints, skeleton } = this.#editor.category(categoryId) ?? shapes.NO_CONTEXT;
    return { key, color: this.#editor.color(categoryId), context: { keypoints, skeleton } };
  }

  /** Whether the bitmap on the screen is as good as this one would be: what is in hand may change as it likes. */
  #serves(next: Raster): boolean {
    const now = this.#raster;
    if (!now || now.look !== next.look || !servesMoved(now.frame, next.frame, MARGIN_CSS_PIXELS - LEAST_MARGIN_CSS_PIXELS)) return false;
    const belongs = (key: AnnotationKey): boolean =>
      this.#editor.document.get(key) !== null && !next.inHand.has(key) && !next.hidden.has(key);
    const isThere = (key: AnnotationKey): boolean =>
      this.#told.has(key) && !this.#fresh.has(key) && !now.inHand.has(key) && !now.hidden.has(key);
    const asItShould = (key: AnnotationKey): boolean =>
      belongs(key) ? isThere(key) && !this.#outdated.has(key) : !isThere(key);
    return [this.#outdated, this.#fresh, now.inHand, next.inHand, now.hidden, next.hidden].every((keys) =>
      [...keys].every(asItShould),
    );
  }
}

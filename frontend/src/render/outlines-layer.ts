/**
 * Outlines that the main thread draws: what is selected, what the pointer is over, what the server
 * refused, and whatever the bitmap below does not show yet. There is never much of it.
 *
 * Nothing is painted as long as nothing of it changes, whatever happens to handles and gestures, which
 * lie on a canvas of their own; and of outlines whose points are moved, which may have thousands, only
 * the part that changes is. What is under the pointer is not marked while the image moves: that would
 * often be all there is to paint.
 */

import type { Editor } from "../editor/editor";
import type { Look } from "../editor/look";
import { union, type Bounds } from "../geometry/bounds";
import type { AnnotationKey } from "../model/records";
import type { Outline } from "../shapes/shape";
import { clear, clearPart, deviceArea, newCanvas, sameFrame, setBlank, shownIn, useImageSpace, wholeArea, type Frame, type Layer } from "./layer";
import { changedAround, drawingOf, hoverStyle, normalStyle, paint, refusedStyle, selectedStyle, type Style } from "./paint";
import { changedExtent } from "./repaint";
import type { ShapesLedger } from "./shapes-ledger";
import { gesturePixels } from "./shown-pixels";
import { Travel } from "./travel";

/** Strokes and their corners reach no further beyond the points. */
const REACH_CSS_PIXELS = 12;

const NOTHING = "nothing";

interface Painted {
  readonly outline: Outline;
  readonly color: string;
  readonly style: (color: string, look: Look) => Style;
}

/** All that decides how the canvas looks. */
interface Scene {
  readonly frame: Frame;
  readonly look: Look;
  /** From the bottom up. */
  readonly painted: readonly Painted[];
}

export class OutlinesLayer implements Layer {
  readonly canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #editor: Editor;
  readonly #ledger: ShapesLedger;
  readonly #refused: () => ReadonlyMap<AnnotationKey, string>;
  readonly #travel: Travel;
  /** As it is on the canvas. */
  #scene: Scene | null = null;

  constructor(
    editor: Editor,
    ledger: ShapesLedger,
    refused: () => ReadonlyMap<AnnotationKey, string>,
    again: () => void,
  ) {
    ({ canvas: this.canvas, context: this.#context } = newCanvas());
    this.canvas.className = "stage-outlines";
    this.#editor = editor;
    this.#ledger = ledger;
    this.#refused = refused;
    this.#travel = new Travel(again);
  }

  draw(frame: Frame): void {
    this.#travel.note(frame.camera);
    const { look } = this.#editor.view;
    const before = this.#scene;
    const scene = { frame, look, painted: this.#painted() };
    this.#scene = scene;
    if (setBlank(this.canvas, scene.painted.length === 0)) return;
    const part = before && changedArea(before, scene);
    if (part === NOTHING) return;
    this.#context.save();
    if (part) clearPart(this.#context, part);
    else clear(this.#context, frame);
    useImageSpace(this.#context, frame);
    const shown = shownIn(part ?? wholeArea(frame), frame);
    for (const { outline, color, style } of scene.painted) {
      paint(this.#context, drawingOf(outline), style(color, look), shown);
    }
    this.#context.restore();
  }

  destroy(): void {
    this.#travel.stop();
  }

  #painted(): Painted[] {
    const { selection, hovered } = this.#editor.view;
    const isMarked = hovered && !this.#travel.isUnderWay && !selection.has(hovered);
    return [
      ...this.#outlines(this.#ledger.late(), normalStyle),
      ...this.#outlines(isMarked ? [hovered] : [], hoverStyle),
      ...this.#outlines(selection, selectedStyle),
      ...this.#outlines(this.#refused().keys(), refusedStyle),
    ];
  }

  /** Those that are to be seen and are not shown as pixels. */
  #outlines(keys: Iterable<AnnotationKey>, style: Painted["style"]): Painted[] {
    const editor = this.#editor;
    const pixels = gesturePixels(editor)?.key;
    const found: Painted[] = [];
    for (const key of keys) {
      const annotation = editor.document.get(key);
      if (!annotation || key === pixels || !editor.visible(key)) continue;
      const outline = this.#ledger.outline(key, annotation);
      if (outline) found.push({ outline, color: editor.colorOf(key), style });
    }
    return found;
  }
}

/** The part of the canvas where the two look different, in device pixels; null for all of it. */
function changedArea(before: Scene, after: Scene): Bounds | typeof NOTHING | null {
  if (before.look !== after.look || !sameFrame(before.frame, after.frame)) return null;
  if (before.painted.length !== after.painted.length) return null;
  const shown = shownIn(wholeArea(after.frame), after.frame);
  let changed: Bounds | null = null;
  for (const [i, now] of after.painted.entries()) {
    const { outline, color, style } = before.painted[i]!;
    if (now.color !== color || now.style !== style) return null;
    if (now.outline === outline) continue;
    const extent = changedExtent(outline, now.outline);
    const around = extent && changedAround(drawingOf(outline), drawingOf(now.outline), shown);
    if (!extent || !around) return null;
    changed = [...extent, ...around].reduce<Bounds | null>(union, changed);
  }
  return changed ? deviceArea(changed, after.frame, REACH_CSS_PIXELS * after.frame.ratio) : NOTHING;
}

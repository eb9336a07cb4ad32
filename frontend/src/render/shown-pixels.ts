/** What is shown as pixels: for as long as it has no outline, or where that has too many points. */

import type { Editor } from "../editor/editor";
import { finishedPixels, type PixelsInHand } from "../editor/pixels";
import type { Bounds } from "../geometry/bounds";
import type { Annotation, AnnotationKey } from "../model/records";
import * as shapes from "../shapes";
import { pixelsOf } from "../shapes/pixels";
import type { ShapesLedger } from "./shapes-ledger";

export interface ShownPixels {
  readonly pixels: PixelsInHand;
  readonly as: "late" | "hovered" | "selected";
  readonly color: string;
  /** Where they are; null for what may grow anywhere. */
  readonly extent: Bounds | null;
}

/** The pixels that a gesture is working on, where they are to be seen. */
export function gesturePixels({ hand, view }: Editor): PixelsInHand | null {
  const { pixels } = hand.preview;
  return pixels && (pixels.key === null || !view.hidden.has(pixels.key)) ? pixels : null;
}

/** The uppermost last. What a gesture has just made may be what it was drawn on, `last`, which is on the screen. */
export function shownAsPixels(editor: Editor, ledger: ShapesLedger, last: PixelsInHand | null): ShownPixels[] {
  const { selection, hovered } = editor.view;
  const gesture = gesturePixels(editor);
  const shown: ShownPixels[] = [];
  for (const key of new Set([...ledger.late(), ...(hovered ? [hovered] : []), ...selection])) {
    const annotation = editor.document.get(key);
    if (!annotation || key === gesture?.key || !editor.visible(key) || !shapes.isHeavy(annotation)) continue;
    if (ledger.outline(key, annotation)) continue;
    const isLast = last?.finished === annotation;
    // Before the first bitmap nothing else has been on the screen.
    if (!isLast && !ledger.frame) continue;
    const pixels = isLast ? last : asPixels(editor, key, annotation);
    const as = selection.has(key) ? "selected" : key === hovered ? "hovered" : "late";
    if (pixels) shown.push({ pixels, as, color: editor.colorOf(key), extent: shapes.measures(annotation).bounds });
  }
  if (gesture) shown.push({ pixels: gesture, as: "selected", color: gestureColor(editor, gesture), extent: null });
  return shown;
}

const gestureColor = (editor: Editor, { key, categoryId }: PixelsInHand): string =>
  key ? editor.colorOf(key) : editor.color(categoryId);

/** Whether the one looks as the other does, but for what has changed within the pixels. */
export function looksSame(before: readonly ShownPixels[], after: readonly ShownPixels[]): boolean {
  return (
    before.length === after.length &&
    before.every(({ pixels, as, color }, i) => {
      const now = after[i]!;
      return pixels === now.pixels && as === now.as && color === now.color;
    })
  );
}

const known = new WeakMap<Annotation, PixelsInHand>();

/** Null for a mask that does not fit the image. */
function asPixels({ image }: Editor, key: AnnotationKey, annotation: Annotation): PixelsInHand | null {
  let pixels = known.get(annotation) ?? null;
  if (!pixels) {
    const size = [image.height, image.width] as const;
    const runs = pixelsOf(annotation, size);
    pixels = runs && finishedPixels(key, annotation, runs, size);
    if (pixels) known.set(annotation, pixels);
  }
  return pixels;
}

/** Moving the selection, by the hand or by the arrow keys: data in, change out. */

import type { Change } from "../model/document";
import type { Annotation, AnnotationKey } from "../model/records";
import * as shapes from "../shapes";
import type { Handle } from "../shapes/shape";
import type { Editor } from "./editor";

export type Originals = ReadonlyMap<AnnotationKey, Annotation>;

/** What of the selection can be moved, as it is now. Says why when it is nothing. */
export function movable(editor: Editor): Originals {
  const { view, document } = editor;
  const originals = new Map<AnnotationKey, Annotation>();
  for (const key of view.selection) {
    const annotation = document.get(key);
    if (!annotation || view.locked.has(key)) continue;
    const { height, width } = editor.image;
    if (!shapes.fitsImage(annotation.segmentation, [height, width])) continue;
    if (shapes.move(annotation, 0, 0)) originals.set(key, annotation);
  }
  if (originals.size === 0 && view.selection.size > 0) {
    const locked = [...view.selection].some((key) => view.locked.has(key));
    editor.say(
      locked
        ? "What is locked does not move. L unlocks it."
        : "A mask without pixels, or of another size than the image, stays as it is.",
    );
  }
  return originals;
}

/** The selection a little elsewhere; nothing where a mask of it is at the edge already, which is said. */
export function nudged(editor: Editor, dx: number, dy: number): Change {
  const originals = movable(editor);
  const [x, y] = shapes.reach(originals.values(), dx, dy);
  if (x !== 0 || y !== 0) return moved(originals, x, y);
  if (originals.size > 0) editor.say("The mask is at the edge of the image: what is beyond would be lost.");
  return new Map();
}

/** The selected annotation with some of its points elsewhere. */
export function movedPoints(editor: Editor, points: readonly Handle[], dx: number, dy: number): Change {
  const key = editor.view.only;
  const annotation = key && editor.document.get(key);
  return annotation ? new Map([[key, shapes.dragAll(annotation, points, dx, dy)]]) : new Map();
}

/**
 * The originals elsewhere; without a distance the very same objects. With a mask among them they move
 * by whole pixels, and as far as all of the mask stays in the image: what left it would be lost.
 */
export function moved(originals: Originals, dx: number, dy: number): Change {
  const [x, y] = shapes.reach(originals.values(), dx, dy);
  const still = x === 0 && y === 0;
  return new Map([...originals].map(([key, original]) => [key, still ? original : shapes.move(original, x, y)]));
}

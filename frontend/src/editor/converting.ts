/**
 * Polygons become masks and masks polygons, with the very same pixels. Where that takes long a worker does it, and
 * the hand waits: Escape drops it. What came of it is one step either way.
 */

import type { PixelSize } from "../geometry/runs";
import type { Annotation, AnnotationKey } from "../model/records";
import { conversionWork, toMask, toPolygons } from "../shapes/pixels";
import type { Editor } from "./editor";

export type Kind = "mask" | "polygons";

/** Converts off the main thread, one selection at a time. */
export interface Converter {
  /** Null for what has no pixels of its own. Rejects when it is stopped or fails. */
  convert(annotations: readonly Annotation[], size: PixelSize, to: Kind): Promise<readonly (Annotation | null)[]>;
  stop(): void;
}

/** So many edges between pixels, or runs, are converted before the next frame; more of them are felt. */
export const MOST_WORK = 50_000;

const NOTHING = "Nothing selected has pixels of its own on this image that could be converted.";

const OTHER = "What was changed while it was being converted stays as it is.";

export const convertOne = (annotation: Annotation, size: PixelSize, to: Kind): Annotation | null =>
  to === "mask" ? toMask(annotation, size) : toPolygons(annotation, size);

export function convert(editor: Editor, keys: readonly AnnotationKey[], to: Kind): void {
  const { converter, document, image } = editor;
  const size: PixelSize = [image.height, image.width];
  const found = keys.map((key) => [key, document.get(key)!] as const);
  const annotations = found.map(([, annotation]) => annotation);
  const work = annotations.reduce((sum, annotation) => sum + conversionWork(annotation), 0);
  const apply = (made: readonly (Annotation | null)[]): void => {
    const change = found.flatMap(([key, before], i) => {
      const after = made[i];
      // What somebody changed meanwhile is another shape.
      return after && document.get(key) === before ? [[key, after] as const] : [];
    });
    if (change.length > 0) editor.transact(to === "mask" ? "To mask" : "To polygons", new Map(change));
    if (found.some(([key, before]) => document.get(key) !== before && !change.some(([each]) => each === key))) editor.say(OTHER);
    else if (change.length === 0) editor.say(NOTHING);
  };
  if (!converter || work <= MOST_WORK) return apply(annotations.map((each) => convertOne(each, size, to)));
  let isDropped = false;
  const end = editor.hand.wait("the shape is being converted", () => {
    isDropped = true;
    converter.stop();
  });
  converter.convert(annotations, size, to).then(
    (made) => {
      if (isDropped) return;
      end();
      apply(made);
    },
    (error: unknown) => {
      if (isDropped) return;
      end();
      editor.say(error instanceof Error ? error.message : String(error));
    },
  );
}

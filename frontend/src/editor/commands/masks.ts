/** Polygons become masks and masks polygons, with the very same pixels. */

import type { PixelSize } from "../../geometry/runs";
import type { Annotation, AnnotationKey } from "../../model/records";
import { isMaskAnnotation, toMask, toPolygons } from "../../shapes/pixels";
import type { Editor } from "../editor";
import { canEditSelection, type Command } from "./command";

function convert(editor: Editor): void {
  const { view, document, image } = editor;
  const size: PixelSize = [image.height, image.width];
  const found = [...view.selection]
    .filter((key) => !view.locked.has(key))
    .map((key) => [key, document.get(key)!] as const);
  const outlined = found.filter(([, annotation]) => !isMaskAnnotation(annotation));
  // Where both kinds are selected, all are masks afterwards.
  const change =
    outlined.length > 0
      ? converted(outlined, (annotation) => toMask(annotation, size))
      : converted(found, (annotation) => toPolygons(annotation, size));
  if (change.size === 0) {
    editor.say("Nothing selected has pixels of its own on this image that could be converted.");
  } else editor.transact(outlined.length > 0 ? "To mask" : "To polygons", change);
}

function converted(
  found: readonly (readonly [AnnotationKey, Annotation])[],
  convertOne: (annotation: Annotation) => Annotation | null,
): Map<AnnotationKey, Annotation> {
  return new Map(
    found.flatMap(([key, annotation]) => {
      const other = convertOne(annotation);
      return other ? [[key, other] as const] : [];
    }),
  );
}

export const MASKS: readonly Command[] = [
  {
    id: "convert-mask",
    label: "Polygon to mask, mask to polygon",
    group: "Objects",
    help: "The selected objects cover the very same pixels afterwards.",
    keys: ["Shift+M"],
    when: canEditSelection,
    run: convert,
  },
];

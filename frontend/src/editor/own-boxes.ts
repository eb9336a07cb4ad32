/** A box of its own beside a shape follows the shape as soon as that changes: which is told, since it is lost. */

import type { Annotation, AnnotationKey } from "../model/records";
import type { Editor } from "./editor";

const TOLD = "The box of its own is gone: it follows the shape from now on. Undo brings it back.";

/** Whether a frame beside the shape went because the shape changed. */
function losesItsBox(before: Annotation, after: Annotation): boolean {
  if (!before.bbox || after.bbox || !before.segmentation || !after.segmentation) return false;
  const framed = "counts" in before.segmentation || before.segmentation.length > 0;
  return framed && (before.segmentation !== after.segmentation || before.holes !== after.holes);
}

export function tellOfLostBoxes(editor: Editor): void {
  const lost = new Set<AnnotationKey>();
  editor.document.subscribe((diff, origin) => {
    for (const { key, before, after } of diff) {
      if (origin === "local" && before && after && losesItsBox(before, after)) lost.add(key);
      else if (after?.bbox) lost.delete(key);
    }
  });
  editor.signal.on(["settled"], () => {
    if (lost.size > 0 && [...lost].some((key) => editor.document.get(key))) editor.say(TOLD);
    lost.clear();
  });
}

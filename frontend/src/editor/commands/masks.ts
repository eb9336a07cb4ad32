/** Polygons become masks and masks polygons, with the very same pixels. */

import { isMaskAnnotation } from "../../shapes/pixels";
import { convert } from "../converting";
import type { Editor } from "../editor";
import { canEditSelection, type Command } from "./command";

/** Where both kinds are selected, all are masks afterwards. */
function convertSelection(editor: Editor): void {
  const { view, document } = editor;
  const keys = [...view.selection].filter((key) => !view.locked.has(key));
  const outlined = keys.filter((key) => !isMaskAnnotation(document.get(key)!));
  if (outlined.length > 0) convert(editor, outlined, "mask");
  else convert(editor, keys, "polygons");
}

export const MASKS: readonly Command[] = [
  {
    id: "convert-mask",
    label: "Polygon to mask, mask to polygon",
    group: "Objects",
    help: "The selected objects cover the very same pixels afterwards.",
    keys: ["Shift+M"],
    when: canEditSelection,
    run: convertSelection,
  },
];

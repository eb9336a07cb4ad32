/** Selecting many at once; one by one it is done by pointing. */

import type { Annotation, AnnotationKey } from "../../model/records";
import type { Editor } from "../editor";
import { busy, type Command } from "./command";

/** Selects what fits, of all that is shown and not locked. */
function selectWhere(editor: Editor, fits: (key: AnnotationKey, annotation: Annotation) => boolean): void {
  const found: AnnotationKey[] = [];
  for (const [key, annotation] of editor.document.entries()) {
    const touchable = editor.visible(key) && !editor.view.locked.has(key);
    if (touchable && fits(key, annotation)) found.push(key);
  }
  editor.select(found);
}

function selectCategory(editor: Editor): void {
  const { selection } = editor.view;
  const wanted = new Set([...selection].map((key) => editor.document.get(key)?.category_id));
  if (selection.size === 0) wanted.add(editor.categoryId);
  selectWhere(editor, (_, { category_id: id }) => wanted.has(id));
}

export const SELECTION: readonly Command[] = [
  {
    id: "select-all",
    label: "Select everything",
    group: "Objects",
    help: "Selects what is shown and not locked.",
    keys: ["Mod+A"],
    when: (editor) => !busy(editor),
    run: (editor) => selectWhere(editor, () => true),
  },
  {
    id: "select-category",
    label: "Select everything of this category",
    group: "Objects",
    help: "Of the selection's categories, or of the current one where nothing is selected.",
    keys: ["Mod+Shift+A"],
    when: (editor) => !busy(editor),
    run: selectCategory,
  },
  {
    id: "select-others",
    label: "Invert the selection",
    group: "Objects",
    help: "Selects everything else that is shown and not locked.",
    keys: ["Mod+I"],
    when: (editor) => !busy(editor),
    run: (editor) => {
      const { selection } = editor.view;
      selectWhere(editor, (key) => !selection.has(key));
    },
  },
];

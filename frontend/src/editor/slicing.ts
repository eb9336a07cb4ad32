/** The selected annotations cut along a line, as one step. */

import type { ImagePoint } from "../geometry/point";
import { newKey, type Annotation, type AnnotationKey } from "../model/records";
import * as shapes from "../shapes";
import type { Editor } from "./editor";

/** Each that the line goes through becomes two; the larger half stays the annotation that it was. */
export function sliceSelection(editor: Editor, line: readonly ImagePoint[]): void {
  const { view, document } = editor;
  const change = new Map<AnnotationKey, Annotation>();
  const added: AnnotationKey[] = [];
  for (const key of view.selection) {
    const annotation = document.get(key);
    if (!annotation || view.locked.has(key) || view.hidden.has(key)) continue;
    const halves = shapes.slice(annotation, line);
    if (!halves) continue;
    const other = newKey();
    change.set(key, halves[0]).set(other, halves[1]);
    added.push(other);
  }
  if (added.length === 0) {
    editor.say("Nothing is cut: the line has to cross the selected shape from edge to edge.");
    return;
  }
  editor.transact("Slice", change);
  editor.select([...view.selection, ...added]);
}

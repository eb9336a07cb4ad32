/**
 * What becomes of a drawn shape: an annotation of its own, or a part of the
 * selected one that is added or cut away.
 *
 * The tools that draw areas list COMBINE among their options, so its value is
 * the same in all of them. Shift held at the first press adds and Alt subtracts,
 * whatever is chosen.
 */

import type { Operation, Region } from "../geometry/clipping";
import type { AnnotationKey } from "../model/records";
import * as shapes from "../shapes";
import type { Editor } from "./editor";
import type { PointerInput } from "./input";
import type { Choice } from "./options";

export type CombineMode = "new" | Operation;

export const COMBINE: Choice<CombineMode> = {
  kind: "choice",
  id: "combine",
  label: "What is drawn",
  help: "Makes a new annotation, adds to the selected one, or is cut out of it. Shift held adds, Alt subtracts.",
  values: [
    { value: "new", label: "New" },
    { value: "add", label: "Add" },
    { value: "subtract", label: "Subtract" },
  ],
  initial: "new",
  key: "Q",
};

/** What the keys held at a press say, or the end of the pen; null when they say nothing. */
export function heldMode({ shift, alt, rubber }: PointerInput): CombineMode | null {
  if (alt || rubber) return "subtract";
  return shift ? "add" : null;
}

/** The annotation that a drawn shape is added to or cut out of; says why when there is none. */
function combineTarget(editor: Editor, operation: Operation): AnnotationKey | null {
  const { view } = editor;
  const key = view.only;
  if (key !== null && !view.locked.has(key) && !view.hidden.has(key)) return key;
  if (key !== null) editor.say("The selected annotation is locked or hidden, so it stays as it is.");
  else if (operation === "subtract") editor.say("Select the one annotation that the shape is cut out of, then draw.");
  else editor.say("Select the one annotation that the shape is added to, then draw.");
  return null;
}

/** Adds the region to the selected annotation or cuts it out, as one step. */
export function combineWithSelected(editor: Editor, region: Region, operation: Operation): void {
  const key = combineTarget(editor, operation);
  const before = key && editor.document.get(key);
  if (!key || !before) return;
  const after = shapes.combine(before, region, operation);
  if (after === undefined) editor.say("The selected annotation has no area to add to or to cut from.");
  else if (after === null) editor.say("Nothing of the annotation would be left. Delete removes it.");
  else {
    editor.transact(operation === "add" ? "Add to shape" : "Subtract from shape", new Map([[key, after]]));
    if (after === before) editor.say("The drawn shape changes nothing of the selected one.");
    else if (before.holes.length === 0 && after.holes.length > 0) editor.say(HOLE);
  }
}

const HOLE =
  "The annotation has a hole now. COCO polygons know none, so it is exported as an RLE mask, in which every reader sees it.";

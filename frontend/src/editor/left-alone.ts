/** What the person is told when an undo or redo left alone what others had changed. */

import type { LeftAlone, Replay } from "../model/history";
import { plural } from "../shapes/shape";
import type { Editor } from "./editor";

/** Null when everything was taken back or repeated. */
export function leftAlone(editor: Editor, what: "undone" | "redone", { did, left }: Replay): string | null {
  const [first] = left;
  if (!first) return did ? null : `Nothing of it was left to be ${what}.`;
  const since = left.length === 1 ? why(editor, first) : `changed ${plural(left.length, "object")}`;
  const told = `somebody else has ${since} since`;
  return did ? `Not all of it is ${what}: ${told}.` : `Not ${what}: ${told}.`;
}

function why(editor: Editor, { key, because }: LeftAlone): string {
  if (because === "decided") return "decided otherwise about the prediction";
  const annotation = editor.document.get(key);
  if (!annotation) return "deleted the object";
  return `changed “${editor.category(annotation.category_id)?.name ?? "annotation"}”`;
}

/** The selected annotations as one, as one step. */

import type { Annotation, AnnotationKey } from "../model/records";
import { joined } from "../shapes/joining";
import type { Editor } from "./editor";

/** The first selected one becomes all of them and keeps its id and fields; the others go. */
export function joinSelection(editor: Editor): void {
  const { view, document } = editor;
  const keys = [...view.selection];
  const annotations = keys.flatMap((key) => document.get(key) ?? []);
  const refusal = whyNot(editor, keys, annotations);
  if (refusal) return editor.say(refusal);
  const [first, ...others] = annotations;
  const size = [editor.image.height, editor.image.width] as const;
  const all = others.reduce<Annotation | null>((sum, other) => sum && joined(sum, other, size), first!);
  if (!all) return editor.say("These shapes cannot be joined: only areas can.");
  const change = new Map<AnnotationKey, Annotation | null>(keys.map((key) => [key, null]));
  editor.transact("Join", change.set(keys[0]!, all));
  editor.select([keys[0]!]);
}

function whyNot({ view }: Editor, keys: readonly AnnotationKey[], annotations: readonly Annotation[]): string | null {
  if (annotations.length < 2) return "Select the annotations that shall become one, two at least.";
  if (keys.some((key) => view.locked.has(key))) return "One of these annotations is locked. L unlocks it.";
  if (new Set(annotations.map((one) => one.category_id)).size > 1) return "Only annotations of one category can be joined.";
  const lost = annotations.slice(1).some(({ keypoints, caption }) => keypoints !== null || caption !== null);
  return lost ? "Keypoints and captions of the others would be lost, so these are not joined." : null;
}

/** Copy, cut, paste and duplicate, on this image and on others. */

import { newCopyKey, newKey, type Annotation, type AnnotationKey } from "../../model/records";
import { plural } from "../../shapes/shape";
import { itemOf, type Clip, type ClipItem } from "../clipboard";
import type { Editor } from "../editor";
import { labelsOf } from "../notes";
import { planPaste, type PasteOptions } from "../pasting";
import { busy, canEdit, canEditSelection, hasSelection, type Command } from "./command";

function clipOf(editor: Editor): Clip {
  const { document, view, image } = editor;
  const items: ClipItem[] = [];
  // In the order of the document, whatever the order in which they were selected.
  for (const [key, annotation] of document.entries()) {
    const item = view.selection.has(key) && itemOf(document, key, editor.category(annotation.category_id));
    if (item) items.push(item);
  }
  return { imageId: image.id, datasetId: image.dataset_id, items };
}

function copy(editor: Editor): void {
  const clip = clipOf(editor);
  const kept = editor.clipboard.put(clip);
  const what = plural(clip.items.length, "object");
  editor.say(kept ? `${what} copied.` : `${what} copied, until the page is closed: too much to be kept longer.`);
}

function cut(editor: Editor): void {
  copy(editor);
  editor.remove(editor.view.selection, "Cut");
}

/** What comes of the clip on this image, as one step. */
export function placeClip(editor: Editor, label: string, clip: Clip, options: PasteOptions): void {
  const { image, categories } = editor;
  const target = { image, categories, labels: new Set(labelsOf(editor).keys()) };
  const { pasted, told } = planPaste(clip, target, options);
  const change = new Map<AnnotationKey, Annotation>();
  for (const { annotation, of } of pasted) {
    change.set(of === null ? newKey() : newCopyKey(of), annotation);
  }
  if (change.size > 0) {
    editor.transact(label, change);
    editor.select(change.keys());
  }
  const inPlace = clip.imageId === image.id && !options.at;
  const done = `${plural(pasted.length, "object")} pasted${inPlace ? " in place: drag to move" : ""}.`;
  editor.say([...(pasted.length > 0 ? [done] : []), ...told].join(" "));
}

function paste(editor: Editor, options: PasteOptions): void {
  const { clipboard } = editor;
  const clip = clipboard.get();
  if (clip) placeClip(editor, "Paste", clip, options);
  else if (clipboard.isElsewhere) {
    editor.say("What was copied last was too much to be kept. Paste it where it was copied, or copy less.");
  }
}

const canPaste = (editor: Editor): boolean =>
  canEdit(editor) && !busy(editor) && (editor.clipboard.get() !== null || editor.clipboard.isElsewhere);

export const CLIPBOARD: readonly Command[] = [
  {
    id: "copy",
    label: "Copy",
    group: "Edit",
    help: "Keeps the selection to be pasted on this image or another one.",
    keys: ["Mod+C"],
    when: (editor) => hasSelection(editor) && !busy(editor),
    run: copy,
  },
  {
    id: "cut",
    label: "Cut",
    group: "Edit",
    help: "Copies the selection and deletes it.",
    keys: ["Mod+X"],
    when: canEditSelection,
    run: cut,
  },
  {
    id: "paste",
    label: "Paste",
    group: "Edit",
    help: "Pastes at the place that the objects were copied from, with all that belongs to them.",
    keys: ["Mod+V"],
    when: canPaste,
    run: (editor) => paste(editor, { clipped: false }),
  },
  {
    id: "paste-at-pointer",
    label: "Paste at the pointer",
    group: "Edit",
    help: "Pastes with the middle of the objects under the pointer.",
    keys: ["Mod+Shift+V"],
    when: canPaste,
    run: (editor) => {
      if (editor.pointerAt) paste(editor, { at: editor.pointerAt, clipped: false });
      else editor.say("The pointer is not on the image yet. Point at the place, then paste there.");
    },
  },
  {
    id: "paste-clipped",
    label: "Paste, cut off at the edges",
    group: "Edit",
    help: "Pastes and cuts off what would lie outside of the image.",
    keys: [],
    when: canPaste,
    run: (editor) => paste(editor, { clipped: true }),
  },
  {
    id: "duplicate",
    label: "Duplicate",
    group: "Edit",
    help: "Makes a copy of the selection in its place, selected, so that a drag moves it.",
    keys: ["Mod+D"],
    when: canEditSelection,
    run: (editor) => placeClip(editor, "Duplicate", clipOf(editor), { clipped: false }),
  },
];

/**
 * What is said of the image as a whole: captions, and labels, which say that something of a category
 * is in it. Each is an annotation of its own, saved and undone like any other.
 */

import { EMPTY_ANNOTATION, newKey, type Annotation, type AnnotationKey, type Category } from "../model/records";
import { isLabel } from "../shapes";
import type { Editor } from "./editor";

export interface Caption {
  readonly key: AnnotationKey;
  readonly text: string;
}

/** An object may have a caption of its own; it is none of the image. */
const isCaption = (annotation: Annotation): boolean =>
  annotation.caption !== null && isLabel({ ...annotation, caption: null });

export function captionsOf({ document }: Editor): Caption[] {
  return [...document.entries()].flatMap(([key, annotation]) =>
    isCaption(annotation) ? [{ key, text: annotation.caption! }] : [],
  );
}

/** The labels by category; a file may have brought the same one twice. */
export function labelsOf({ document }: Editor): Map<number, AnnotationKey[]> {
  const found = new Map<number, AnnotationKey[]>();
  for (const [key, annotation] of document.entries()) {
    const { category_id: id } = annotation;
    if (id !== null && isLabel(annotation)) found.set(id, [...(found.get(id) ?? []), key]);
  }
  return found;
}

/** Blanks around it are left out; null when nothing else is there. */
export function addCaption(editor: Editor, text: string): AnnotationKey | null {
  const caption = text.trim();
  if (!caption || editor.readOnly) return null;
  const key = newKey();
  editor.transact("Add caption", new Map([[key, { ...EMPTY_ANNOTATION, caption }]]));
  return key;
}

/** The text as it is written, to the last blank; without any the caption goes. */
export function editCaption(editor: Editor, key: AnnotationKey, text: string): void {
  const annotation = editor.document.get(key);
  if (!annotation || annotation.caption === text) return;
  if (text.trim()) editor.transact("Edit caption", new Map([[key, { ...annotation, caption: text }]]));
  else removeCaption(editor, key);
}

export function removeCaption(editor: Editor, key: AnnotationKey): void {
  editor.transact("Delete caption", new Map([[key, null]]));
}

export function toggleLabel(editor: Editor, { id }: Category): void {
  const there = labelsOf(editor).get(id);
  if (there) editor.transact("Remove label", new Map(there.map((key) => [key, null])));
  else editor.transact("Add label", new Map([[newKey(), { ...EMPTY_ANNOTATION, category_id: id }]]));
}

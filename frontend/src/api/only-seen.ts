/** What waits of an image where nothing can be saved is seen as it was left, and marked. */

import type { AnnotationDocument } from "../model/document";
import { keyOfId, sameAnnotation, type Annotation, type AnnotationKey } from "../model/records";
import type { PendingEntry } from "./pending-store";
import type { Slots } from "./save-slot";

/** Shows it; gives why it is not saved, by what it is called here. */
export function showUnsaved(
  document: AnnotationDocument,
  slots: Slots,
  entries: readonly PendingEntry[],
  why: string,
): ReadonlyMap<AnnotationKey, string> {
  const marked = new Map<AnnotationKey, string>();
  const change = new Map<AnnotationKey, Annotation | null>();
  for (const { key: kept, clientKey, facts, target } of entries) {
    const made = facts ? null : slots.loadedAs(clientKey ?? kept);
    const id = (facts ?? made?.facts)?.id;
    const key = id === undefined ? kept : keyOfId(id);
    // What was deleted here stays to be seen where the server has it.
    if (made ? sameAnnotation(made.annotation, target) : !target && !document.get(key)) continue;
    marked.set(key, target ? why : `You deleted it. ${why}`);
    if (target) change.set(key, target);
  }
  document.apply(change, "remote");
  return marked;
}

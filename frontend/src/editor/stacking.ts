/**
 * What lies above what. COCO has no such order: a file's order is one of records.
 * So it is an attribute of the annotation, `z_order`, 0 when it is not there, and
 * only asking for it sets it (decision 23). Of equals the smaller lies above.
 */

import { overlap } from "../geometry/bounds";
import type { Annotation, AnnotationKey } from "../model/records";
import * as shapes from "../shapes";
import type { Editor } from "./editor";

const NAME = "z_order";

export function zOrder({ attributes }: Annotation): number {
  const value = attributes[NAME];
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}

/** Negative when `a` is drawn before `b`, and so lies below. */
export function below(a: Annotation, b: Annotation): number {
  return zOrder(a) - zOrder(b) || shapes.measures(b).area - shapes.measures(a).area;
}

function withZOrder(annotation: Annotation, z: number): Annotation {
  const others = Object.entries(annotation.attributes).filter(([name]) => name !== NAME);
  return { ...annotation, attributes: Object.fromEntries(z === 0 ? others : [...others, [NAME, z]]) };
}

/** The next one above or below of those that it could hide or be hidden by. */
function neighbour(editor: Editor, key: AnnotationKey, side: 1 | -1): Annotation | null {
  const annotation = editor.document.get(key);
  const { bounds } = annotation ? shapes.measures(annotation) : { bounds: null };
  if (!annotation || !bounds) return null;
  let next: Annotation | null = null;
  for (const [other, candidate] of editor.document.entries()) {
    const extent = shapes.measures(candidate).bounds;
    if (other === key || editor.view.selection.has(other) || !extent || !overlap(bounds, extent)) continue;
    if (side * below(candidate, annotation) <= 0) continue;
    if (!next || side * below(candidate, next) < 0) next = candidate;
  }
  return next;
}

/** Brings the selection one object forward (1) or sends it one back (-1). */
export function restack(editor: Editor, side: 1 | -1): void {
  const change = new Map<AnnotationKey, Annotation>();
  for (const key of editor.view.selection) {
    const next = editor.view.locked.has(key) ? null : neighbour(editor, key, side);
    if (next) change.set(key, withZOrder(editor.document.get(key)!, zOrder(next) + side));
  }
  if (change.size === 0) {
    editor.say(`Nothing lies ${side > 0 ? "above" : "below"} the selection where they overlap.`);
    return;
  }
  editor.transact(side > 0 ? "Bring forward" : "Send back", change);
}

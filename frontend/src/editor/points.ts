/**
 * The selected points of the one selected annotation.
 *
 * A point is named by its place in the outline, which means nothing any more as
 * soon as the outline has another number of points: then none is selected.
 */

import type { Bounds } from "../geometry/bounds";
import type { Annotation, AnnotationKey } from "../model/records";
import * as shapes from "../shapes";
import type { Handle } from "../shapes/shape";
import type { Editor } from "./editor";

export interface PointSelection {
  readonly key: AnnotationKey;
  /** How many points the annotation had when these were selected. */
  readonly count: number;
  /** By their names, as they were then. */
  readonly points: ReadonlyMap<string, Handle>;
}

export const pointName = ({ shape, part, index }: Handle): string => `${shape}/${part}/${index}`;

interface Reshapeable {
  readonly key: AnnotationKey;
  readonly annotation: Annotation;
  /** How many points it has that can be moved together. */
  readonly count: number;
}

/** The one annotation that is selected, where it has points to take hold of. */
export function reshapeable(editor: Editor): Reshapeable | null {
  const { view, document, readOnly } = editor;
  const key = view.only;
  const annotation = key && document.get(key);
  if (!annotation || readOnly || view.hidden.has(key) || view.locked.has(key)) return null;
  const count = shapes.pointCount(annotation, editor.context(annotation));
  return count > 0 ? { key, annotation, count } : null;
}

export function selectedPoints(editor: Editor): readonly Handle[] {
  const { points: selection } = editor.view;
  const found = selection && reshapeable(editor);
  if (!found || found.key !== selection.key || found.count !== selection.count) return [];
  const context = editor.context(found.annotation);
  return [...selection.points.values()].flatMap((point) => shapes.handleNow(found.annotation, point, context) ?? []);
}

export function selectPoints(editor: Editor, points: Iterable<Handle>): void {
  const found = reshapeable(editor);
  const named = new Map([...points].map((point) => [pointName(point), point]));
  editor.view.points = found && named.size > 0 ? { key: found.key, count: found.count, points: named } : null;
  editor.signal.emit("selection");
}

export function pointsWithin(editor: Editor, bounds: Bounds): readonly Handle[] {
  const found = reshapeable(editor);
  return found ? shapes.pointsWithin(found.annotation, bounds, editor.context(found.annotation)) : [];
}

/** The annotation without these points; says why when they cannot go. */
export function removePoints(editor: Editor, points: readonly Handle[]): void {
  const found = reshapeable(editor);
  if (!found || points.length === 0) return;
  const without = shapes.removeHandles(found.annotation, points);
  if (!without) return editor.say(LAST_POINTS);
  editor.transact(points.length === 1 ? "Delete point" : "Delete points", new Map([[found.key, without]]));
}

export const LAST_POINTS = "These points cannot be taken away. Delete removes the whole shape.";

/**
 * The selected points of the one selected annotation.
 *
 * A point is named by its place in the outline, which means nothing any more as
 * soon as the outline has another number of points: then none is selected.
 */

import type { Bounds } from "../geometry/bounds";
import { contains } from "../geometry/bounds";
import type { Annotation, AnnotationKey } from "../model/records";
import * as shapes from "../shapes";
import type { Handle } from "../shapes/shape";
import type { Editor } from "./editor";

export interface PointSelection {
  readonly key: AnnotationKey;
  /** How many points the annotation had when these were selected. */
  readonly count: number;
  readonly names: ReadonlySet<string>;
}

export const pointName = ({ shape, part, index }: Handle): string => `${shape}/${part}/${index}`;

/** The points that can be moved together, of the one annotation that is selected. */
export function pointsOf(editor: Editor): { key: AnnotationKey; annotation: Annotation; points: readonly Handle[] } | null {
  const { view, document, readOnly } = editor;
  const key = view.only;
  const annotation = key && document.get(key);
  if (!annotation || readOnly || view.hidden.has(key) || view.locked.has(key)) return null;
  return { key, annotation, points: shapes.points(annotation, editor.context(annotation)) };
}

export function selectedPoints(editor: Editor): readonly Handle[] {
  const { points: selection } = editor.view;
  const found = selection && pointsOf(editor);
  if (!found || found.key !== selection.key || found.points.length !== selection.count) return [];
  return found.points.filter((point) => selection.names.has(pointName(point)));
}

export function selectPoints(editor: Editor, points: Iterable<Handle>): void {
  const found = pointsOf(editor);
  const names = new Set([...points].map(pointName));
  editor.view.points = found && names.size > 0 ? { key: found.key, count: found.points.length, names } : null;
  editor.signal.emit("selection");
}

export function pointsWithin(editor: Editor, bounds: Bounds): Handle[] {
  return pointsOf(editor)?.points.filter(({ at }) => contains(bounds, at)) ?? [];
}

/** The annotation without these points; says why when they cannot go. */
export function removePoints(editor: Editor, points: readonly Handle[]): void {
  const found = pointsOf(editor);
  if (!found || points.length === 0) return;
  const without = shapes.removeHandles(found.annotation, points);
  if (!without) return editor.say(LAST_POINTS);
  editor.transact(points.length === 1 ? "Delete point" : "Delete points", new Map([[found.key, without]]));
}

export const LAST_POINTS = "These points cannot be taken away. Delete removes the whole shape.";

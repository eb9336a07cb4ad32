/** Keypoints of the selection: which can be edited, and what the keys do to one of them. */

import type { ImagePoint } from "../geometry/point";
import { EMPTY_ANNOTATION, type Annotation, type AnnotationKey, type Category } from "../model/records";
import * as shapes from "../shapes";
import * as poses from "../shapes/poses";
import type { Editor } from "./editor";

export interface Pose {
  readonly key: AnnotationKey;
  readonly annotation: Annotation;
  readonly category: Category;
}

/** The one selected annotation, if its category has keypoints and its numbers are as many. */
export function selectedPose(editor: Editor): Pose | null {
  const { view, document } = editor;
  const key = view.only;
  const annotation = key && document.get(key);
  const category = annotation && editor.category(annotation.category_id);
  if (!category || category.keypoints.length === 0) return null;
  const { keypoints } = annotation;
  const fits = keypoints === null || keypoints.length === 3 * category.keypoints.length;
  return fits ? { key, annotation, category } : null;
}

/** The same, if it may be changed. */
export function editablePose(editor: Editor): Pose | null {
  const pose = selectedPose(editor);
  const { hidden, locked } = editor.view;
  return pose && !editor.readOnly && !hidden.has(pose.key) && !locked.has(pose.key) ? pose : null;
}

export const withKeypoints = (annotation: Annotation, keypoints: poses.Numbers | null): Annotation => ({
  ...annotation,
  keypoints,
});

/** The keypoint under the pointer, else the one chosen by its name. */
export function keypointInHand(editor: Editor): { pose: Pose; index: number } | null {
  const pose = editablePose(editor);
  if (!pose) return null;
  const { hoveredHandle: handle, keypoint } = editor.view;
  const index = handle?.shape === "keypoints" ? handle.index : keypoint;
  return index !== null && poses.visibilityOf(pose.annotation.keypoints, index) > 0 ? { pose, index } : null;
}

/** Changes one labelled point's visibility; 0 makes it absent. Within a gesture it is part of that. */
export function setVisibility(editor: Editor, pose: Pose, index: number, visibility: poses.Visibility): void {
  const { key, annotation, category } = pose;
  const numbers = annotation.keypoints;
  if (!numbers || poses.visibilityOf(numbers, index) === visibility) return;
  const at = poses.pointOf(numbers, index);
  const changed = poses.withPoint(numbers, category.keypoints.length, index, at, visibility);
  const change = new Map([[key, withKeypoints(annotation, changed)]]);
  if (editor.history.open) editor.change(change);
  else editor.transact("Change keypoint", change);
}

export function swapSides(editor: Editor, { key, annotation, category }: Pose): void {
  const { keypoints } = annotation;
  if (!keypoints) return;
  const swapped = withKeypoints(annotation, poses.mirrored(keypoints, category.keypoints));
  editor.transact("Swap left and right", new Map([[key, swapped]]));
}

/**
 * The layout that a whole pose of the category begins with: a standing person for COCO's names, else
 * as the first object on the image has it, as the person placed the last one, or as the names and the
 * skeleton suggest.
 */
export function layoutFor(editor: Editor, category: Category): poses.Layout {
  const { keypoints: names, skeleton } = category;
  return (
    poses.standing(names) ??
    firstLayout(editor, category) ??
    lastLayout(editor, category) ??
    poses.suggested(names, skeleton)
  );
}

/** That of the first annotated object of the category on the image. */
function firstLayout(editor: Editor, { id, keypoints: names }: Category): poses.Layout | null {
  for (const [, annotation] of editor.document.entries()) {
    const { category_id: categoryId, keypoints } = annotation;
    if (categoryId !== id || keypoints?.length !== 3 * names.length) continue;
    const { bounds } = shapes.measures(annotation);
    const layout = bounds && poses.layoutOf(keypoints, bounds);
    if (layout?.some((share) => share !== null)) return layout;
  }
  return null;
}

function lastLayout(editor: Editor, { id, keypoints: names }: Category): poses.Layout | null {
  const keypoints = editor.poses.get(id);
  if (keypoints?.length !== 3 * names.length) return null;
  const { bounds } = shapes.measures({ ...EMPTY_ANNOTATION, keypoints });
  return bounds && poses.layoutOf(keypoints, bounds);
}

/** Keeps each whole pose that a person has changed, with whichever tool, as the one that the next begins with. */
export function rememberPoses(editor: Editor): void {
  const changed = new Set<AnnotationKey>();
  editor.document.subscribe((diff, origin) => {
    if (origin !== "local") return;
    for (const { key, before, after } of diff) if (before && before.keypoints !== after?.keypoints) changed.add(key);
  });
  editor.signal.on(["settled"], () => {
    for (const key of changed) remember(editor, editor.document.get(key));
    changed.clear();
  });
}

function remember(editor: Editor, annotation: Annotation | null): void {
  const count = editor.category(annotation?.category_id ?? null)?.keypoints.length ?? 0;
  const { keypoints } = annotation ?? EMPTY_ANNOTATION;
  if (count === 0 || keypoints?.length !== 3 * count) return;
  if (poses.nextAbsent(keypoints, count) === null) editor.poses.put(annotation!.category_id!, keypoints);
}

/** The limbs from a point to those of its neighbours that are labelled. */
export function limbsTo(
  numbers: poses.Numbers | null,
  { skeleton }: Category,
  index: number,
  at: ImagePoint,
): [ImagePoint, ImagePoint][] {
  return skeleton.flatMap(([a, b]) => {
    const other = a - 1 === index ? b - 1 : b - 1 === index ? a - 1 : -1;
    if (other < 0 || !numbers || poses.visibilityOf(numbers, other) === 0) return [];
    return [[poses.pointOf(numbers, other), at] as [ImagePoint, ImagePoint]];
  });
}

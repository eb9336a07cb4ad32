/**
 * What the tools that work on pixels share: which mask they work on, what they
 * leave to other objects, and how their pixels become one step of the document.
 */

import type { Editor } from "../editor/editor";
import type { Choice } from "../editor/options";
import type { CombineMode } from "../editor/combining";
import { columnsOf, type PixelsInHand } from "../editor/pixels";
import { grown, overlap, type Bounds } from "../geometry/bounds";
import type { ImagePoint } from "../geometry/point";
import {
  intersect,
  NO_PIXELS,
  runsBounds,
  sameRuns,
  unite,
  without,
  type PixelSize,
  type Runs,
} from "../geometry/runs";
import { EMPTY_ANNOTATION, newKey, type Annotation, type AnnotationKey } from "../model/records";
import * as shapes from "../shapes";
import { isMaskAnnotation, isSegmented, pixelsOf, withPixels } from "../shapes/pixels";
import { mayDraw } from "./pointing";

export const LIMIT = {
  kind: "choice",
  id: "paint-limit",
  label: "Where other objects are",
  help: "Whether paint lies over other objects, only where none is, or takes the pixels from other masks.",
  values: [
    { value: "over", label: "Over others" },
    { value: "free", label: "Free space" },
    { value: "take", label: "Take from masks" },
  ],
  initial: "over",
} as const satisfies Choice;

export type Limit = (typeof LIMIT.values)[number]["value"];

/** The mask that is painted on; without a key it is not there yet. */
export interface Target {
  readonly key: AnnotationKey | null;
  readonly categoryId: number | null;
  readonly before: Runs;
}

export const imageSize = ({ image }: Editor): PixelSize => [image.height, image.width];

/** The selected object, where it says what it covers. Boxes and keypoints are not painted on. */
function segmented(editor: Editor): [AnnotationKey, Annotation] | null {
  const key = editor.view.only;
  const annotation = key && editor.document.get(key);
  return annotation && isSegmented(annotation) ? [key, annotation] : null;
}

/** The selected object, where it is made of polygons and would have to become a mask. */
export function selectedPolygon(editor: Editor): AnnotationKey | null {
  const found = segmented(editor);
  return found && !isMaskAnnotation(found[1]) ? found[0] : null;
}

/** What pixels are added to: the selected mask or a new one. Says why when it is neither. */
export function targetToAdd(editor: Editor): Target | null {
  const found = segmented(editor);
  if (found) return targetAt(editor, ...found);
  return mayDraw(editor) ? { key: null, categoryId: editor.categoryId, before: NO_PIXELS } : null;
}

/** What pixels are taken from: the selected mask or, where none is, the one under the pointer. */
export function targetToSubtract(editor: Editor, at: ImagePoint): Target | null {
  const found = segmented(editor);
  if (found) return targetAt(editor, ...found);
  for (const key of editor.under(at, 0)) {
    const annotation = editor.document.get(key)!;
    if (!isMaskAnnotation(annotation)) continue;
    editor.select([key]);
    return targetAt(editor, key, annotation);
  }
  editor.say("There is no mask to take pixels from. Select one, or begin on one.");
  return null;
}

/** What a gesture of this mode works on, where there is something. Says why not. */
export function targetFor(editor: Editor, mode: CombineMode, at: ImagePoint): Target | null {
  if (mode === "new") {
    return mayDraw(editor) ? { key: null, categoryId: editor.categoryId, before: NO_PIXELS } : null;
  }
  if (selectedPolygon(editor)) {
    editor.say("The selected object is made of polygons. Shift M turns it into a mask with the same pixels.");
    return null;
  }
  return mode === "add" ? targetToAdd(editor) : targetToSubtract(editor, at);
}

function targetAt(editor: Editor, key: AnnotationKey, annotation: Annotation): Target | null {
  const refusal = whyNot(editor, key, annotation);
  if (refusal) {
    editor.say(refusal);
    return null;
  }
  const before = pixelsOf(annotation, imageSize(editor))!;
  return { key, categoryId: annotation.category_id, before };
}

function whyNot({ view, image }: Editor, key: AnnotationKey, annotation: Annotation): string | null {
  if (view.locked.has(key)) return "What is locked keeps its pixels. L unlocks it.";
  if (view.hidden.has(key)) return "The selected mask is hidden. H shows it.";
  if (pixelsOf(annotation, [image.height, image.width])) return null;
  return "The selected mask does not fit the image, so it is left as it is. Escape, then begin a new one.";
}

/** The pixels of all objects but one, worked out as far as they are asked for. */
export class Occupied {
  readonly #editor: Editor;
  readonly #open: Map<AnnotationKey, Annotation>;
  #runs: Runs = NO_PIXELS;

  constructor(editor: Editor, except: AnnotationKey | null) {
    this.#editor = editor;
    this.#open = new Map([...editor.document.entries()].filter(([key, each]) => key !== except && isSegmented(each)));
  }

  /** Right within the bounds; what is outside may be missing. */
  within(bounds: Bounds): Runs {
    for (const [key, annotation] of this.#open) {
      const extent = shapes.measures(annotation).bounds;
      // Pixels may reach a little over the outline that they are drawn from.
      if (extent && !overlap(grown(extent, 1), bounds)) continue;
      this.#open.delete(key);
      this.#runs = unite(this.#runs, pixelsOf(annotation, imageSize(this.#editor)) ?? NO_PIXELS);
    }
    return this.#runs;
  }
}

export interface Paint {
  readonly label: string;
  readonly target: Target;
  readonly drawn: Runs;
  readonly subtract: boolean;
  readonly limit: Limit;
}

/**
 * Adds the pixels to the mask, or takes them from it, as one step. The mask is
 * taken as it is by now; what changes no pixel makes no step.
 */
export function applyPaint(editor: Editor, paint: Paint): [AnnotationKey, Annotation] | null {
  const { target, subtract, limit, label } = paint;
  const now = target.key === null ? freshMask(target) : editor.document.get(target.key);
  if (!now) {
    editor.say("The mask is gone: somebody else deleted it.");
    return null;
  }
  const size = imageSize(editor);
  const key = target.key ?? newKey();
  const drawn = withinLimit(editor, target, paint.drawn, subtract);
  const before = target.key === null ? NO_PIXELS : (pixelsOf(now, size) ?? NO_PIXELS);
  const after = subtract ? without(before, drawn) : unite(before, drawn);
  if (after.length === 0) {
    if (before.length > 0) editor.say("Nothing of the mask would be left. Delete removes it.");
    return null;
  }
  const change = new Map<AnnotationKey, Annotation>();
  if (!sameRuns(before, after)) change.set(key, withPixels(now, after, size));
  if (limit === "take" && !subtract) takeFromMasks(editor, key, drawn, change);
  if (change.size === 0) return null;
  editor.transact(label, change);
  if (editor.document.get(key) && editor.view.only !== key) editor.select([key]);
  const painted = editor.document.get(key);
  return painted && [key, painted];
}

const freshMask = ({ categoryId }: Target): Annotation => ({ ...EMPTY_ANNOTATION, category_id: categoryId });

/** The pixels without those of other objects, where paint stays in the free space. */
export function withinLimit(editor: Editor, { key }: Target, drawn: Runs, subtract: boolean): Runs {
  if (subtract || editor.options.get(LIMIT) !== "free") return drawn;
  const bounds = runsBounds(drawn, editor.image.height);
  return bounds ? without(drawn, new Occupied(editor, key).within(bounds)) : drawn;
}

/** Pixels that were found at once, to be shown before they are applied. */
export function pixelsAsDrawn(editor: Editor, target: Target, drawn: Runs, subtract: boolean): PixelsInHand {
  const size = imageSize(editor);
  const extent = runsBounds(drawn, size[0]);
  return { ...target, size, drawn: columnsOf(drawn, size), subtract, changes: extent ? [extent] : [], finished: null };
}

/** Takes the pixels from all masks but one. A mask that would have none left keeps its own. */
function takeFromMasks(
  editor: Editor,
  except: AnnotationKey,
  drawn: Runs,
  change: Map<AnnotationKey, Annotation>,
): void {
  const size = imageSize(editor);
  let covered = 0;
  const extent = runsBounds(drawn, size[0]);
  for (const [key, annotation] of editor.document.entries()) {
    if (key === except || !isMaskAnnotation(annotation) || editor.view.locked.has(key)) continue;
    const { bounds } = shapes.measures(annotation);
    if (!extent || !bounds || !overlap(bounds, extent)) continue;
    const before = pixelsOf(annotation, size);
    if (!before || intersect(before, drawn).length === 0) continue;
    const after = without(before, drawn);
    if (after.length > 0) change.set(key, withPixels(annotation, after, size));
    else covered++;
  }
  if (covered > 0) editor.say("A mask that is wholly painted over keeps its pixels. Delete removes it.");
}

/** Where a point near other outlines goes: to a point of theirs, or else onto an edge. */

import type { Editor } from "../editor/editor";
import type { PointerInput } from "../editor/input";
import type { Toggle } from "../editor/options";
import { placeOn, type RingPlace } from "../geometry/along";
import { contains } from "../geometry/bounds";
import type { ImagePoint } from "../geometry/point";
import type { Ring } from "../geometry/ring";
import type { AnnotationKey } from "../model/records";
import * as shapes from "../shapes";
import { drawn, pickRadius } from "./pointing";

export const SNAP: Toggle = {
  kind: "toggle",
  id: "snap",
  label: "Snap",
  help: "Points near another outline go to its points and edges, those of a mask to the edges of its pixels. Ctrl held suspends it.",
  initial: false,
  key: "I",
};

export const SHARED: Toggle = {
  kind: "toggle",
  id: "shared-points",
  label: "Shared points",
  help: "Points of other annotations at the very same place move along.",
  initial: false,
  key: "Shift+E",
};

export interface OnOutline extends RingPlace {
  readonly key: AnnotationKey;
  readonly ring: Ring;
  /** The number of the ring among all of the annotation, holes last. */
  readonly part: number;
  readonly vertex: boolean;
}

/** The place on an outline that the pointer means; points come before edges, the nearest first. */
export function outlineAt(
  editor: Editor,
  at: ImagePoint,
  input: PointerInput,
  wanted: (key: AnnotationKey) => boolean,
): OnOutline | null {
  const radius = editor.imageLength(pickRadius(input));
  let best: (OnOutline & { distance: number }) | null = null;
  for (const [key, annotation] of editor.document.entries()) {
    const { bounds } = shapes.measures(annotation);
    if (!bounds || !contains(bounds, at, radius) || !editor.visible(key) || !wanted(key)) continue;
    shapes.outlines(annotation).forEach((ring, part) => {
      const place = placeOn(ring, at, radius);
      if (!place) return;
      const better =
        !best || 
        (place.vertex && !best.vertex) ||
        (place.vertex === best.vertex && place.distance < best.distance);
      if (better) best = { ...place, key, ring, part };
    });
  }
  return best;
}

const NONE: ReadonlySet<AnnotationKey> = new Set();

export interface Placed {
  readonly at: ImagePoint;
  /** It lies on another outline, on a point of it or on an edge. */
  readonly snapped: "point" | "edge" | null;
}

/** The point that a press draws: on another outline where it snaps, otherwise as `drawn` gives it. */
export function placed(editor: Editor, at: ImagePoint, input: PointerInput, own: ReadonlySet<AnnotationKey> = NONE): Placed {
  const snaps = editor.options.get(SNAP) && !input.primary;
  const found = snaps ? outlineAt(editor, at, input, (key) => !own.has(key)) : null;
  if (!found) return { at: drawn(editor, at), snapped: null };
  return { at: found.point, snapped: found.vertex ? "point" : "edge" };
}

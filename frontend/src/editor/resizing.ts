/** Several selected annotations made larger or smaller together: data in, change out. */

import { union, type Bounds } from "../geometry/bounds";
import { imagePoint, type ImagePoint } from "../geometry/point";
import type { Change } from "../model/document";
import type { Annotation, AnnotationKey } from "../model/records";
import * as shapes from "../shapes";
import { PLACES } from "../shapes/box";
import type { Handle } from "../shapes/shape";
import type { Editor } from "./editor";
import type { Originals } from "./moving";

/** What can be resized of a selection of several, and the frame around it. */
export interface Group {
  readonly originals: Originals;
  readonly bounds: Bounds;
}

const SHAPE = "group";

/** Every movement of the pointer asks: of more than this the frame would be felt. */
const MOST_RESIZED = 1_000;

/** Null when fewer than two of the selected ones can be resized. */
export function selectedGroup({ view, document, readOnly }: Editor): Group | null {
  if (readOnly || view.selection.size < 2 || view.selection.size > MOST_RESIZED) return null;
  const originals = new Map<AnnotationKey, Annotation>();
  let bounds: Bounds | null = null;
  for (const key of view.selection) {
    const annotation = document.get(key);
    if (!annotation || view.hidden.has(key) || view.locked.has(key) || !shapes.isResizable(annotation)) continue;
    originals.set(key, annotation);
    bounds = union(bounds, shapes.measures(annotation).bounds);
  }
  return originals.size > 1 && bounds ? { originals, bounds } : null;
}

/** Eight handles around it, as a box has them; none to an extent of nothing. */
export function groupHandles({ left, top, right, bottom }: Bounds): Handle[] {
  const [width, height] = [right - left, bottom - top];
  return PLACES.flatMap(([u, v, cursor], index) => {
    if ((width === 0 && u !== 0.5) || (height === 0 && v !== 0.5)) return [];
    return [{ shape: SHAPE, part: 0, index, at: imagePoint(left + u * width, top + v * height), cursor, label: null }];
  });
}

export interface Resizing {
  /** As wide for its height as it was. */
  readonly proportional: boolean;
  /** The middle stays where it is, instead of the opposite side. */
  readonly fromMiddle: boolean;
}

/** The group with the handle at a place; in hundredths of a pixel, and never mirrored. */
export function resized({ originals, bounds }: Group, handle: Handle, to: ImagePoint, options: Resizing): Change {
  const [u, v] = PLACES[handle.index]!;
  const across = axis(bounds.left, bounds.right, u, to.x, options.fromMiddle);
  const down = axis(bounds.top, bounds.bottom, v, to.y, options.fromMiddle);
  let [sx, sy] = [across.scale, down.scale];
  if (options.proportional) {
    const both = u === 0.5 ? sy : v === 0.5 ? sx : Math.max(sx, sy);
    [sx, sy] = [both, both];
  }
  if (sx === 1 && sy === 1) return originals;
  const place = (value: number, fixed: number, scale: number): number =>
    scale === 1 ? value : Math.round((fixed + (value - fixed) * scale) * 100) / 100;
  const placed = (x: number, y: number): readonly [number, number] => [
    place(x, across.fixed, sx),
    place(y, down.fixed, sy),
  ];
  return new Map([...originals].map(([key, original]) => [key, shapes.placed(original, placed)]));
}

/** Along one axis: what stays, and how much the rest grows when the handle's side comes to a place. */
function axis(
  from: number,
  to: number,
  share: number,
  at: number,
  fromMiddle: boolean,
): { readonly fixed: number; readonly scale: number } {
  const middle = (from + to) / 2;
  const fixed = fromMiddle || share === 0.5 ? middle : share === 0 ? to : from;
  const side = share === 0 ? from : to;
  if (share === 0.5 || side === fixed) return { fixed, scale: 1 };
  // A tenth of a pixel is left of it: what has no extent cannot be made larger again.
  const least = Math.min(1, 0.1 / Math.abs(to - from));
  return { fixed, scale: Math.max(least, (at - fixed) / (side - fixed)) };
}

/**
 * What may be wrong with the annotations of an image: data in, findings out. It
 * reads numbers only, so a worker can do it while the person goes on.
 *
 *   no-category    no category, or one that the dataset does not have, and no caption
 *   outside        reaches beyond the image, or lies beside it
 *   tiny           a side, or the root of the area, is shorter than two pixels
 *   crossing       the outline of a ring crosses itself
 *   duplicate      nearly the same as another one of its category
 */

import { overlap, type Bounds } from "../geometry/bounds";
import type { Ring } from "../geometry/ring";
import type { Annotation, AnnotationKey } from "../model/records";
import { measures } from "../shapes";
import { isPolygons } from "../shapes/polygons";

export const PROBLEMS = {
  refused: "Not saved",
  "no-category": "No category",
  outside: "Outside the image",
  tiny: "Tiny",
  crossing: "Crosses itself",
  duplicate: "Nearly the same as another",
} as const;

export type ProblemKind = keyof typeof PROBLEMS;

export interface Problem {
  readonly key: AnnotationKey;
  readonly kind: ProblemKind;
  /** The other one of a duplicate. */
  readonly other?: AnnotationKey;
}

export interface Inspected {
  readonly key: AnnotationKey;
  readonly annotation: Annotation;
}

export interface InspectedImage {
  readonly width: number;
  readonly height: number;
  readonly categoryIds: ReadonlySet<number>;
}

const TINY_PIXELS = 2;
/** Rounding of an imported file may put a point this far beyond the edge. */
const EDGE_PIXELS = 0.5;
/** Intersection over union of the boxes, and the ratio of the areas, from which two are nearly the same. */
const SAME_SHARE = 0.8;
/** Longer rings are not looked at: a crossing there is found by drawing it. */
const MOST_VERTICES = 2000;

export function findProblems(all: readonly Inspected[], image: InspectedImage): Problem[] {
  const found: Problem[] = [];
  for (const { key, annotation } of all) {
    for (const kind of problemsOf(annotation, image)) found.push({ key, kind });
  }
  return [...found, ...duplicates(all)];
}

function problemsOf(annotation: Annotation, image: InspectedImage): ProblemKind[] {
  const kinds: ProblemKind[] = [];
  const { category_id: id, caption } = annotation;
  if (caption === null && (id === null || !image.categoryIds.has(id))) kinds.push("no-category");
  const { bounds, area } = measures(annotation);
  if (!bounds) return kinds;
  if (beyond(bounds, image)) kinds.push("outside");
  const rings = isPolygons(annotation.segmentation) ? [...annotation.segmentation, ...annotation.holes] : [];
  // The area of a ring that crosses itself is that of its halves, one minus the other.
  if (rings.some(crossesItself)) kinds.push("crossing");
  else if (isTiny(annotation, bounds, area)) kinds.push("tiny");
  return kinds;
}

const beyond = ({ left, top, right, bottom }: Bounds, { width, height }: InspectedImage): boolean =>
  left < -EDGE_PIXELS || top < -EDGE_PIXELS || right > width + EDGE_PIXELS || bottom > height + EDGE_PIXELS;

/** Bare keypoints may lie close together, or be a single one. */
function isTiny({ segmentation, bbox }: Annotation, bounds: Bounds, area: number): boolean {
  if (segmentation === null && bbox === null) return false;
  const sides = Math.min(bounds.right - bounds.left, bounds.bottom - bounds.top);
  return sides < TINY_PIXELS || area < TINY_PIXELS * TINY_PIXELS;
}

/** Whether two edges that are no neighbours have an inner point in common. Touching is no crossing. */
export function crossesItself(ring: Ring): boolean {
  const count = ring.length >> 1;
  if (count < 4 || count > MOST_VERTICES) return false;
  const edges = Array.from({ length: count }, (_, i) => edgeOf(ring, i, count)).sort((a, b) => a.left - b.left);
  for (let i = 0; i < edges.length; i++) {
    for (let j = i + 1; j < edges.length && edges[j]!.left < edges[i]!.right; j++) {
      if (crosses(edges[i]!, edges[j]!)) return true;
    }
  }
  return false;
}

interface Edge {
  readonly ax: number;
  readonly ay: number;
  readonly bx: number;
  readonly by: number;
  readonly left: number;
  readonly right: number;
}

function edgeOf(ring: Ring, i: number, count: number): Edge {
  const j = (i + 1) % count;
  const [ax, ay, bx, by] = [ring[2 * i]!, ring[2 * i + 1]!, ring[2 * j]!, ring[2 * j + 1]!];
  return { ax, ay, bx, by, left: Math.min(ax, bx), right: Math.max(ax, bx) };
}

function crosses(p: Edge, q: Edge): boolean {
  const side = (e: Edge, x: number, y: number): number =>
    Math.sign((e.bx - e.ax) * (y - e.ay) - (e.by - e.ay) * (x - e.ax));
  const apart = (a: number, b: number): boolean => a * b < 0;
  return (
    apart(side(p, q.ax, q.ay), side(p, q.bx, q.by)) && apart(side(q, p.ax, p.ay), side(q, p.bx, p.by))
  );
}

interface Placed {
  readonly key: AnnotationKey;
  readonly bounds: Bounds;
  readonly area: number;
}

/** Crowds lie over what they have in common with others; of them nothing is said. */
function duplicates(all: readonly Inspected[]): Problem[] {
  const byCategory = new Map<number, Placed[]>();
  for (const { key, annotation } of all) {
    const { bounds, area } = measures(annotation);
    if (!bounds || annotation.iscrowd || annotation.category_id === null) continue;
    if (annotation.segmentation === null && annotation.bbox === null) continue;
    const group = byCategory.get(annotation.category_id) ?? [];
    byCategory.set(annotation.category_id, group);
    group.push({ key, bounds, area });
  }
  return [...byCategory.values()].flatMap(duplicatesIn);
}

/** Sorted by their left edges, so that each is compared with those that begin before it ends. */
function duplicatesIn(group: readonly Placed[]): Problem[] {
  const found: Problem[] = [];
  const sorted = [...group].sort((a, b) => a.bounds.left - b.bounds.left);
  sorted.forEach((one, i) => {
    for (let j = i + 1; j < sorted.length && sorted[j]!.bounds.left < one.bounds.right; j++) {
      const other = sorted[j]!;
      if (nearlySame(one, other)) found.push({ key: other.key, kind: "duplicate", other: one.key });
    }
  });
  return found;
}

function nearlySame(a: Placed, b: Placed): boolean {
  if (!overlap(a.bounds, b.bounds)) return false;
  if (Math.min(a.area, b.area) < SAME_SHARE * Math.max(a.area, b.area)) return false;
  const common = extent({
    left: Math.max(a.bounds.left, b.bounds.left),
    top: Math.max(a.bounds.top, b.bounds.top),
    right: Math.min(a.bounds.right, b.bounds.right),
    bottom: Math.min(a.bounds.bottom, b.bounds.bottom),
  });
  return common >= SAME_SHARE * (extent(a.bounds) + extent(b.bounds) - common);
}

const extent = ({ left, top, right, bottom }: Bounds): number => (right - left) * (bottom - top);

/**
 * Polygons: `segmentation` is a list of rings, united, and `holes` are cut out
 * of their union. In handles and edges, parts are numbered through: first the
 * rings, then the holes.
 */

import { combine, type Region } from "../geometry/clipping";
import { contains, sumOf } from "../geometry/bounds";
import { imagePoint, type ImagePoint } from "../geometry/point";
import { rasterised } from "../geometry/raster";
import {
  apart,
  insideRing,
  nearestEdge,
  outlineMeets,
  ringArea,
  ringsBounds,
  translated,
  vertex,
  vertexCount,
  withInserted,
  withVertex,
  type Ring,
} from "../geometry/ring";
import { verticesWithin } from "../geometry/ring-index";
import type { Annotation, Segmentation } from "../model/records";
import { sliced } from "./slicing";
import { NO_OUTLINE, plural, type EdgePlace, type Handle, type Place, type ShapeKind } from "./shape";

const NAME = "polygons";

export function isPolygons(segmentation: Segmentation): segmentation is readonly Ring[] {
  return Array.isArray(segmentation) && segmentation.length > 0;
}

const rings = (annotation: Annotation): readonly Ring[] =>
  isPolygons(annotation.segmentation) ? annotation.segmentation : [];

const allRings = (annotation: Annotation): readonly Ring[] => [
  ...rings(annotation),
  ...annotation.holes,
];

/** The annotation with other outlines, which its box follows from now on. */
const reshaped = (annotation: Annotation, segmentation: readonly Ring[], holes: readonly Ring[]): Annotation => ({
  ...annotation,
  segmentation,
  holes,
  bbox: null,
});

/** The annotation with ring number `part` replaced, or taken out when `ring` is null. */
function withRing(annotation: Annotation, part: number, ring: Ring | null): Annotation {
  const count = rings(annotation).length;
  const replaced = (list: readonly Ring[], index: number): Ring[] =>
    list.flatMap((old, i) => (i !== index ? [old] : ring ? [ring] : []));
  return part < count
    ? reshaped(annotation, replaced(rings(annotation), part), annotation.holes)
    : reshaped(annotation, rings(annotation), replaced(annotation.holes, part - count));
}

const regionOf = (annotation: Annotation): Region => ({
  rings: rings(annotation),
  holes: annotation.holes,
});

const ringPlaced = (ring: Ring, place: Place): Ring =>
  ring.flatMap((value, i) => (i % 2 === 0 ? place(value, ring[i + 1]!) : []));

const sameRings = (a: readonly Ring[], b: readonly Ring[]): boolean =>
  a.length === b.length && a.every((ring, i) => ring === b[i]);

function handleOf(part: number, index: number, at: ImagePoint): Handle {
  return { shape: NAME, part, index, at, cursor: "move", label: null };
}

function nearestPlace(annotation: Annotation, at: ImagePoint): EdgePlace | null {
  let best: EdgePlace | null = null;
  allRings(annotation).forEach((ring, part) => {
    const hit = nearestEdge(ring, at);
    if (hit && (!best || hit.distance < best.distance)) {
      best = { shape: NAME, part, index: hit.index, at: hit.point, distance: hit.distance };
    }
  });
  return best;
}

/** The indices of the handles of each part. */
function byPart(handles: readonly Handle[]): Map<number, Set<number>> {
  const parts = new Map<number, Set<number>>();
  for (const { part, index } of handles) parts.set(part, (parts.get(part) ?? new Set()).add(index));
  return parts;
}

/** Each ring as `change` makes it; those for which it gives null are taken out. */
function withRings(
  annotation: Annotation,
  change: (ring: Ring, part: number) => Ring | null,
): { segmentation: Ring[]; holes: Ring[] } {
  const count = rings(annotation).length;
  const changed = (list: readonly Ring[], first: number): Ring[] =>
    list.flatMap((ring, i) => {
      const after = change(ring, first + i);
      return after ? [after] : [];
    });
  return { segmentation: changed(rings(annotation), 0), holes: changed(annotation.holes, count) };
}

/** A ring needs three points: with fewer it goes, unless none would be left. */
function removeVertices(annotation: Annotation, handles: readonly Handle[]): Annotation | null {
  const gone = byPart(handles);
  const { segmentation, holes } = withRings(annotation, (ring, part) => {
    const indices = gone.get(part);
    if (!indices) return ring;
    const left = ring.filter((_, i) => !indices.has(i >> 1));
    return vertexCount(left) >= 3 ? left : null;
  });
  return segmentation.length === 0 ? null : reshaped(annotation, segmentation, holes);
}

function dragVertices(annotation: Annotation, handles: readonly Handle[], dx: number, dy: number): Annotation {
  const moved = byPart(handles);
  const change = withRings(annotation, (ring, part) => {
    const indices = moved.get(part);
    if (!indices) return ring;
    return ring.map((value, i) => (indices.has(i >> 1) ? sumOf(value, i % 2 === 0 ? dx : dy) : value));
  });
  return reshaped(annotation, change.segmentation, change.holes);
}

/** Whether the point is in the union of the rings and in no hole. */
function covered(annotation: Annotation, at: ImagePoint): boolean {
  const cut = annotation.holes.some((ring) => insideRing(ring, at));
  return !cut && rings(annotation).some((ring) => insideRing(ring, at));
}

const pointCount = (annotation: Annotation): number =>
  allRings(annotation).reduce((sum, ring) => sum + vertexCount(ring), 0);

export const polygons: ShapeKind = {
  name: NAME,
  heavy: false,
  present: (annotation) => isPolygons(annotation.segmentation),
  bounds: (annotation) => ringsBounds(rings(annotation)),
  area: (annotation) =>
    rings(annotation).reduce((sum, ring) => sum + ringArea(ring), 0) -
    annotation.holes.reduce((sum, ring) => sum + ringArea(ring), 0),

  hits(annotation, at, tolerance) {
    const extent = ringsBounds(rings(annotation));
    if (!extent || !contains(extent, at, tolerance)) return false;
    if (covered(annotation, at)) return true;
    return (nearestPlace(annotation, at)?.distance ?? Infinity) <= tolerance;
  },

  touches(annotation, bounds) {
    // Where no outline passes, the bounds lie wholly inside or wholly outside.
    if (allRings(annotation).some((ring) => outlineMeets(ring, bounds))) return true;
    return covered(annotation, imagePoint(bounds.left, bounds.top));
  },

  outline(annotation) {
    const cut = annotation.holes;
    // Even-odd over many parts at once is right, and one fill, while none overlaps another.
    return { ...NO_OUTLINE, areas: apart(rings(annotation)).map((parts) => ({ rings: parts, cut })) };
  },

  pixels: (annotation, size) => rasterised(rings(annotation), annotation.holes, size),

  handles(annotation) {
    return allRings(annotation).flatMap((ring, part) =>
      Array.from({ length: vertexCount(ring) }, (_, i) => handleOf(part, i, vertex(ring, i))),
    );
  },

  pointCount,

  handlesWithin(annotation, bounds, most) {
    const found: Handle[] = [];
    allRings(annotation).forEach((ring, part) => {
      const near = verticesWithin(ring, bounds, most - found.length);
      for (const i of near) found.push(handleOf(part, i, vertex(ring, i)));
    });
    return found;
  },

  handle(annotation, part, index) {
    const ring = allRings(annotation)[part];
    return ring && index < vertexCount(ring) ? handleOf(part, index, vertex(ring, index)) : null;
  },

  drag(annotation, handle, to) {
    const ring = allRings(annotation)[handle.part];
    return ring ? withRing(annotation, handle.part, withVertex(ring, handle.index, to)) : annotation;
  },

  removeHandle: (annotation, handle) => removeVertices(annotation, [handle]),
  dragAll: dragVertices,
  removeAll: removeVertices,
  edge: nearestPlace,

  insert(annotation, place) {
    const ring = allRings(annotation)[place.part]!;
    return {
      annotation: withRing(annotation, place.part, withInserted(ring, place.index, place.at)),
      handle: handleOf(place.part, place.index + 1, place.at),
    };
  },

  move: (annotation, dx, dy) => ({
    ...annotation,
    segmentation: rings(annotation).map((ring) => translated(ring, dx, dy)),
    holes: annotation.holes.map((ring) => translated(ring, dx, dy)),
  }),

  placed: (annotation, place) => ({
    ...annotation,
    segmentation: rings(annotation).map((ring) => ringPlaced(ring, place)),
    holes: annotation.holes.map((ring) => ringPlaced(ring, place)),
  }),

  region: regionOf,

  slice: (annotation, line) => sliced(annotation, regionOf(annotation), line),

  combine(annotation, region, operation) {
    const base = regionOf(annotation);
    const { rings: segmentation, holes } = combine(base, region, operation);
    if (segmentation.length === 0) return null;
    const same = sameRings(segmentation, base.rings) && sameRings(holes, base.holes);
    return same ? annotation : reshaped(annotation, segmentation, holes);
  },

  describe(annotation) {
    const points = allRings(annotation).reduce((sum, ring) => sum + vertexCount(ring), 0);
    const texts = ["polygon", plural(rings(annotation).length, "part")];
    if (annotation.holes.length > 0) texts.push(plural(annotation.holes.length, "hole"));
    return [...texts, plural(points, "point")].join(", ");
  },
};

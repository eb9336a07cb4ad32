/**
 * The kinds of geometry, and an annotation seen through all of its kinds.
 *
 * Nothing outside this folder asks which kind an annotation has: it asks these
 * functions, which read SHAPES.
 */

import { contains, union, type Bounds } from "../geometry/bounds";
import type { Operation, Region } from "../geometry/clipping";
import type { ImagePoint } from "../geometry/point";
import type { Ring } from "../geometry/ring";
import type { Annotation } from "../model/records";
import { box, isAlone } from "./box";
import { keypoints } from "./keypoints";
import { isMask, isRaggedMask, mask, pixelEdges } from "./mask";
import { rememberMoved } from "./moved";
import { polygons } from "./polygons";

export { keypointsWithin } from "./keypoints";
export { fitsImage, isMask, runsIn, unfold } from "./mask";
export { movedFrom, movedOutline } from "./moved";
export { isPolygons } from "./polygons";
export type { Measures } from "./shape";
import { WITHOUT_EDGES, type EdgePlace, type Handle, type Measures, type Outline, type Place, type ShapeContext, type ShapeKind } from "./shape";

/** In the order in which they are drawn: a later kind lies above an earlier one. */
export const SHAPES: readonly ShapeKind[] = [mask, polygons, box, keypoints];

export const NO_CONTEXT: ShapeContext = { keypoints: [], skeleton: [] };

export function shapesOf(annotation: Annotation): ShapeKind[] {
  return SHAPES.filter((shape) => shape.present(annotation));
}

function named(name: string): ShapeKind {
  const shape = SHAPES.find((kind) => kind.name === name);
  if (!shape) throw new Error(`There is no shape ${name}.`);
  return shape;
}

const measured = new WeakMap<Annotation, Measures>();

/** Extent and size, computed once per state: annotations never change in place. */
export function measures(annotation: Annotation): Measures {
  let found = measured.get(annotation);
  if (!found) {
    const kinds = shapesOf(annotation);
    const bounds = kinds.reduce<Bounds | null>((sum, kind) => union(sum, kind.bounds(annotation)), null);
    // Keypoints come last: their extent counts only where there is nothing else.
    const area = kinds[0]?.area(annotation) ?? 0;
    found = { bounds, area };
    measured.set(annotation, found);
  }
  return found;
}

/** Somebody else has measured it. */
export const rememberMeasures = (annotation: Annotation, measures: Measures): void => void measured.set(annotation, measures);

/** Without its pixels, for whoever is told the measures of a mask and asks for nothing else of it. */
export function withoutPixels(annotation: Annotation): Annotation {
  const { segmentation } = annotation;
  return isMask(segmentation) ? { ...annotation, segmentation: { size: segmentation.size, counts: [] } } : annotation;
}

export function hits(annotation: Annotation, at: ImagePoint, tolerance: number): boolean {
  return shapesOf(annotation).some((shape) => shape.hits(annotation, at, tolerance));
}

export function touches(annotation: Annotation, bounds: Bounds): boolean {
  return shapesOf(annotation).some((shape) => shape.touches(annotation, bounds));
}

export const isHeavy = (annotation: Annotation): boolean =>
  shapesOf(annotation).some((shape) => shape.heavy);

/** A mask, and nothing else, with an outline so ragged that its pixels are drawn faster. */
export function isRagged(annotation: Annotation): boolean {
  const { segmentation } = annotation;
  return isMask(segmentation) && isRaggedMask(segmentation) && shapesOf(annotation).every((kind) => kind === mask);
}

export function outline(annotation: Annotation, context: ShapeContext): Outline {
  const outlines = shapesOf(annotation).map((shape) => shape.outline(annotation, context));
  return {
    areas: outlines.flatMap(({ areas }) => areas),
    lines: outlines.flatMap(({ lines }) => lines),
    dots: outlines.flatMap(({ dots }) => dots),
  };
}

const handleLists = new WeakMap<Annotation, { context: ShapeContext; list: readonly Handle[] }>();

/** Listed once per state, since every movement of the pointer asks. */
export function handles(annotation: Annotation, context: ShapeContext): readonly Handle[] {
  const known = handleLists.get(annotation);
  if (known?.context === context) return known.list;
  const list = shapesOf(annotation).flatMap((shape) => shape.handles(annotation, context));
  handleLists.set(annotation, { context, list });
  return list;
}

/** Those within the bounds, without listing all others; of each kind at most so many. */
export function handlesWithin(
  annotation: Annotation,
  bounds: Bounds,
  context: ShapeContext,
  most = Infinity,
): readonly Handle[] {
  return shapesOf(annotation).flatMap(
    (shape) =>
      shape.handlesWithin?.(annotation, bounds, most) ??
      shape.handles(annotation, context).filter(({ at }) => contains(bounds, at)),
  );
}

export type HandleName = Pick<Handle, "shape" | "part" | "index">;

/** A handle of another state as it is in this one, without listing all others; null when it is gone. */
export function handleNow(annotation: Annotation, { shape, part, index }: HandleName, context: ShapeContext): Handle | null {
  const kind = named(shape);
  if (!kind.present(annotation)) return null;
  if (kind.handle) return kind.handle(annotation, part, index);
  return kind.handles(annotation, context).find((handle) => handle.part === part && handle.index === index) ?? null;
}

export function drag(annotation: Annotation, handle: Handle, to: ImagePoint): Annotation {
  return named(handle.shape).drag(annotation, handle, to);
}

export function removeHandle(annotation: Annotation, handle: Handle): Annotation | null {
  return named(handle.shape).removeHandle(annotation, handle);
}

/** The handles within the bounds that are points of their own, so that several can be moved together. */
export function pointsWithin(annotation: Annotation, bounds: Bounds, context: ShapeContext): readonly Handle[] {
  return handlesWithin(annotation, bounds, context).filter(isPoint);
}

/** How many such points there are. */
export function pointCount(annotation: Annotation, context: ShapeContext): number {
  return shapesOf(annotation)
    .filter(({ dragAll }) => dragAll)
    .reduce((sum, kind) => sum + (kind.pointCount?.(annotation) ?? kind.handles(annotation, context).length), 0);
}

const isPoint = ({ shape }: Handle): boolean => named(shape).dragAll !== undefined;

/** Whether its outline takes new points. */
export const hasEdges = (annotation: Annotation): boolean =>
  shapesOf(annotation).some(({ edge }) => edge !== WITHOUT_EDGES.edge);

function grouped(handles: readonly Handle[]): [ShapeKind, Handle[]][] {
  return SHAPES.map((kind): [ShapeKind, Handle[]] => [kind, handles.filter(({ shape }) => shape === kind.name)]);
}

/** The annotation with these points moved by the same distance. */
export function dragAll(annotation: Annotation, handles: readonly Handle[], dx: number, dy: number): Annotation {
  return grouped(handles).reduce(
    (moved, [kind, own]) => (own.length > 0 && kind.dragAll ? kind.dragAll(moved, own, dx, dy) : moved),
    annotation,
  );
}

/** The annotation without these points, or null when too few would be left. */
export function removeHandles(annotation: Annotation, handles: readonly Handle[]): Annotation | null {
  return grouped(handles).reduce<Annotation | null>((left, [kind, own]) => {
    if (!left || own.length === 0) return left;
    return kind.removeAll ? kind.removeAll(left, own) : null;
  }, annotation);
}

export function edge(annotation: Annotation, at: ImagePoint): EdgePlace | null {
  const places = shapesOf(annotation).flatMap((shape) => shape.edge(annotation, at) ?? []);
  return places.reduce<EdgePlace | null>(
    (best, place) => (best && best.distance <= place.distance ? best : place),
    null,
  );
}

export function insert(
  annotation: Annotation,
  place: EdgePlace,
): { annotation: Annotation; handle: Handle } {
  return named(place.shape).insert(annotation, place);
}

/** All kinds move together or, when one of them cannot, none does. */
export function move(annotation: Annotation, dx: number, dy: number): Annotation | null {
  const moved = shapesOf(annotation).reduce<Annotation | null>(
    (result, shape) => result && shape.move(result, dx, dy),
    annotation,
  );
  if (moved && isHeavy(annotation)) rememberMoved(annotation, moved, dx, dy);
  return moved;
}

/** How far all of these can be moved together without loss towards a distance. */
export function reach(annotations: Iterable<Annotation>, dx: number, dy: number): readonly [number, number] {
  let by: readonly [number, number] = [dx, dy];
  for (const annotation of annotations) {
    for (const shape of shapesOf(annotation)) by = shape.reach?.(annotation, ...by) ?? by;
  }
  return by;
}

/** Whether it has an extent, and every one of its kinds can be made larger and smaller without loss. */
export function isResizable(annotation: Annotation): boolean {
  const kinds = shapesOf(annotation);
  return kinds.length > 0 && kinds.every((shape) => shape.placed);
}

/** All kinds of a resizable annotation with every point elsewhere. */
export const placed = (annotation: Annotation, place: Place): Annotation =>
  shapesOf(annotation).reduce((result, shape) => shape.placed!(result, place), annotation);

/** A label says that something is in the image, and not where. */
export function isLabel({ segmentation, bbox, keypoints, caption }: Annotation): boolean {
  return [segmentation, bbox, keypoints, caption].every((value) => value === null);
}

/** The kinds that say what it covers; a box beside a segmentation does not. */
const areal = (annotation: Annotation): ShapeKind[] =>
  shapesOf(annotation).filter((shape) => shape !== box || isAlone(annotation));

/** Undefined when none of its kinds has an area; otherwise as `ShapeKind.combine` says. */
export function combine(
  annotation: Annotation,
  region: Region,
  operation: Operation,
): Annotation | null | undefined {
  return areal(annotation)
    .find((shape) => shape.combine)
    ?.combine!(annotation, region, operation);
}

/** Undefined when none of its kinds can be cut; otherwise as `ShapeKind.slice` says. */
export function slice(
  annotation: Annotation,
  line: readonly ImagePoint[],
): readonly [Annotation, Annotation] | null | undefined {
  return areal(annotation)
    .find((shape) => shape.slice)
    ?.slice!(annotation, line);
}

/** The annotation with these outlines for what it covers; a box is a polygon then. */
export const withRegion = (annotation: Annotation, { rings, holes }: Region): Annotation => ({
  ...annotation,
  bbox: null,
  segmentation: rings,
  holes,
});

/** The rings that other outlines go to and along: holes last, and for a mask the edges of its pixels. */
export function outlines(annotation: Annotation): readonly Ring[] {
  const found = region(annotation);
  if (found) return [...found.rings, ...found.holes];
  return isMask(annotation.segmentation) ? pixelEdges(annotation.segmentation) : [];
}

/** What it covers as outlines, or null when it has none. */
export function region(annotation: Annotation): Region | null {
  return (
    areal(annotation)
      .find((shape) => shape.region)
      ?.region!(annotation) ?? null
  );
}

export function describe(annotation: Annotation): string {
  const texts = shapesOf(annotation).map((shape) => shape.describe(annotation));
  if (texts.length > 0) return texts.join("; ");
  return annotation.caption === null ? "label" : "caption";
}

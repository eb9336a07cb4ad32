/** An annotation with outlines cut in two. */

import { partsOf, type Part, type Region } from "../geometry/clipping";
import type { ImagePoint } from "../geometry/point";
import { contours } from "../geometry/contours";
import { rasterised } from "../geometry/raster";
import { ringArea, signedArea, type Ring } from "../geometry/ring";
import type { Rle } from "../geometry/rle";
import { intersect, pixelCount, rleOf, runsOf, without, type Runs } from "../geometry/runs";
import { slice } from "../geometry/slicing";
import { EMPTY_ANNOTATION, type Annotation } from "../model/records";

/**
 * The larger half keeps everything that the annotation has, parts that the line does
 * not reach among it. The other has the same category, crowd flag and attributes.
 */
export function sliced(
  annotation: Annotation,
  region: Region,
  line: readonly ImagePoint[],
): readonly [Annotation, Annotation] | null {
  const halves = slice(partsOf(region), line);
  if (!halves) return null;
  const [larger, smaller] = [halves.left, halves.right].sort((a, b) => areaOf(b) - areaOf(a));
  const { category_id, iscrowd, attributes } = annotation;
  return [
    { ...annotation, ...outlines([...larger!, ...halves.rest]), bbox: null },
    { ...EMPTY_ANNOTATION, category_id, iscrowd, attributes, ...outlines(smaller!) },
  ];
}

/** The same for the pixels of a mask: each goes to the half in whose outline it is drawn. */
export function slicedMask(
  annotation: Annotation,
  mask: Rle,
  line: readonly ImagePoint[],
): readonly [Annotation, Annotation] | null {
  const rings = contours(mask);
  const holes = rings.filter((ring) => signedArea(ring) < 0);
  const outers = rings.filter((ring) => signedArea(ring) > 0);
  // Which hole lies in which outline makes no difference to the cut.
  const parts = outers.map((outer, i) => ({ outer, holes: i === 0 ? holes : [] }));
  const halves = slice(parts, line);
  if (!halves) return null;
  const all = runsOf(mask);
  const drawn = ({ segmentation, holes: cut }: ReturnType<typeof outlines>): Runs =>
    intersect(all, rasterised(segmentation, cut, mask.size));
  const [right, left] = [drawn(outlines(halves.right)), drawn(outlines(halves.left))];
  const smaller = pixelCount(right) < pixelCount(left) ? right : without(left, right);
  const larger = without(all, smaller);
  if (smaller.length === 0 || larger.length === 0) return null;
  const { category_id, iscrowd, attributes } = annotation;
  const masked = (runs: Runs): Rle => rleOf(runs, mask.size, typeof mask.counts === "string");
  return [
    { ...annotation, segmentation: masked(larger), bbox: null },
    { ...EMPTY_ANNOTATION, category_id, iscrowd, attributes, segmentation: masked(smaller) },
  ];
}

const outlines = (parts: readonly Part[]): { segmentation: Ring[]; holes: Ring[] } => ({
  segmentation: parts.map(({ outer }) => outer),
  holes: parts.flatMap(({ holes }) => holes),
});

function areaOf(parts: readonly Part[]): number {
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return sum(parts.map(({ outer, holes }) => ringArea(outer) - sum(holes.map(ringArea))));
}

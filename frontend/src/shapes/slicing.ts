/** An annotation with outlines cut in two. */

import { partsOf, type Part, type Region } from "../geometry/clipping";
import type { ImagePoint } from "../geometry/point";
import { ringArea } from "../geometry/ring";
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
    { ...annotation, ...outlines([...larger!, ...halves.rest]) },
    { ...EMPTY_ANNOTATION, category_id, iscrowd, attributes, ...outlines(smaller!) },
  ];
}

const outlines = (parts: readonly Part[]): Pick<Annotation, "segmentation" | "holes"> => ({
  segmentation: parts.map(({ outer }) => outer),
  holes: parts.flatMap(({ holes }) => holes),
});

function areaOf(parts: readonly Part[]): number {
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return sum(parts.map(({ outer, holes }) => ringArea(outer) - sum(holes.map(ringArea))));
}

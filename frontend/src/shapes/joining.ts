/** Two annotations as one. */

import type { PixelSize } from "../geometry/runs";
import { unite } from "../geometry/runs";
import type { Annotation } from "../model/records";
import { combine, region } from ".";
import { isMaskAnnotation, pixelsOf, withPixels } from "./pixels";

/**
 * The first with the area of the other added; null when one of them has none. Outlines
 * are joined as outlines. With a mask among them they are joined as pixels, exactly
 * those that either covers.
 */
export function joined(annotation: Annotation, other: Annotation, size: PixelSize): Annotation | null {
  if (!isMaskAnnotation(annotation) && !isMaskAnnotation(other)) {
    const added = region(other);
    return (added && combine(annotation, added, "add")) ?? null;
  }
  const [here, there] = [pixelsOf(annotation, size), pixelsOf(other, size)];
  return here && there ? withPixels(annotation, unite(here, there), size) : null;
}

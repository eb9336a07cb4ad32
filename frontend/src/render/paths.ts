/** Rings as paths of a canvas. */

import { anyOverlap, type Ring } from "../geometry/ring";
import type { Points } from "../geometry/thinned";

/** Larger than any image, and small enough for exact arithmetic in the rasteriser. */
const EVERYWHERE = 1e6;

/** Holes that overlap are cut out one by one, or their common part would be filled again. */
export function apartIfOverlapping(cut: readonly Ring[]): (readonly Ring[])[] {
  if (cut.length === 0) return [];
  return anyOverlap(cut) ? cut.map((ring) => [ring]) : [cut];
}

export function everywhereBut(cut: readonly Points[]): Path2D {
  const path = new Path2D();
  path.rect(-EVERYWHERE, -EVERYWHERE, 2 * EVERYWHERE, 2 * EVERYWHERE);
  return addRings(path, cut);
}

export function addRings(path: Path2D, rings: readonly Points[]): Path2D {
  for (const ring of rings) {
    for (let i = 0; i + 1 < ring.length; i += 2) {
      if (i === 0) path.moveTo(ring[0]!, ring[1]!);
      else path.lineTo(ring[i]!, ring[i + 1]!);
    }
    path.closePath();
  }
  return path;
}

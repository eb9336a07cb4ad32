/** Rings as paths of a canvas. */

import type { Points } from "../geometry/thinned";
import type { Context } from "./layer";

/** Larger than any image, and small enough for exact arithmetic in the rasteriser. */
const EVERYWHERE = 1e6;

/** Around a line that would be lost on a dark photograph; it lets some of that through. */
export const HALO = "rgb(255 255 255 / 65%)";

/**
 * A line of one device pixel takes a small part of the time of a wider one, which has to be made an area first. So one
 * that is hardly wider is drawn as three of these around its middle. A little less, since with more it is an area.
 */
const HAIRLINE = 0.99;
const FINE = 2;
const AROUND = [
  [0, -1],
  [Math.sqrt(3) / 2, 0.5],
  [-Math.sqrt(3) / 2, 0.5],
] as const;

/** A line of so many device pixels, of which one of the context's units has `scale`. */
export function strokePaths(
  context: Context,
  paths: readonly Path2D[],
  color: string,
  pixels: number,
  scale: number,
  dashed: boolean,
): void {
  context.strokeStyle = color;
  // Three lines over each other are one only where nothing is to be seen through them.
  if (pixels > 1 && pixels < FINE && !dashed && color !== HALO) strokeFine(context, paths, pixels, scale);
  else strokeAll(context, paths, (pixels === 1 ? HAIRLINE : pixels) / scale);
}

function strokeAll(context: Context, paths: readonly Path2D[], width: number): void {
  context.lineWidth = width;
  for (const path of paths) context.stroke(path);
}

function strokeFine(context: Context, paths: readonly Path2D[], pixels: number, scale: number): void {
  const apart = (pixels - 1) / 2 / scale;
  for (const [x, y] of AROUND) {
    context.translate(apart * x, apart * y);
    strokeAll(context, paths, HAIRLINE / scale);
    context.translate(-apart * x, -apart * y);
  }
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

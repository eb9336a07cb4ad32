/** Which level of a picture fits the zoom, and which of its tiles are to be seen: numbers only. */

import { overlap, type Bounds } from "../geometry/bounds";
import type { Level, Picture, Tile } from "./picture";

/** The coarsest level that is not coarser than the screen, which takes so many pixels for one of the picture. */
export function levelFor({ levels }: Picture, needed: number): Level {
  return levels.findLast(({ scale }) => scale >= needed) ?? levels[0]!;
}

/** The tiles that these bounds touch, those in the middle first: one looks there. */
export function tilesIn(level: Level, seen: Bounds): Tile[] {
  return level.tiles
    .filter(({ at }) => overlap(at, seen))
    .sort((a, b) => distance(a.at, seen) - distance(b.at, seen));
}

/**
 * Which of the tiles may stay though they are out of sight: the nearest ones, as
 * many as have so many pixels.
 */
export function spared(tiles: readonly Tile[], level: Level, seen: Bounds, pixels: number): Set<Tile> {
  const kept = new Set<Tile>();
  let left = pixels;
  for (const tile of [...tiles].sort((a, b) => distance(a.at, seen) - distance(b.at, seen))) {
    left -= area(tile.at) * level.scale ** 2;
    if (left < 0) break;
    kept.add(tile);
  }
  return kept;
}

const area = ({ left, top, right, bottom }: Bounds): number => (right - left) * (bottom - top);

function distance(a: Bounds, b: Bounds): number {
  return Math.hypot(a.left + a.right - b.left - b.right, a.top + a.bottom - b.top - b.bottom);
}

/** Pixels of a picture in tiles, for tools that follow colours: they look at a part of it. */

import { sampled, type Cells, type Pixels } from "../editor/sight";
import type { Decoded } from "../geometry/flood";
import { placeOf, type TileLayout, type TilePlace } from "./tiled-picture";

export interface TiledPixelsOptions {
  readonly layout: TileLayout;
  /** The pixels of a tile. */
  readonly load: (place: TilePlace) => Promise<Decoded>;
}

/** Those looked at last are kept, at four megabytes each: the next look is often beside the last one. */
const MOST_KEPT = 12;

export class TiledPixels implements Pixels {
  readonly width: number;
  readonly height: number;
  readonly block: number;
  readonly #options: TiledPixelsOptions;
  /** The latest last. */
  readonly #kept = new Map<string, Promise<Decoded>>();

  constructor(options: TiledPixelsOptions) {
    ({ width: this.width, height: this.height, tile_size: this.block } = options.layout);
    this.#options = options;
  }

  /** On the level whose pixels are the largest that are not larger than the cells. */
  async cells(cells: Cells): Promise<Decoded> {
    const { layout } = this.#options;
    const level = Math.min(layout.levels.length - 1, Math.floor(Math.log2(cells.side)));
    const shrink = 2 ** level;
    const left = Math.floor(cells.left / shrink);
    const top = Math.floor(cells.top / shrink);
    const { width, height } = layout.levels[level]!;
    const right = Math.min(width, Math.ceil((cells.left + cells.across * cells.side) / shrink));
    const bottom = Math.min(height, Math.ceil((cells.top + cells.down * cells.side) / shrink));
    const part = await this.#part(level, left, top, right - left, bottom - top);
    if (shrink === 1 && cells.side === 1) return part;
    return resampled(part, cells, shrink, left, top);
  }

  async #part(level: number, left: number, top: number, width: number, height: number): Promise<Decoded> {
    const { layout } = this.#options;
    const data = new Uint8ClampedArray(4 * Math.max(0, width) * Math.max(0, height));
    const side = layout.tile_size;
    const places: TilePlace[] = [];
    for (let row = Math.floor(top / side); row * side < top + height; row++) {
      for (let column = Math.floor(left / side); column * side < left + width; column++) places.push({ level, column, row });
    }
    await Promise.all(
      places.map(async (place) => {
        const tile = await this.#tile(place);
        const at = placeOf(layout, place);
        copy(tile, { width, data }, at.left / 2 ** level - left, at.top / 2 ** level - top);
      }),
    );
    return { width, height, data };
  }

  #tile(place: TilePlace): Promise<Decoded> {
    const name = `${place.level}/${place.column}/${place.row}`;
    const tile = this.#kept.get(name) ?? this.#options.load(place);
    this.#kept.delete(name);
    this.#kept.set(name, tile);
    tile.catch(() => this.#kept.delete(name));
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MOST_KEPT) break;
      this.#kept.delete(oldest);
    }
    return tile;
  }
}

/** Puts a tile into its place of a part, as far as it lies there. */
function copy(tile: Decoded, part: Pick<Decoded, "width" | "data">, left: number, top: number): void {
  const from = Math.max(0, -left);
  const to = Math.min(tile.width, part.width - left);
  const down = part.data.length / 4 / part.width;
  if (to <= from) return;
  for (let row = Math.max(0, -top); row < Math.min(tile.height, down - top); row++) {
    const start = 4 * (row * tile.width + from);
    part.data.set(tile.data.subarray(start, start + 4 * (to - from)), 4 * ((top + row) * part.width + left + from));
  }
}

/** The pixel of the level in the middle of each cell. */
function resampled(part: Decoded, { left, top, side, across, down }: Cells, shrink: number, x: number, y: number): Decoded {
  if (shrink === 1) return sampled(part, { left: left - x, top: top - y, side, across, down });
  const from = new Uint32Array(part.data.buffer);
  const to = new Uint32Array(across * down);
  const middle = (start: number, index: number, origin: number, most: number): number =>
    Math.min(most - 1, Math.floor((start + (index + 0.5) * side) / shrink) - origin);
  for (let r = 0; r < down; r++) {
    const row = middle(top, r, y, part.height) * part.width;
    for (let c = 0; c < across; c++) to[r * across + c] = from[row + middle(left, c, x, part.width)]!;
  }
  return { width: across, height: down, data: new Uint8ClampedArray(to.buffer) };
}

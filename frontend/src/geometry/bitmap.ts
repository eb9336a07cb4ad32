/**
 * Pixels that are being set, in tiles that exist only where something is set: a
 * stroke on an image of 50 megapixels costs what it touches.
 *
 * Within a tile the pixels lie column by column, as in an RLE, so that the runs
 * of a brush are written and the runs of the result are read in one go.
 */

import { eachInColumn, Places, type PixelSize, type Runs } from "./runs";

const TILE = 256;

export class Bitmap {
  readonly size: PixelSize;
  readonly #tilesDown: number;
  readonly #tiles = new Map<number, Uint8Array>();

  constructor(size: PixelSize) {
    this.size = size;
    this.#tilesDown = Math.ceil(size[0] / TILE);
  }

  get empty(): boolean {
    return this.#tiles.size === 0;
  }

  /** Sets the rows from `top` to before `bottom` of a column inside of the image. */
  set(column: number, top: number, bottom: number): void {
    const across = Math.floor(column / TILE);
    const inTile = (column - across * TILE) * TILE;
    for (let down = Math.floor(top / TILE); down * TILE < bottom; down++) {
      const tile = this.#tile(across * this.#tilesDown + down);
      const first = down * TILE;
      tile.fill(1, inTile + Math.max(top - first, 0), inTile + Math.min(bottom - first, TILE));
    }
  }

  has(x: number, y: number): boolean {
    const [across, down] = [Math.floor(x / TILE), Math.floor(y / TILE)];
    const tile = this.#tiles.get(across * this.#tilesDown + down);
    return tile?.[(x - across * TILE) * TILE + y - down * TILE] === 1;
  }

  /** Calls `found` for each stretch of set pixels, from `top` to before `bottom`, of one column. */
  eachInColumn(column: number, found: (top: number, bottom: number) => void): void {
    const across = Math.floor(column / TILE);
    const inTile = (column - across * TILE) * TILE;
    for (let down = 0; down < this.#tilesDown; down++) {
      const tile = this.#tiles.get(across * this.#tilesDown + down);
      if (!tile) continue;
      const rows = tile.subarray(inTile, inTile + TILE);
      const first = down * TILE;
      let at = rows.indexOf(1);
      while (at >= 0) {
        const zero = rows.indexOf(0, at);
        const stop = zero < 0 ? TILE : zero;
        found(first + at, first + stop);
        at = rows.indexOf(1, stop);
      }
    }
  }

  runs(): Runs {
    const places = new Places();
    const [height, width] = this.size;
    for (const across of this.#columns()) {
      const end = Math.min((across + 1) * TILE, width);
      for (let column = across * TILE; column < end; column++) {
        const start = column * height;
        this.eachInColumn(column, (top, bottom) => places.run(start + top, start + bottom));
      }
    }
    return places.taken();
  }

  #columns(): number[] {
    const across = [...this.#tiles.keys()].map((index) => Math.floor(index / this.#tilesDown));
    return [...new Set(across)].sort((a, b) => a - b);
  }

  #tile(index: number): Uint8Array {
    let tile = this.#tiles.get(index);
    if (!tile) {
      tile = new Uint8Array(TILE * TILE);
      this.#tiles.set(index, tile);
    }
    return tile;
  }
}

/** The stretch of a column without what is set in the runs there, piece by piece. */
export function outsideOf(
  runs: Runs,
  height: number,
  column: number,
  [top, bottom]: readonly [number, number],
  paint: (column: number, top: number, bottom: number) => void,
): void {
  let at = top;
  eachInColumn(runs, height, column, (from, to) => {
    if (to <= at || at >= bottom) return;
    if (from > at) paint(column, at, Math.min(from, bottom));
    at = Math.max(at, to);
  });
  if (at < bottom) paint(column, at, bottom);
}

/**
 * Looking at the picture: what tools ask that follow its colours.
 *
 * The answers take a while, so they come from a worker; a tool asks and goes on.
 * `Eye` is the one that looks, and knows neither worker nor tool.
 */

import type { Bounds } from "../geometry/bounds";
import { flooded, type Decoded, type Flood } from "../geometry/flood";
import { edgeCosts, straightened, waysFrom, wayTo, type Ways } from "../geometry/livewire";
import { imagePoint, type ImagePoint } from "../geometry/point";
import type { Runs } from "../geometry/runs";
import { slic, type Superpixels } from "../geometry/superpixels";

/** Every answer may also be a SightError, where there is no picture to look at. */
export interface Sight {
  /** Gets ready for the first question, which takes a while. */
  wake(): void;
  /** Pixels of the colour at a place. */
  flood(flood: Flood): Promise<Runs>;
  /** The way along edges from one place to another, both included. */
  route(from: ImagePoint, to: ImagePoint): Promise<readonly ImagePoint[]>;
  /** Superpixels of a part of the image; `spacing` is their usual side, in pixels of the image. */
  superpixels(part: Bounds, spacing: number): Promise<Superpixels>;
}

export class SightError extends Error {
  override readonly name = "SightError";
}

/** How far around an anchor the scissors look, in pixels. */
const ROUTE_REACH = 384;
/** How far from the way a point that is left out may lie. */
const ROUTE_TOLERANCE = 0.75;
/** More cells than this take too long; then a cell is several pixels. */
const MOST_CELLS = 1_000_000;

/** A part of the image as cells of several pixels, or of one. */
export type Cells = Pick<Superpixels, "left" | "top" | "side" | "across" | "down">;

/** Where the eye has its pixels from. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** Squares of so many pixels are looked at as quickly as any smaller part. */
  readonly block: number;
  /** A colour of each cell: that of the pixel in its middle, or of all of it. */
  cells(cells: Cells): Promise<Decoded>;
}

/** An image that is decoded as a whole. */
export class WholeImage implements Pixels {
  readonly width: number;
  readonly height: number;
  readonly block = 1024;
  readonly #image: Decoded;

  constructor(image: Decoded) {
    ({ width: this.width, height: this.height } = image);
    this.#image = image;
  }

  cells(cells: Cells): Promise<Decoded> {
    return Promise.resolve(sampled(this.#image, cells));
  }
}

interface Routes {
  readonly left: number;
  readonly top: number;
  readonly height: number;
  readonly ways: Ways;
}

export class Eye implements Omit<Sight, "wake"> {
  readonly #pixels: Pixels;
  #floods = 0;
  #anchor: { readonly x: number; readonly y: number; readonly routes: Promise<Routes> } | null = null;

  constructor(pixels: Pixels) {
    this.#pixels = pixels;
  }

  async flood(flood: Flood): Promise<Runs> {
    const { width, height, block: side } = this.#pixels;
    const [x, y] = [Math.floor(flood.x), Math.floor(flood.y)];
    if (x < 0 || y < 0 || x >= width || y >= height) return new Uint32Array();
    const look = (left: number, top: number, across: number, down: number): Promise<Decoded> =>
      this.#pixels.cells({ left, top, side: 1, across, down });
    // Whoever asks anew has no use for an answer that is still to come.
    const turn = ++this.#floods;
    return flooded({ width, height, side, look }, { ...flood, x, y }, () => turn === this.#floods);
  }

  async route(from: ImagePoint, to: ImagePoint): Promise<ImagePoint[]> {
    const { left, top, height, ways } = await this.#routesFrom(this.#pixelAt(from));
    const end = this.#pixelAt(to);
    const [x, y] = [end.x - left, end.y - top];
    // Further away than one looks there is no way but the straight one.
    if (x < 0 || y < 0 || x >= ways.width || y >= height) return [from, to];
    const way = straightened(wayTo(ways, y * ways.width + x), ROUTE_TOLERANCE);
    const points: ImagePoint[] = [];
    for (let i = 0; i < way.length; i += 2) points.push(imagePoint(left + way[i]! + 0.5, top + way[i + 1]! + 0.5));
    return points;
  }

  async superpixels(part: Bounds, spacing: number): Promise<Superpixels> {
    const { width, height } = this.#pixels;
    const [left, top] = [Math.max(0, Math.floor(part.left)), Math.max(0, Math.floor(part.top))];
    const right = Math.min(width, Math.ceil(part.right));
    const bottom = Math.min(height, Math.ceil(part.bottom));
    const area = Math.max(0, right - left) * Math.max(0, bottom - top);
    const side = Math.max(1, Math.ceil(Math.sqrt(area / MOST_CELLS)));
    const across = Math.max(0, Math.ceil((right - left) / side));
    const down = Math.max(0, Math.ceil((bottom - top) / side));
    const cells = await this.#pixels.cells({ left, top, side, across, down });
    const labels = slic(cells, Math.max(2, spacing / side));
    return { left, top, side, across, down, labels };
  }

  #pixelAt({ x, y }: ImagePoint): { x: number; y: number } {
    const { width, height } = this.#pixels;
    const within = (value: number, size: number): number => Math.min(size - 1, Math.max(0, Math.floor(value)));
    return { x: within(x, width), y: within(y, height) };
  }

  /** The pointer moves, the anchor stays: its ways are found once. */
  #routesFrom({ x, y }: { x: number; y: number }): Promise<Routes> {
    if (this.#anchor?.x === x && this.#anchor.y === y) return this.#anchor.routes;
    const routes = this.#findRoutes(x, y);
    this.#anchor = { x, y, routes };
    // What failed once may come the next time.
    routes.catch(() => (this.#anchor = null));
    return routes;
  }

  async #findRoutes(x: number, y: number): Promise<Routes> {
    const { width, height } = this.#pixels;
    const [left, top] = [Math.max(0, x - ROUTE_REACH), Math.max(0, y - ROUTE_REACH)];
    const across = Math.min(width, x + ROUTE_REACH) - left;
    const down = Math.min(height, y + ROUTE_REACH) - top;
    const costs = edgeCosts(await this.#pixels.cells({ left, top, side: 1, across, down }));
    const ways = waysFrom(costs, across, (y - top) * across + x - left);
    return { left, top, height: down, ways };
  }
}

/** The pixel in the middle of each cell. */
export function sampled(image: Decoded, { left, top, side, across, down }: Cells): Decoded {
  const from = new Uint32Array(image.data.buffer, image.data.byteOffset, image.width * image.height);
  const to = new Uint32Array(across * down);
  const middle = side >> 1;
  for (let r = 0; r < down; r++) {
    const row = Math.min(image.height - 1, top + r * side + middle) * image.width;
    for (let c = 0; c < across; c++) {
      to[r * across + c] = from[row + Math.min(image.width - 1, left + c * side + middle)]!;
    }
  }
  return { width: across, height: down, data: new Uint8ClampedArray(to.buffer) };
}

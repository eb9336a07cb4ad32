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

interface Routes {
  readonly x: number;
  readonly y: number;
  readonly left: number;
  readonly top: number;
  readonly height: number;
  readonly ways: Ways;
}

export class Eye {
  readonly #image: Decoded;
  #routes: Routes | null = null;

  constructor(image: Decoded) {
    this.#image = image;
  }

  flood(flood: Flood): Runs {
    const { width, height } = this.#image;
    const [x, y] = [Math.floor(flood.x), Math.floor(flood.y)];
    if (x < 0 || y < 0 || x >= width || y >= height) return new Uint32Array();
    return flooded(this.#image, { ...flood, x, y });
  }

  route(from: ImagePoint, to: ImagePoint): ImagePoint[] {
    const { left, top, height, ways } = this.#routesFrom(this.#pixelAt(from));
    const end = this.#pixelAt(to);
    const [x, y] = [end.x - left, end.y - top];
    // Further away than one looks there is no way but the straight one.
    if (x < 0 || y < 0 || x >= ways.width || y >= height) return [from, to];
    const way = straightened(wayTo(ways, y * ways.width + x), ROUTE_TOLERANCE);
    const points: ImagePoint[] = [];
    for (let i = 0; i < way.length; i += 2) points.push(imagePoint(left + way[i]! + 0.5, top + way[i + 1]! + 0.5));
    return points;
  }

  superpixels(part: Bounds, spacing: number): Superpixels {
    const { width, height } = this.#image;
    const [left, top] = [Math.max(0, Math.floor(part.left)), Math.max(0, Math.floor(part.top))];
    const right = Math.min(width, Math.ceil(part.right));
    const bottom = Math.min(height, Math.ceil(part.bottom));
    const area = Math.max(0, right - left) * Math.max(0, bottom - top);
    const side = Math.max(1, Math.ceil(Math.sqrt(area / MOST_CELLS)));
    const across = Math.max(0, Math.ceil((right - left) / side));
    const down = Math.max(0, Math.ceil((bottom - top) / side));
    const cells = sampled(this.#image, { left, top, side, across, down });
    const labels = slic(cells, Math.max(2, spacing / side));
    return { left, top, side, across, down, labels };
  }

  #pixelAt({ x, y }: ImagePoint): { x: number; y: number } {
    const { width, height } = this.#image;
    const within = (value: number, size: number): number => Math.min(size - 1, Math.max(0, Math.floor(value)));
    return { x: within(x, width), y: within(y, height) };
  }

  /** The pointer moves, the anchor stays: its ways are found once. */
  #routesFrom({ x, y }: { x: number; y: number }): Routes {
    if (this.#routes?.x === x && this.#routes.y === y) return this.#routes;
    const { width, height } = this.#image;
    const [left, top] = [Math.max(0, x - ROUTE_REACH), Math.max(0, y - ROUTE_REACH)];
    const across = Math.min(width, x + ROUTE_REACH) - left;
    const down = Math.min(height, y + ROUTE_REACH) - top;
    const costs = edgeCosts(sampled(this.#image, { left, top, side: 1, across, down }));
    const ways = waysFrom(costs, across, (y - top) * across + x - left);
    this.#routes = { x, y, left, top, height: down, ways };
    return this.#routes;
  }
}

type Cells = Pick<Superpixels, "left" | "top" | "side" | "across" | "down">;

/** The pixel in the middle of each cell. */
function sampled(image: Decoded, { left, top, side, across, down }: Cells): Decoded {
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

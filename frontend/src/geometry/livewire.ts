/**
 * Ways along edges (Mortensen and Barrett, "Intelligent Scissors for Image
 * Composition", 1995): a step between neighbouring pixels costs little where the
 * brightness changes much, and the cheapest way from one place to another, found
 * by Dijkstra's algorithm, follows what looks like a border.
 */

import type { Decoded } from "./flood";

/** Steps cost whole numbers up to this, so that the open places can lie in buckets. */
const DEAREST = 255;
const STRAIGHT = 5;
const DIAGONAL = 7;

/** The cheapest ways from one place to all others of a part of the image. */
export interface Ways {
  readonly width: number;
  /** For each pixel, row by row, the one before it; -1 at the start. */
  readonly before: Int32Array;
}

/** What it costs to pass through each pixel: nothing on the strongest edge, most on plain ground. */
export function edgeCosts(image: Decoded): Uint8Array {
  const { width, height } = image;
  const light = brightness(image);
  const at = (x: number, y: number): number =>
    light[Math.min(height - 1, Math.max(0, y)) * width + Math.min(width - 1, Math.max(0, x))]!;
  const gradient = new Float32Array(width * height);
  let strongest = 1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      // Sobel's operator in both directions.
      const dx = at(x + 1, y - 1) + 2 * at(x + 1, y) + at(x + 1, y + 1) - at(x - 1, y - 1) - 2 * at(x - 1, y) - at(x - 1, y + 1);
      const dy = at(x - 1, y + 1) + 2 * at(x, y + 1) + at(x + 1, y + 1) - at(x - 1, y - 1) - 2 * at(x, y - 1) - at(x + 1, y - 1);
      const size = Math.hypot(dx, dy);
      gradient[y * width + x] = size;
      strongest = Math.max(strongest, size);
    }
  }
  // The root brings out weak edges beside strong ones.
  return Uint8Array.from(gradient, (size) => Math.round(1 + (DEAREST - 1) * (1 - Math.sqrt(size / strongest))));
}

function brightness({ width, height, data }: Decoded): Float32Array {
  const light = new Float32Array(width * height);
  for (let i = 0; i < light.length; i++) {
    light[i] = 0.299 * data[4 * i]! + 0.587 * data[4 * i + 1]! + 0.114 * data[4 * i + 2]!;
  }
  return light;
}

export function waysFrom(costs: Uint8Array, width: number, start: number): Ways {
  const height = costs.length / width;
  const before = new Int32Array(costs.length).fill(-1);
  const total = new Float64Array(costs.length).fill(Infinity);
  const done = new Uint8Array(costs.length);
  // No step costs more than the buckets go around.
  const buckets: number[][] = Array.from({ length: DEAREST * DIAGONAL + 1 }, () => []);
  let open = 1;
  total[start] = 0;
  buckets[0]!.push(start);
  for (let cost = 0; open > 0; cost++) {
    const bucket = buckets[cost % buckets.length]!;
    while (bucket.length > 0) {
      const pixel = bucket.pop()!;
      open--;
      if (done[pixel] || total[pixel] !== cost) continue;
      done[pixel] = 1;
      const [x, y] = [pixel % width, Math.floor(pixel / width)];
      for (let dy = -1; dy <= 1; dy++) {
        for (let dx = -1; dx <= 1; dx++) {
          const [nx, ny] = [x + dx, y + dy];
          if ((dx === 0 && dy === 0) || nx < 0 || ny < 0 || nx >= width || ny >= height) continue;
          const next = ny * width + nx;
          const there = cost + costs[next]! * (dx === 0 || dy === 0 ? STRAIGHT : DIAGONAL);
          if (done[next] || there >= total[next]!) continue;
          total[next] = there;
          before[next] = pixel;
          buckets[there % buckets.length]!.push(next);
          open++;
        }
      }
    }
  }
  return { width, before };
}

/** The way to a pixel as x, y, x, y, ..., start and end included. */
export function wayTo({ width, before }: Ways, end: number): number[] {
  const way: number[] = [];
  for (let pixel = end; pixel >= 0; pixel = before[pixel]!) way.push(Math.floor(pixel / width), pixel % width);
  return way.reverse();
}

/** The way with as few points as lie no further than `tolerance` from what is left out. */
export function straightened(way: readonly number[], tolerance: number): number[] {
  const n = way.length >> 1;
  const keep = new Uint8Array(n);
  if (n > 0) keep[0] = keep[n - 1] = 1;
  const open: [number, number][] = [[0, n - 1]];
  while (open.length > 0) {
    const [from, to] = open.pop()!;
    const [ax, ay, dx, dy] = [way[2 * from]!, way[2 * from + 1]!, way[2 * to]! - way[2 * from]!, way[2 * to + 1]! - way[2 * from + 1]!];
    const length = Math.hypot(dx, dy);
    let worst = tolerance;
    let at = -1;
    for (let i = from + 1; i < to; i++) {
      const [px, py] = [way[2 * i]! - ax, way[2 * i + 1]! - ay];
      const away = length > 0 ? Math.abs(px * dy - py * dx) / length : Math.hypot(px, py);
      if (away > worst) [worst, at] = [away, i];
    }
    if (at < 0) continue;
    keep[at] = 1;
    open.push([from, at], [at, to]);
  }
  return way.filter((_, i) => keep[i >> 1] === 1);
}

import fc from "fast-check";
import { expect, test } from "vitest";

import { flooded, type Decoded, type Flood, type Seen } from "../../src/geometry/flood";
import { NO_PIXELS, type Runs } from "../../src/geometry/runs";
import { picture } from "../sight";

/** An image that is looked at in small blocks, and which those were. */
function seen(image: Decoded, side: number): Seen & { readonly looked: string[] } {
  const looked: string[] = [];
  const look = (left: number, top: number, width: number, height: number): Promise<Decoded> => {
    if (width > 1 || height > 1) looked.push(`${left},${top}`);
    const at = (x: number, y: number): number => 4 * ((top + y) * image.width + left + x);
    return Promise.resolve(picture((x, y) => [...image.data.slice(at(x, y), at(x, y) + 3)] as never, width, height));
  };
  return { width: image.width, height: image.height, side, look, looked };
}

/** Pixel by pixel, from neighbour to neighbour. */
function simply({ width, height, data }: Decoded, { x, y, threshold, contiguous }: Flood): number[] {
  const like = (pixel: number): boolean =>
    [0, 1, 2].every((part) => Math.abs(data[4 * pixel + part]! - data[4 * (y * width + x) + part]!) <= threshold);
  const found = new Set<number>();
  const open = contiguous ? [y * width + x] : Array.from({ length: width * height }, (_, pixel) => pixel);
  while (open.length > 0) {
    const pixel = open.pop()!;
    if (found.has(pixel) || !like(pixel)) continue;
    found.add(pixel);
    if (!contiguous) continue;
    if (pixel % width > 0) open.push(pixel - 1);
    if (pixel % width < width - 1) open.push(pixel + 1);
    if (pixel >= width) open.push(pixel - width);
    if (pixel < width * (height - 1)) open.push(pixel + width);
  }
  return [...found].map((pixel) => (pixel % width) * height + Math.floor(pixel / width)).sort((a, b) => a - b);
}

function places(runs: Runs): number[] {
  const found: number[] = [];
  for (let i = 0; i < runs.length; i += 2) for (let place = runs[i]!; place < runs[i + 1]!; place++) found.push(place);
  return found;
}

test("any colour from any place, in blocks of any size, reaches what a walk from pixel to pixel does", async () => {
  const scene = fc
    .record({
      width: fc.integer({ min: 1, max: 90 }),
      height: fc.integer({ min: 1, max: 90 }),
      seed: fc.integer({ min: 1, max: 1_000_000 }),
      tones: fc.constantFrom(2, 3, 12),
      side: fc.constantFrom(7, 32, 33, 64, 1024),
      threshold: fc.constantFrom(0, 20, 120),
      contiguous: fc.boolean(),
    })
    .chain((all) =>
      fc.record({
        all: fc.constant(all),
        x: fc.integer({ min: 0, max: all.width - 1 }),
        y: fc.integer({ min: 0, max: all.height - 1 }),
      }),
    );
  await fc.assert(
    fc.asyncProperty(scene, async ({ all: { width, height, seed, tones, side, ...rest }, x, y }) => {
      let state = seed;
      const next = (): number => (state = (state * 48271) % 2147483647);
      const image = picture(() => [(next() % tones) * 20, 90, (next() % 2) * 10], width, height);
      const flood = { x, y, ...rest };
      expect(places(await flooded(seen(image, side), flood))).toEqual(simply(image, flood));
    }),
    { numRuns: 150 },
  );
});

test("only the blocks that the colour leads to are looked at", async () => {
  const bar = picture((x, y) => (y === 40 && x < 50 ? [200, 0, 0] : [0, 0, 0]), 100, 80);
  const image = seen(bar, 20);
  await flooded(image, { x: 5, y: 40, threshold: 10, contiguous: true });
  // The row above is looked at, too: the bar lies at its edge.
  expect(image.looked.sort()).toEqual(["0,20", "0,40", "20,20", "20,40", "40,20", "40,40"]);
});

test("what nobody waits for any more ends at the next block", async () => {
  const image = seen(picture(() => [9, 9, 9], 400, 400), 16);
  let asked = 0;
  const runs = await flooded(image, { x: 5, y: 5, threshold: 10, contiguous: true }, () => ++asked < 3);
  expect(runs).toEqual(NO_PIXELS);
  expect(image.looked.length).toBeLessThan(30);
});

test("a colour in more than two million pieces is refused, before it fills the memory", async () => {
  const dust = (_: number, top: number, width: number, height: number): Promise<Decoded> => {
    const data = new Uint8ClampedArray(4 * width * height);
    for (let row = 0; row < height; row++) if ((top + row) % 2 === 0) data.fill(200, 4 * row * width, 4 * (row + 1) * width);
    return Promise.resolve({ width, height, data });
  };
  const image = { width: 2048, height: 2048, side: 1024, look: dust };
  await expect(flooded(image, { x: 0, y: 1, threshold: 5, contiguous: false })).rejects.toThrow("too ragged");
});

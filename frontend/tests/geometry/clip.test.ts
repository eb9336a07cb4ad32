import { expect, test } from "vitest";

import { clipBox, clipRing, placeMask } from "../../src/geometry/clip";
import { insideRing, ringArea } from "../../src/geometry/ring";
import { decode, encode, type Rle } from "../../src/geometry/rle";
import { imagePoint } from "../../src/geometry/point";

const BOUNDS = { left: 0, top: 0, right: 20, bottom: 10 };

/** Numbers that look random and are the same every time. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

test("a ring inside stays the same object, one outside is gone, one across is cut", () => {
  const inside = [1, 1, 5, 1, 5, 5];
  expect(clipRing(inside, BOUNDS)).toBe(inside);
  expect(clipRing([30, 1, 40, 1, 40, 5], BOUNDS)).toBeNull();
  expect(clipRing([20, 1, 40, 1, 40, 5, 20, 5], BOUNDS)).toBeNull();
  expect(clipRing([10, -5, 30, -5, 30, 5, 10, 5], BOUNDS)).toEqual([10, 0, 20, 0, 20, 5, 10, 5]);
});

test("a cut ring covers what the ring covers within the bounds, and nothing else", () => {
  const next = numbers(7);
  for (let round = 0; round < 200; round++) {
    const ring = Array.from({ length: 2 * (3 + (round % 6)) }, () => Math.round(next() * 400) / 10 - 10);
    const cut = clipRing(ring, BOUNDS);
    for (let i = 0; i < 100; i++) {
      const at = imagePoint(0.003 + next() * 19.99, 0.003 + next() * 9.99);
      expect(cut !== null && insideRing(cut, at)).toBe(insideRing(ring, at));
    }
    if (cut) expect(ringArea(cut)).toBeGreaterThan(0);
  }
});

test("a box is cut, kept or gone", () => {
  const inside = [1, 1, 5, 5] as const;
  expect(clipBox(inside, BOUNDS)).toBe(inside);
  expect(clipBox([-5, 2, 10, 20], BOUNDS)).toEqual([0, 2, 5, 8]);
  expect(clipBox([20, 2, 10, 20], BOUNDS)).toBeNull();
});

test("a mask on another image has the same pixels, moved, and tells how many fell outside", () => {
  const next = numbers(3);
  for (let round = 0; round < 100; round++) {
    const [height, width] = [1 + Math.floor(next() * 7), 1 + Math.floor(next() * 7)];
    const size = [1 + Math.floor(next() * 9), 1 + Math.floor(next() * 9)] as const;
    const [dx, dy] = [Math.floor(next() * 9) - 4, Math.floor(next() * 9) - 4];
    const pixels = Uint8Array.from({ length: height * width }, () => (next() < 0.6 ? 1 : 0));
    const mask = encode(pixels, [height, width]);
    const placed = placeMask(mask, size, dx, dy);
    const wanted = new Uint8Array(size[0] * size[1]);
    let lost = 0;
    pixels.forEach((pixel, i) => {
      const [x, y] = [Math.floor(i / height) + dx, (i % height) + dy];
      if (!pixel) return;
      if (x >= 0 && y >= 0 && x < size[1] && y < size[0]) wanted[x * size[0] + y] = 1;
      else lost++;
    });
    expect(decode(placed.mask)).toEqual(wanted);
    expect(placed.mask.counts).toBe(encode(wanted, size).counts);
    expect([placed.lost, placed.kept]).toEqual([lost, wanted.reduce((sum, one) => sum + one, 0)]);
  }
});

test("a mask that stays where it is is the very same", () => {
  const mask: Rle = { size: [3, 3], counts: [4, 1, 4] };
  expect(placeMask(mask, [3, 3], 0, 0).mask).toBe(mask);
});

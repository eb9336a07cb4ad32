import fc from "fast-check";
import { expect, test } from "vitest";

import { ringsApart } from "../../src/geometry/apart";
import { rasterised } from "../../src/geometry/raster";
import * as rle from "../../src/geometry/rle";
import { runsOf, type PixelSize } from "../../src/geometry/runs";

function maskOf(rows: readonly string[]): rle.Rle {
  const size: PixelSize = [rows.length, rows[0]!.length];
  const pixels = new Uint8Array(size[0] * size[1]);
  rows.forEach((row, r) => [...row].forEach((pixel, c) => (pixels[c * size[0] + r] = Number(pixel))));
  return rle.encode(pixels, size);
}

function expectSamePixels(mask: rle.Rle): void {
  const { rings, holes } = ringsApart(mask);
  expect([...rasterised(rings, holes, mask.size)]).toEqual([...runsOf(mask)]);
}

test("a frame is a polygon with a hole", () => {
  expect(ringsApart(maskOf(["111", "101", "111"]))).toEqual({
    rings: [[0, 0, 3, 0, 3, 3, 0, 3]],
    holes: [[1, 1, 1, 2, 2, 2, 2, 1]],
  });
});

test("what lies in a hole, however deep, is left out of it by a seam", () => {
  const rings = (from: number): string[] =>
    Array.from({ length: 15 }, (_, r) =>
      Array.from({ length: 15 }, (_, c) => String((Math.min(r, c, 14 - r, 14 - c) + from) % 2)).join(""),
    );
  for (const from of [0, 1]) expectSamePixels(maskOf(rings(from)));
  const { holes } = ringsApart(maskOf(rings(1)));
  expect(holes).toHaveLength(1);
});

test("any mask gives back its pixels, islands in holes and diagonal neighbours included", () => {
  const masks = fc
    .record({ height: fc.integer({ min: 1, max: 14 }), width: fc.integer({ min: 1, max: 14 }), dense: fc.boolean() })
    .chain(({ height, width, dense }) =>
      fc
        .array(fc.integer({ min: 0, max: 3 }), { minLength: height * width, maxLength: height * width })
        .map((values) => rle.encode(Uint8Array.from(values, (v) => (v > (dense ? 0 : 1) ? 1 : 0)), [height, width])),
    );
  fc.assert(fc.property(masks, expectSamePixels), { numRuns: 400 });
});

import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { rasterised, rasterisedBox } from "../../src/geometry/raster";
import { pixelCount, rleOf, runsBounds, type PixelSize } from "../../src/geometry/runs";
import { boxOfBounds, type Box } from "../../src/geometry/bounds";

const golden = JSON.parse(
  readFileSync(new URL("../../../tests/data/masks/mask_golden.json", import.meta.url), "utf8"),
) as {
  frPoly: { h: number; w: number; poly: number[]; counts: string; area: number; bbox: number[] }[];
  frBbox: { h: number; w: number; bbox_in: Box; counts: string }[];
};

test("polygons become the pixels that pycocotools gives them, with the same area and extent", () => {
  for (const { h, w, poly, counts, area, bbox } of golden.frPoly) {
    const size: PixelSize = [h, w];
    const runs = rasterised([poly], [], size);
    expect(rleOf(runs, size).counts, JSON.stringify(poly)).toBe(counts);
    expect(pixelCount(runs)).toBe(area);
    const bounds = runsBounds(runs, h);
    expect(bounds ? boxOfBounds(bounds) : [0, 0, 0, 0]).toEqual(bbox);
  }
});

test("boxes become the pixels that pycocotools gives them", () => {
  for (const { h, w, bbox_in: box, counts } of golden.frBbox) {
    expect(rleOf(rasterisedBox(box, [h, w]), [h, w]).counts, JSON.stringify(box)).toBe(counts);
  }
});

test("rings are united, holes are cut out of the union", () => {
  const square = (from: number, to: number): number[] => [from, from, to, from, to, to, from, to];
  const size: PixelSize = [8, 8];
  const frame = rasterised([square(0, 4), square(2, 6)], [square(3, 4)], size);
  expect(pixelCount(frame)).toBe(16 + 16 - 4 - 1);
});

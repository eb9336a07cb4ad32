import { existsSync, readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { contours } from "../../src/geometry/contours";
import { imagePoint } from "../../src/geometry/point";
import { insideRing } from "../../src/geometry/ring";
import * as rle from "../../src/geometry/rle";

interface Golden {
  frPoly: { h: number; w: number; counts: string; area: number; bbox: number[] }[];
  encode_decode: { h: number; w: number; mask_rows: string[]; counts: string; area: number; bbox: number[] }[];
  string_single: { count: number; string: string }[];
}

const golden = JSON.parse(
  readFileSync(new URL("../../../tests/data/masks/mask_golden.json", import.meta.url), "utf8"),
) as Golden;

const columnMajor = (rows: string[], h: number, w: number): Uint8Array =>
  Uint8Array.from({ length: h * w }, (_, i) => Number(rows[i % h]![Math.floor(i / h)]));

test("decodes and encodes as pycocotools does", () => {
  for (const { h, w, mask_rows, counts, area, bbox } of golden.encode_decode) {
    const mask: rle.Rle = { size: [h, w], counts };
    const pixels = columnMajor(mask_rows, h, w);
    expect(rle.decode(mask)).toEqual(pixels);
    expect(rle.encode(pixels, [h, w])).toEqual(mask);
    expect(rle.area(mask)).toBe(area);
    expect(rle.bbox(mask)).toEqual(bbox);
  }
});

test("area, box and coding agree for rasterised polygons", () => {
  for (const { h, w, counts, area, bbox } of golden.frPoly) {
    const mask: rle.Rle = { size: [h, w], counts };
    expect(rle.area(mask)).toBe(area);
    expect(rle.bbox(mask)).toEqual(bbox);
    expect(rle.writeCounts(rle.countsOf(mask))).toBe(counts);
  }
});

test("single counts are coded alike, up to 32 bits", () => {
  for (const { count, string } of golden.string_single) {
    expect(rle.writeCounts([count])).toBe(string);
    expect(rle.parseCounts(string)).toEqual([count]);
  }
});

test("a point is covered exactly where its pixel is set", () => {
  for (const { h, w, mask_rows, counts } of golden.encode_decode.slice(0, 60)) {
    const mask: rle.Rle = { size: [h, w], counts };
    const ends = rle.runEnds(mask);
    for (let r = -1; r <= h; r++) {
      for (let c = -1; c <= w; c++) {
        const set = mask_rows[r]?.[c] === "1";
        expect(rle.covers(mask, ends, imagePoint(c + 0.4, r + 0.6))).toBe(set);
      }
    }
  }
});

describe("contours", () => {
  test("fill exactly the set pixels, and chain every edge once", () => {
    for (const { h, w, mask_rows, counts } of golden.encode_decode) {
      const rings = contours({ size: [h, w], counts });
      for (let r = 0; r < h; r++) {
        for (let c = 0; c < w; c++) {
          const centre = imagePoint(c + 0.5, r + 0.5);
          const inside = rings.filter((ring) => insideRing(ring, centre)).length % 2 === 1;
          expect(inside).toBe(mask_rows[r]![c] === "1");
        }
      }
    }
  });

  test("have corners only where the outline turns", () => {
    const square = rle.encode(columnMajor(["0000", "0110", "0110", "0000"], 4, 4), [4, 4]);
    expect(contours(square)).toEqual([[1, 1, 3, 1, 3, 3, 1, 3]]);
  });

  test("give diagonal neighbours a ring each, also inside a hole", () => {
    const diagonal = rle.encode(columnMajor(["10", "01"], 2, 2), [2, 2]);
    expect(contours(diagonal)).toHaveLength(2);
    const island = ["11111", "11001", "10101", "10011", "11111"];
    expect(contours(rle.encode(columnMajor(island, 5, 5), [5, 5])).length).toBeGreaterThan(1);
  });
});

test.each([
  ["a number that does not end", { size: [4, 4], counts: "P" }, "inside a number"],
  ["a character outside the alphabet", { size: [4, 4], counts: "3 2" }, "outside the alphabet"],
  ["too few pixels", { size: [4, 4], counts: [3, 2] }, "5 pixels of 16"],
  ["too many pixels", { size: [2, 2], counts: [3, 2] }, "5 pixels of 4"],
  ["a negative run", { size: [2, 2], counts: [5, -1] }, "negative"],
] as const)("refuses %s", (_, mask, message) => {
  expect(() => rle.decode(mask as unknown as rle.Rle)).toThrow(message);
});

test("the golden file is there", () => {
  expect(existsSync(new URL("../../../tests/data/masks", import.meta.url))).toBe(true);
});

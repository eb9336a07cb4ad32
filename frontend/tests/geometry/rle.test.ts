import { readFileSync } from "node:fs";

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { contours } from "../../src/geometry/contours";
import { imagePoint } from "../../src/geometry/point";
import { insideRing } from "../../src/geometry/ring";
import * as rle from "../../src/geometry/rle";
import { covers, runsOf } from "../../src/geometry/runs";

interface Measured {
  h: number;
  w: number;
  counts: string;
  area: number;
  bbox: number[];
}
type Compressed = rle.Rle & { counts: string };
interface Golden {
  frPoly: Measured[];
  frBbox: Measured[];
  encode_decode: (Measured & { mask_rows: string[] })[];
  merge: { in: Compressed[]; union: Compressed; intersect: Compressed }[];
  iou: { dt?: Compressed[]; gt?: Compressed[] }[];
  non_canonical_rle: { counts_in: number[]; compressed: string; decoded_rows: string[]; reencoded: string }[];
  string_single: { count: number; string: string }[];
}
interface Cases {
  refused: { name: string; code: rle.RleCode; member: string | null; rle: rle.Rle }[];
  accepted: { name: string; counts: number[]; rle: rle.Rle }[];
}

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../tests/data/masks/${name}`, import.meta.url), "utf8"));
const golden = read("mask_golden.json") as Golden;
const cases = read("rle_cases.json") as Cases;

const columnMajor = (rows: string[], h: number, w: number): Uint8Array =>
  Uint8Array.from({ length: h * w }, (_, i) => Number(rows[i % h]![Math.floor(i / h)]));

function refusal(call: () => unknown): rle.RleError {
  try {
    call();
  } catch (error) {
    if (error instanceof rle.RleError) return error;
    throw error;
  }
  throw new Error("It was not refused.");
}

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

test("area, box and coding agree for rasterised polygons and boxes", () => {
  for (const { h, w, counts, area, bbox } of [...golden.frPoly, ...golden.frBbox]) {
    const mask: rle.Rle = { size: [h, w], counts };
    expect(rle.area(mask)).toBe(area);
    expect(rle.bbox(mask)).toEqual(bbox);
    expect(rle.writeCounts(rle.countsOf(mask))).toBe(counts);
  }
});

test("unions and intersections of the golden file are those of the pixels", () => {
  for (const { in: given, union, intersect } of golden.merge) {
    const planes = given.map((mask) => rle.decode(mask));
    const { size } = union;
    const any = planes[0]!.map((_, i) => Number(planes.some((plane) => plane[i] === 1)));
    const all = planes[0]!.map((_, i) => Number(planes.every((plane) => plane[i] === 1)));
    expect(rle.encode(any, size)).toEqual(union);
    expect(rle.encode(all, size)).toEqual(intersect);
  }
});

test("every mask of the golden file is written as it was read", () => {
  const masks = golden.iou.flatMap(({ dt = [], gt = [] }) => [...dt, ...gt]);
  expect(masks.length).toBeGreaterThan(100);
  for (const mask of masks) expect(rle.writeCounts(rle.countsOf(mask))).toBe(mask.counts);
});

test("runs of length zero decode as if they were not there", () => {
  for (const { counts_in, compressed, decoded_rows, reencoded } of golden.non_canonical_rle) {
    const pixels = columnMajor(decoded_rows, 4, 4);
    for (const counts of [counts_in, compressed]) {
      const mask: rle.Rle = { size: [4, 4], counts };
      expect(rle.decode(mask)).toEqual(pixels);
      const canonical = rle.encode(pixels, [4, 4]);
      expect(canonical.counts).toBe(reencoded);
      expect(rle.area(mask)).toBe(rle.area(canonical));
      expect(rle.bbox(mask)).toEqual(rle.bbox(canonical));
      const runs = runsOf(mask);
      pixels.forEach((pixel, i) => {
        const centre = imagePoint(Math.floor(i / 4) + 0.5, (i % 4) + 0.5);
        expect(covers(runs, mask.size, centre)).toBe(pixel === 1);
      });
    }
  }
});

test("some columns decode to what they are in the whole", () => {
  for (const { h, w, counts } of golden.encode_decode.slice(0, 100)) {
    const mask: rle.Rle = { size: [h, w], counts };
    const whole = rle.decode(mask);
    const half = w >> 1;
    for (const [first, columns] of [[0, w], [0, 0], [w, 0], [half, w - half], [w >> 2, half]] as const) {
      const part = whole.slice(first * h, (first + columns) * h);
      expect(rle.decode(mask, first, columns)).toEqual(part);
    }
  }
});

test("single counts are coded alike, up to 32 bits", () => {
  for (const { count, string } of golden.string_single) {
    expect(rle.writeCounts([count])).toBe(string);
    expect([...rle.parseCounts(string)]).toEqual([count]);
  }
});

test("a point is covered exactly where its pixel is set", () => {
  for (const { h, w, mask_rows, counts } of golden.encode_decode.slice(0, 60)) {
    const mask: rle.Rle = { size: [h, w], counts };
    const runs = runsOf(mask);
    for (let r = -1; r <= h; r++) {
      for (let c = -1; c <= w; c++) {
        const set = mask_rows[r]?.[c] === "1";
        expect(covers(runs, mask.size, imagePoint(c + 0.4, r + 0.6))).toBe(set);
      }
    }
  }
});

describe("contours", () => {
  test("fill exactly the set pixels, and chain every edge once", () => {
    for (const { h, w, mask_rows, counts } of golden.encode_decode) {
      const rings = contours({ size: [h, w], counts });
      const rows = mask_rows.map((_, r) =>
        Array.from({ length: w }, (_, c) => {
          const centre = imagePoint(c + 0.5, r + 0.5);
          return rings.filter((ring) => insideRing(ring, centre)).length % 2;
        }).join(""),
      );
      expect(rows).toEqual(mask_rows);
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

test.each(cases.refused)("refuses $name", ({ rle: mask, code, member }) => {
  for (const call of [rle.countsOf, rle.decode, rle.area, rle.bbox]) {
    const error = refusal(() => call(mask));
    expect({ code: error.code, member: error.member }).toEqual({ code, member });
    expect(error.message).not.toBe("");
  }
});

test.each(cases.accepted)("takes $name", ({ rle: mask, counts }) => {
  const [height, width] = mask.size;
  const canonical: rle.Rle = { size: mask.size, counts };
  expect(rle.area(mask)).toBe(rle.area(canonical));
  expect(rle.bbox(mask)).toEqual(rle.bbox(canonical));
  if (height * width <= 1000) {
    expect(rle.decode(mask)).toEqual(rle.decode(canonical));
    expect(rle.encode(rle.decode(mask), mask.size).counts).toBe(rle.writeCounts(counts));
  }
});

test.each([Infinity, -Infinity, NaN, 10n, undefined])("refuses the count %s", (count) => {
  const mask = { size: [4, 4], counts: [3, count, 11] } as unknown as rle.Rle;
  expect(refusal(() => rle.decode(mask)).code).toBe("rle_invalid");
});

test("nothing is decoded that would fill the memory", () => {
  const mask: rle.Rle = { size: [65535, 65537], counts: [2 ** 32 - 2, 1] };
  expect(rle.area(mask)).toBe(1);
  expect(rle.bbox(mask)).toEqual([65536, 65534, 1, 1]);
  expect(refusal(() => rle.decode(mask)).code).toBe("decode_too_large");
  expect(rle.decode(mask, 65536).length).toBe(65535);
  expect(contours(mask)).toEqual([[65536, 65534, 65537, 65534, 65537, 65535, 65536, 65535]]);
  expect(contours({ ...mask, counts: [0, 2 ** 32 - 1] })).toEqual([[0, 0, 65537, 0, 65537, 65535, 0, 65535]]);
});

describe("any counts", () => {
  const alphabet = fc.string({ unit: fc.integer({ min: 48, max: 111 }).map((c) => String.fromCharCode(c)) });
  const side = fc.oneof(fc.integer({ min: 0, max: 12 }), fc.constantFrom(65535, 65537, 2 ** 32 - 1));

  test("are read and add up, or refused with a code", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), alphabet, fc.array(fc.anything())), side, side, (counts, h, w) => {
        const mask = { size: [h, w], counts } as unknown as rle.Rle;
        let total: number;
        try {
          total = rle.countsOf(mask).reduce((sum, count) => sum + count, 0);
        } catch (error) {
          expect(error).toBeInstanceOf(rle.RleError);
          return;
        }
        expect(total).toBe(h * w);
        expect(rle.area(mask)).toBeLessThanOrEqual(h * w);
      }),
      { numRuns: 1000 },
    );
  });

  test("are read again as they were written", () => {
    const count = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    fc.assert(
      fc.property(fc.array(fc.oneof(count, fc.integer({ min: 0, max: 40 })), { minLength: 1 }), (counts) => {
        expect([...rle.parseCounts(rle.writeCounts(counts))]).toEqual(counts);
      }),
    );
  });
});

test("any pixels are encoded to what decodes to them", () => {
  const sized = fc
    .tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 }))
    .chain(([h, w]) =>
      fc.tuple(fc.constant([h, w] as const), fc.uint8Array({ minLength: h * w, maxLength: h * w, max: 2 })),
    );
  fc.assert(
    fc.property(sized, ([size, pixels]) => {
      const mask = rle.encode(pixels, size);
      const binary = pixels.map((pixel) => Math.min(pixel, 1));
      expect(rle.decode(mask)).toEqual(binary);
      expect(rle.area(mask)).toBe(binary.reduce((sum, pixel) => sum + pixel, 0));
    }),
  );
});

test("the tables are there", () => {
  expect(golden.frPoly.length).toBe(2500);
  expect(cases.refused.length).toBeGreaterThan(70);
});

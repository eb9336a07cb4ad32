import { readFileSync } from "node:fs";

import fc from "fast-check";
import { expect, test, vi } from "vitest";

import { Bitmap, outsideOf } from "../../src/geometry/bitmap";
import { boundsOfBox, type Box } from "../../src/geometry/bounds";
import * as rle from "../../src/geometry/rle";
import {
  countsOfRuns,
  eachInColumn,
  intersect,
  pixelCount,
  rleOf,
  runsBounds,
  runsOf,
  sameRuns,
  splicedCounts,
  unite,
  without,
  type PixelSize,
  type Runs,
} from "../../src/geometry/runs";
import { writeCounts } from "../../src/geometry/rle";
import { strokePiece } from "../../src/geometry/stroke";
import { imagePoint } from "../../src/geometry/point";

const read = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../../../tests/data/masks/${name}`, import.meta.url), "utf8")) as T;

type Compressed = { size: [number, number]; counts: string };
const golden = read<{
  encode_decode: { h: number; w: number; mask_rows: string[]; counts: string; area: number; bbox: Box }[];
  merge: { in: Compressed[]; union: Compressed; intersect: Compressed }[];
}>("mask_golden.json");

const bitmaps = fc.record({ height: fc.integer({ min: 1, max: 9 }), width: fc.integer({ min: 1, max: 9 }) }).chain(
  ({ height, width }) => {
    const pixels = fc.uint8Array({ minLength: height * width, maxLength: height * width, max: 1 });
    return fc.tuple(fc.constant([height, width] as PixelSize), pixels, pixels);
  },
);

const runsOfPixels = (pixels: Uint8Array, size: PixelSize): Runs => runsOf(rle.encode(pixels, size));

test("masks keep their pixels, area, extent and canonical counts as runs", () => {
  for (const { h, w, counts, area, bbox } of golden.encode_decode) {
    const size: PixelSize = [h, w];
    const runs = runsOf({ size, counts });
    expect(rleOf(runs, size)).toEqual({ size, counts });
    expect(rleOf(runs, size, false).counts).toEqual([...rle.countsOf({ size, counts })]);
    expect(pixelCount(runs)).toBe(area);
    const bounds = runsBounds(runs, h);
    expect(bounds).toEqual(area === 0 ? null : boundsOfBox(bbox));
  }
});

test("union and intersection are those of pycocotools", () => {
  for (const { in: masks, union, intersect: common } of golden.merge) {
    const all = masks.map(runsOf);
    const [first, ...others] = all as [Runs, ...Runs[]];
    expect(rleOf(others.reduce(unite, first), union.size).counts).toBe(union.counts);
    expect(rleOf(others.reduce(intersect, first), common.size).counts).toBe(common.counts);
  }
});

test("runs are combined pixel by pixel, and equal pixels have equal runs", () => {
  fc.assert(
    fc.property(bitmaps, ([size, a, b]) => {
      const [left, right] = [runsOfPixels(a, size), runsOfPixels(b, size)];
      const wanted = (keep: (i: number) => boolean): Runs => runsOfPixels(a.map((_, i) => (keep(i) ? 1 : 0)), size);
      expect(unite(left, right)).toEqual(wanted((i) => a[i] === 1 || b[i] === 1));
      expect(without(left, right)).toEqual(wanted((i) => a[i] === 1 && b[i] === 0));
      expect(sameRuns(intersect(left, right), wanted((i) => a[i] === 1 && b[i] === 1))).toBe(true);
      const [height, width] = size;
      for (let x = 0; x < width; x++) {
        const column = new Array<number>(height).fill(0);
        eachInColumn(left, height, x, (top, bottom) => column.fill(1, top, bottom));
        expect(column).toEqual([...a.slice(x * height, (x + 1) * height)].map(Number));
      }
    }),
  );
});

test("an image without set pixels, and one that is all set, have the counts of COCO", () => {
  expect(countsOfRuns(new Uint32Array(), [2, 3])).toEqual([6]);
  expect(countsOfRuns(Uint32Array.of(0, 6), [2, 3])).toEqual([0, 6]);
  expect(countsOfRuns(new Uint32Array(), [0, 0])).toEqual([0]);
});

test("a bitmap gives back what was set in it, over the borders of its tiles", () => {
  const size: PixelSize = [600, 530];
  const stretch = fc.tuple(
    fc.integer({ min: 0, max: 529 }),
    fc.integer({ min: 0, max: 599 }),
    fc.integer({ min: 1, max: 600 }),
  );
  fc.assert(
    fc.property(fc.array(stretch, { maxLength: 12 }), (stretches) => {
      const bitmap = new Bitmap(size);
      const pixels = new Uint8Array(600 * 530);
      for (const [column, top, length] of stretches) {
        const bottom = Math.min(600, top + length);
        bitmap.set(column, top, bottom);
        pixels.fill(1, column * 600 + top, column * 600 + bottom);
      }
      expect(sameRuns(bitmap.runs(), runsOfPixels(pixels, size))).toBe(true);
      for (const [column, top] of stretches) expect(bitmap.has(column, top)).toBe(true);
    }),
    { numRuns: 20 },
  );
});

test("strokes have the very pixels of the mask engine", () => {
  type Case = Compressed & { stroke: number[]; radius: number; square: boolean };
  for (const { size, stroke, radius, square, counts } of read<Case[]>("stroke_cases.json")) {
    const bitmap = new Bitmap(size);
    const points = stroke.flatMap((x, i) => (i % 2 === 0 ? [imagePoint(x, stroke[i + 1]!)] : []));
    points.forEach((to, i) => {
      if (i === 0 && points.length > 1) return;
      const from = points[Math.max(0, i - 1)]!;
      strokePiece(from, to, { radius, square }, size, (...at) => bitmap.set(...at));
    });
    expect(rleOf(bitmap.runs(), size).counts, JSON.stringify({ size, stroke, radius, square })).toBe(counts);
  }
});

test("what lies outside of runs in a column comes in pieces", () => {
  const runs = Uint32Array.of(2, 4, 6, 12, 15, 30);
  const pieces = (column: number, top: number, bottom: number): number[][] => {
    const found: number[][] = [];
    outsideOf(runs, 10, column, [top, bottom], (...at) => found.push(at));
    return found;
  };
  expect(pieces(0, 0, 10)).toEqual([[0, 0, 2], [0, 4, 6]]);
  expect(pieces(0, 3, 5)).toEqual([[0, 4, 5]]);
  expect(pieces(1, 0, 10)).toEqual([[1, 2, 5]]);
  expect(pieces(2, 0, 10)).toEqual([]);
  expect(pieces(3, 0, 10)).toEqual([[3, 0, 10]]);
});

test("counts of which only some are written anew are those that would be written", () => {
  const size: PixelSize = [5000, 20];
  const places = fc.uniqueArray(fc.nat(99_999), { minLength: 4200, maxLength: 4800 });
  const runsOfPlaces = (all: readonly number[]): Runs => {
    const sorted = Uint32Array.from(all).sort();
    return sorted.slice(0, sorted.length & ~1);
  };
  const stroke = fc.tuple(fc.nat(99_999), fc.integer({ min: 1, max: 3000 }), fc.boolean());
  fc.assert(
    fc.property(places, fc.array(stroke, { minLength: 1, maxLength: 4 }), (all, strokes) => {
      let runs = runsOfPlaces(all);
      let text = rleOf(runs, size).counts as string;
      for (const [at, length, adds] of strokes) {
        const drawn = Uint32Array.of(at, Math.min(100_000, at + length));
        const after = adds ? unite(runs, drawn) : without(runs, drawn);
        text = splicedCounts(text, runs, after, size);
        expect(text).toBe(rleOf(after, size).counts);
        runs = after;
      }
    }),
    { numRuns: 40 },
  );
});

test("of a mask of 400,000 runs a stroke writes some hundred counts", () => {
  const size: PixelSize = [4000, 1000];
  const runs = Uint32Array.from({ length: 800_000 }, (_, i) => 5 * i + 1);
  const text = rleOf(runs, size).counts as string;
  const after = unite(runs, Uint32Array.of(2_000_000, 2_000_400));
  const write = vi.spyOn(TextDecoder.prototype, "decode");
  expect(splicedCounts(text, runs, after, size)).toBe(rleOf(after, size).counts);
  const [[spliced]] = write.mock.calls as unknown as [[Uint8Array]];
  expect(spliced.length, "of 800,000 characters").toBeLessThan(100);
  write.mockRestore();
});

test("where another encoder wrote empty runs all is written anew", () => {
  const size: PixelSize = [10_000, 10];
  const runs = Uint32Array.from({ length: 6000 }, (_, i) => 10 * i + 3);
  const counts = [...Array.from({ length: 6001 }, (_, i) => (i < 6000 ? runs[i]! - (i ? runs[i - 1]! : 0) : 100_000 - runs[5999]!))];
  counts.splice(4, 1, 2, 0, counts[4]! - 2);
  const after = unite(runs, Uint32Array.of(30_000, 30_100));
  expect(splicedCounts(writeCounts(counts), runs, after, size)).toBe(rleOf(after, size).counts);
});

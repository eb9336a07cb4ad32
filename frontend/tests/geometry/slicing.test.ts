import fc from "fast-check";
import { expect, test } from "vitest";

import { combine, partsOf, regionArea, type Part } from "../../src/geometry/clipping";
import { imagePoint, type ImagePoint } from "../../src/geometry/point";
import { ringArea, type Ring } from "../../src/geometry/ring";
import { slice } from "../../src/geometry/slicing";

const square = (x: number, y: number, side: number): Ring => [x, y, x + side, y, x + side, y + side, x, y + side];
const line = (...numbers: number[]): ImagePoint[] =>
  Array.from({ length: numbers.length / 2 }, (_, i) => imagePoint(numbers[2 * i]!, numbers[2 * i + 1]!));
const whole = (outer: Ring, ...holes: Ring[]): Part[] => [{ outer, holes }];

test("a straight cut keeps every point that was there, in its order", () => {
  const outer: Ring = [0, 0, 100, 0, 100, 50, 100, 100, 33.123456789, 100, 0, 100];
  const halves = slice(whole(outer), line(50, -10, 50, 110))!;
  expect([halves.left, halves.right, halves.rest].map((parts) => parts.map((part) => part.outer))).toEqual([
    [[100, 0, 100, 50, 100, 100, 50, 100, 50, 0]],
    [[0, 0, 50, 0, 50, 100, 33.123456789, 100, 0, 100]],
    [],
  ]);
});

test("either direction of a ring and of the line gives the same two", () => {
  const back = [0, 100, 100, 100, 100, 0, 0, 0];
  const halves = slice(whole(back), line(50, 110, 50, -10))!;
  expect([halves.left, halves.right].flat().map(({ outer }) => outer)).toEqual([
    [0, 100, 50, 100, 50, 0, 0, 0],
    [100, 100, 100, 0, 50, 0, 50, 100],
  ]);
});

test("the points of the line inside become points of both", () => {
  const { left, right } = slice(whole(square(0, 0, 100)), line(50, -10, 40, 40, 50, 110))!;
  for (const parts of [left, right]) expect(String(parts[0]!.outer)).toContain("40,40");
});

test.each([
  ["ends inside", line(50, -10, 50, 50)],
  ["passes by", line(-10, -10, 200, -10)],
  ["goes from outside to a hole", line(50, -10, 50, 50)],
])("a line that %s cuts nothing", (_, path) => {
  expect(slice(whole(square(0, 0, 100), square(40, 40, 20)), path)).toBeNull();
});

test("through a hole there are two parts, and the hole is part of their border", () => {
  const { left, right } = slice(whole(square(0, 0, 100), square(40, 40, 20)), line(50, -10, 50, 110))!;
  expect([left, right].map(([part]) => [part!.holes.length, ringArea(part!.outer)])).toEqual([[0, 4800], [0, 4800]]);
});

test("other holes go with the part they are in, and parts that are not reached are left alone", () => {
  const far = square(200, 0, 10);
  const parts = [...whole(square(0, 0, 100), square(10, 40, 20), square(70, 40, 20)), { outer: far, holes: [] }];
  const { left, right, rest } = slice(parts, line(50, -10, 50, 110))!;
  expect([left, right].map(([part]) => part!.holes.length)).toEqual([1, 1]);
  expect(rest.map(({ outer }) => outer)).toEqual([far]);
});

test("both arms of a U go to one side", () => {
  const u: Ring = [0, 0, 20, 0, 20, 80, 80, 80, 80, 0, 100, 0, 100, 100, 0, 100];
  const { left, right } = slice(whole(u), line(-10, 40, 110, 40))!;
  expect([left.length, right.length].sort()).toEqual([1, 2]);
});

test("a line through a corner, and along an edge", () => {
  const corner = slice(whole(square(0, 0, 100)), line(-10, -10, 110, 110))!;
  expect([corner.left, corner.right].map(([part]) => ringArea(part!.outer))).toEqual([5000, 5000]);
  expect(slice(whole(square(0, 0, 100)), line(-10, 0, 110, 0))).toBeNull();
});

const place = fc.oneof(fc.integer({ min: 0, max: 10 }), fc.double({ min: 0, max: 10, noNaN: true }));
const ring = fc.array(fc.tuple(place, place), { minLength: 3, maxLength: 7 }).map((points): Ring => points.flat());
const path = fc
  .array(fc.tuple(place, place), { minLength: 1, maxLength: 4 })
  .map((points) => line(-1, 5, ...points.flat(), 11, 5.5));

test("both sides together are what was there, and have nothing in common", () => {
  fc.assert(
    fc.property(fc.array(ring, { minLength: 1, maxLength: 2 }), fc.array(ring, { maxLength: 1 }), path, (rings, holes, cut) => {
      const region = { rings, holes };
      const halves = slice(partsOf(region), cut);
      if (!halves) return;
      const of = (parts: readonly Part[]): typeof region => ({
        rings: parts.map(({ outer }) => [...outer]),
        holes: parts.flatMap((part) => part.holes.map((hole) => [...hole])),
      });
      const [left, right] = [of(halves.left), of(halves.right)];
      const all = [left, right, of(halves.rest)].reduce((sum, half) => sum + regionArea(half), 0);
      expect(all).toBeCloseTo(regionArea(region), 1);
      expect(regionArea(combine(left, right, "subtract"))).toBeCloseTo(regionArea(left), 1);
    }),
    { numRuns: 150 },
  );
});

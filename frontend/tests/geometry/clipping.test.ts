import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { combine, partsOf, type Operation, type Region } from "../../src/geometry/clipping";
import { distance, imagePoint, nearestOnSegment, type ImagePoint } from "../../src/geometry/point";
import { insideRing, vertex, vertexCount, type Ring } from "../../src/geometry/ring";

const only = (...rings: Ring[]): Region => ({ rings, holes: [] });
const square = (x: number, y: number, side: number): Ring => [x, y, x + side, y, x + side, y + side, x, y + side];

const inside = ({ rings, holes }: Region, p: ImagePoint): boolean =>
  rings.some((ring) => insideRing(ring, p)) && !holes.some((ring) => insideRing(ring, p));

function offEveryEdge(rings: readonly Ring[], p: ImagePoint): boolean {
  return rings.every((ring) =>
    Array.from({ length: vertexCount(ring) }, (_, i) => i).every((i) => {
      const next = vertex(ring, (i + 1) % vertexCount(ring));
      return distance(p, nearestOnSegment(p, vertex(ring, i), next)) > 0.001;
    }),
  );
}

describe("what is there stays as it is", () => {
  const long = 17.123456789012345;

  test("adding at one side keeps every other number and where the ring begins", () => {
    const base: Ring = [50, 50, 10, 50, long, 30, 10, 10, 50, 10];
    const { rings } = combine(only(base), only(square(40, 20, 20)), "add");
    expect(rings).toEqual([[50, 50, 10, 50, long, 30, 10, 10, 50, 10, 50, 20, 60, 20, 60, 40, 50, 40]]);
  });

  test("subtracting a corner keeps the rest, in either direction of the ring", () => {
    const clockwise: Ring = [0, 0, 100, 0, 100, 100, long, 100, 0, 100];
    const back: Ring = [0, 0, 0, 100, long, 100, 100, 100, 100, 0];
    const corner = only(square(90, 90, 20));
    expect(combine(only(clockwise), corner, "subtract").rings).toEqual([
      [0, 0, 100, 0, 100, 90, 90, 90, 90, 100, long, 100, 0, 100],
    ]);
    expect(combine(only(back), corner, "subtract").rings).toEqual([
      [0, 0, 0, 100, long, 100, 90, 100, 90, 90, 100, 90, 100, 0],
    ]);
  });

  test("points on a straight edge and repeated points stay", () => {
    const base: Ring = [0, 0, 30, 0, 60, 0, 60, 0, 100, 0, 100, 100, 0, 100];
    const { rings } = combine(only(base), only(square(80, 80, 40)), "subtract");
    expect(rings).toEqual([[0, 0, 30, 0, 60, 0, 60, 0, 100, 0, 100, 80, 80, 80, 80, 100, 0, 100]]);
  });

  test("rings that are not met are the same objects at the same places", () => {
    const [a, b, c] = [square(0, 0, 10), square(20, 0, 10), square(40, 0, 10)];
    const { rings } = combine(only(a, b, c), only(square(25, 5, 10)), "subtract");
    expect(rings[0]).toBe(a);
    expect(rings[2]).toBe(c);
    expect(rings[1]).toEqual([20, 0, 30, 0, 30, 5, 25, 5, 25, 10, 20, 10]);
  });

  test("overlapping extents are not yet a meeting", () => {
    const corner: Ring = [0, 0, 100, 0, 0, 100];
    const { rings } = combine(only(corner), only(square(80, 80, 10)), "add");
    expect(rings[0]).toBe(corner);
    expect(rings[1]).toEqual(square(80, 80, 10));
  });

  test("adding what is covered already changes nothing", () => {
    const base = square(0, 0, 100);
    expect(combine(only(base), only(square(20, 20, 20)), "add").rings).toEqual([base]);
  });
});

describe("holes", () => {
  const base = square(0, 0, 100);

  test("what is cut out of the inside is a hole as drawn", () => {
    const result = combine(only(base), only(square(20, 20, 20)), "subtract");
    expect(result).toMatchObject({ rings: [base], holes: [square(20, 20, 20)] });
    expect(result.rings[0]).toBe(base);
  });

  test("a hole is filled again, grows, and opens to the outside", () => {
    const holed = { rings: [base], holes: [square(20, 20, 20)] };
    expect(combine(holed, only(square(10, 10, 40)), "add").holes).toEqual([]);
    expect(combine(holed, only(square(30, 30, 20)), "subtract").holes).toEqual([
      [20, 20, 40, 20, 40, 30, 50, 30, 50, 50, 30, 50, 30, 40, 20, 40],
    ]);
    const open = combine(holed, only([25, -5, 35, -5, 35, 30, 25, 30]), "subtract");
    expect(open.holes).toEqual([]);
    expect(open.rings).toHaveLength(1);
  });

  test("an island in a hole is inside again", () => {
    const holed = { rings: [base], holes: [square(20, 20, 60)] };
    const result = combine(holed, only(square(40, 40, 20)), "add");
    expect(inside(result, imagePoint(50, 50))).toBe(true);
    expect(inside(result, imagePoint(30, 50))).toBe(false);
    expect(inside(result, imagePoint(10, 50))).toBe(true);
  });

  test("what closes a ring around a part leaves that part alone", () => {
    const open: Ring = [0, 0, 100, 0, 100, 20, 20, 20, 20, 80, 100, 80, 100, 100, 0, 100];
    const part = square(40, 40, 20);
    const result = combine(only(open, part), only([80, 0, 100, 0, 100, 100, 80, 100]), "add");
    expect(inside(result, imagePoint(50, 50))).toBe(true);
    expect(inside(result, imagePoint(30, 50))).toBe(false);
  });
});

test("parts are apart, with their holes", () => {
  const parts = partsOf({ rings: [square(0, 0, 50), square(40, 0, 50), square(200, 0, 10)], holes: [square(10, 10, 5)] });
  expect(parts.map(({ holes }) => holes.length).sort()).toEqual([0, 1]);
});

/** Whole pixels, and hundredths as the hand draws them; slivers thinner than the lattice of the operations may close. */
const number = fc.oneof(
  fc.integer({ min: 0, max: 12 }),
  fc.integer({ min: 0, max: 1200 }).map((n) => n / 100),
);
const anyRing = fc
  .array(fc.tuple(number, number), { minLength: 3, maxLength: 8 })
  .map((points): Ring => points.flat());
const anyRegion = fc.record({
  rings: fc.array(anyRing, { minLength: 1, maxLength: 3 }),
  holes: fc.array(anyRing, { maxLength: 2 }),
});

test.each(["add", "subtract"] as const)("%s covers exactly what it says, whatever the rings", (operation: Operation) => {
  fc.assert(
    fc.property(anyRegion, anyRing, fc.array(fc.tuple(number, number), { minLength: 20, maxLength: 20 }), (base, ring, points) => {
      const result = combine(base, only(ring), operation);
      for (const [x, y] of points) {
        const p = imagePoint(x + 0.0137, y + 0.0211);
        if (!offEveryEdge([...base.rings, ...base.holes, ring], p)) continue;
        const before = inside(base, p);
        const wanted = operation === "add" ? before || insideRing(ring, p) : before && !insideRing(ring, p);
        expect(inside(result, p)).toBe(wanted);
      }
    }),
    { numRuns: 150 },
  );
});

import fc from "fast-check";
import { expect, test } from "vitest";

import { around, boundsOfNumbers, contains } from "../../src/geometry/bounds";
import { distance, imagePoint, nearestOnSegment, type ImagePoint } from "../../src/geometry/point";
import { apart, insideRing, nearestEdge, outlineMeets, ringsBounds, vertex, type Ring } from "../../src/geometry/ring";
import { verticesWithin } from "../../src/geometry/ring-index";

/** Long enough to be looked at in stretches, and random enough to cross itself everywhere. */
const rings = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 400, maxLength: 700 }).map((all) => all.slice(0, all.length & ~1));
const places = fc.tuple(fc.integer({ min: -2, max: 64 }), fc.integer({ min: -2, max: 64 })).map(([x, y]) => imagePoint(x / 2, y / 2));

/** One edge after the other, without stretches. */
function plainly(ring: Ring, p: ImagePoint): { inside: boolean; index: number } {
  const n = ring.length / 2;
  let [inside, index, nearest] = [false, 0, Infinity];
  for (let i = 0, j = n - 1; i < n; j = i++) {
    const [a, b] = [vertex(ring, i), vertex(ring, j)];
    if (a.y > p.y !== b.y > p.y && p.x < ((b.x - a.x) * (p.y - a.y)) / (b.y - a.y) + a.x) inside = !inside;
    const away = distance(p, nearestOnSegment(p, a, vertex(ring, (i + 1) % n)));
    if (away < nearest - 1e-12) [index, nearest] = [i, away];
  }
  return { inside, index };
}

test("a long ring looked at in stretches is the same ring", () => {
  fc.assert(
    fc.property(rings, places, (ring, p) => {
      const { inside, index } = plainly(ring, p);
      expect(insideRing(ring, p)).toBe(inside);
      const found = nearestEdge(ring, p)!;
      const n = ring.length / 2;
      const nearest = distance(p, nearestOnSegment(p, vertex(ring, index), vertex(ring, (index + 1) % n)));
      expect(found.distance).toBeCloseTo(nearest, 9);
      const bounds = around(p, 1.5);
      const near = verticesWithin(ring, bounds);
      expect(verticesWithin(ring, bounds, 2)).toEqual(near.slice(0, 2));
      expect(near).toEqual(Array.from({ length: n }, (_, i) => i).filter((i) => contains(bounds, vertex(ring, i))));
      expect(outlineMeets(ring, bounds)).toBe(nearestWithin(ring, bounds));
      expect(ringsBounds([ring])).toEqual(boundsOfNumbers(ring));
    }),
    { numRuns: 60 },
  );
});

function nearestWithin(ring: Ring, bounds: ReturnType<typeof around>): boolean {
  // Short rings are looked at as a whole: one edge there and back.
  const n = ring.length / 2;
  return Array.from({ length: n }, (_, i) => i).some((i) => {
    const [a, b] = [vertex(ring, i), vertex(ring, (i + 1) % n)];
    return outlineMeets([a.x, a.y, b.x, b.y], bounds);
  });
}

/** Counts how many numbers of the ring are read. */
function counted(ring: number[]): { ring: Ring; reads: () => number } {
  let reads = 0;
  const watched = new Proxy(ring, {
    get: (target, name) => {
      reads += 1;
      return Reflect.get(target, name) as unknown;
    },
  });
  return { ring: watched, reads: () => reads };
}

test("the pointer over an outline of 120,000 points looks at a few hundred of them", () => {
  const { ring, reads } = counted(
    Array.from({ length: 120_000 }, (_, i) => {
      const angle = (2 * Math.PI * i) / 120_000;
      return [2000 + 1300 * Math.cos(angle), 1500 + 1300 * Math.sin(angle)];
    }).flat(),
  );
  const at = imagePoint(3299, 1510);
  insideRing(ring, at);
  const indexed = reads();
  expect(insideRing(ring, at)).toBe(true);
  expect(nearestEdge(ring, at)?.distance).toBeLessThan(2);
  expect(verticesWithin(ring, around(at, 8)).length).toBeGreaterThan(10);
  expect(outlineMeets(ring, around(at, 8))).toBe(true);
  expect(reads() - indexed, "of 240,000 numbers").toBeLessThan(6000);
});

test("of thousands of rings two that overlap are found, wherever they are in the list", () => {
  const rings = Array.from({ length: 20_000 }, (_, i) => [3 * i, 0, 3 * i + 2, 0, 3 * i + 2, 2]);
  expect(apart(rings)).toEqual([rings]);
  expect(apart([...rings, [59_999, 1, 60_005, 0, 60_005, 2]])).toHaveLength(1);
  const over = [59_998, 1, 60_005, 0, 60_005, 2];
  expect(apart([...rings, over])).toEqual([rings, [over]]);
});

test("thousands of rings within the extent of a ragged one are two groups, each in the order of the list", () => {
  const square = (x: number, y: number): Ring => [x, y, x + 2, y, x + 2, y + 2, x, y + 2];
  const small = Array.from({ length: 30_000 }, (_, i) => square(3 * (i % 200), 3 * Math.floor(i / 200)));
  const around: Ring = [-1, -1, 700, -1, 700, 700];
  expect(apart([...small, around])).toEqual([small, [around]]);
  // Any two of one group lie apart.
  const some = Array.from({ length: 300 }, (_, i) => square((i * 37) % 40, (i * 53) % 30));
  for (const group of apart(some)) {
    for (const [i, one] of group.entries()) for (const other of group.slice(i + 1)) expect(apart([one, other])).toHaveLength(1);
  }
  expect(apart(some).flat()).toHaveLength(300);
  expect(apart([])).toEqual([]);
});

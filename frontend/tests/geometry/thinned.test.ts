import fc from "fast-check";
import { expect, test } from "vitest";

import type { Bounds } from "../../src/geometry/bounds";
import { insideCells } from "../../src/geometry/parity";
import { imagePoint } from "../../src/geometry/point";
import { insideRing } from "../../src/geometry/ring";
import { eachEdgeWithin, filledAlike, thinned } from "../../src/geometry/thinned";

const numbers = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 6, maxLength: 60 });
const rings = numbers.map((all) => all.slice(0, all.length - (all.length % 2)));
const WITHIN: Bounds = { left: 10, top: 10, right: 24, bottom: 30 };

test("what is left of a ring is further apart than the tolerance, and nothing that went was", () => {
  fc.assert(
    fc.property(rings, fc.integer({ min: 0, max: 5 }), (ring, tolerance) => {
      const left = thinned(ring, tolerance);
      let at = 0;
      for (let i = 0; i < ring.length; i += 2) {
        const isNext = at < left.length && ring[i] === left[at] && ring[i + 1] === left[at + 1];
        const [x, y] = [left[Math.max(0, at - 2)]!, left[Math.max(0, at - 2) + 1]!];
        if (isNext && (at === 0 || Math.abs(ring[i]! - x) > tolerance || Math.abs(ring[i + 1]! - y) > tolerance)) at += 2;
        else expect(Math.max(Math.abs(ring[i]! - x), Math.abs(ring[i + 1]! - y))).toBeLessThanOrEqual(tolerance);
      }
      expect(at).toBe(left.length);
    }),
  );
});

test("an outline as fine as one likes has no more points than the screen can show", () => {
  const ring = Array.from({ length: 120_000 }, (_, i) => {
    const angle = (2 * Math.PI * i) / 120_000;
    return [2000 + 1300 * Math.cos(angle), 1500 + 1300 * Math.sin(angle)];
  }).flat();
  expect(thinned(ring, 2).length / 2, "at a quarter of the size").toBeLessThan((2 * Math.PI * 1300) / 2 + 1);
  expect(thinned(ring, 0.01), "where all are apart it is the ring itself").toBe(ring);
});

test("what goes on out of sight changes nothing of what is filled in sight", () => {
  fc.assert(
    fc.property(rings, (ring) => {
      const left = [...Array.from(filledAlike(ring, WITHIN))];
      expect(left.length).toBeLessThanOrEqual(ring.length);
      for (let x = WITHIN.left + 0.25; x < WITHIN.right; x += 2.5) {
        for (let y = WITHIN.top + 0.35; y < WITHIN.bottom; y += 2.5) {
          expect(insideRing(left, imagePoint(x, y))).toBe(insideRing(ring, imagePoint(x, y)));
        }
      }
    }),
  );
});

test("of a ring that lies out of sight hardly anything is drawn", () => {
  const far = Array.from({ length: 10_000 }, (_, i) => [100 + (i % 7), i / 100]).flat();
  expect(filledAlike(far, WITHIN).length / 2).toBeLessThan(8);
  let edges = 0;
  eachEdgeWithin(far, WITHIN, () => (edges += 1));
  expect(edges).toBe(0);
});

test("cells are inside where their middle is, by the even-odd rule", () => {
  fc.assert(
    fc.property(rings, rings, (one, other) => {
      const grid = { left: 3, top: -2, width: 1.7, height: 0.9, across: 18, down: 40 };
      const cells = insideCells([one, other], grid);
      for (let c = 0; c < grid.across; c++) {
        for (let r = 0; r < grid.down; r++) {
          const middle = imagePoint(grid.left + (c + 0.5) * grid.width, grid.top + (r + 0.5) * grid.height);
          const onGrid = [one, other].some((ring) => touches(ring, middle.x, middle.y));
          if (!onGrid) expect(cells[c * grid.down + r] === 1).toBe(insideRing(one, middle) !== insideRing(other, middle));
        }
      }
    }),
    { numRuns: 50 },
  );
});

/** Whether the place is on an edge, where rounding decides. */
function touches(ring: readonly number[], x: number, y: number): boolean {
  for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) {
    const [ax, ay, bx, by] = [ring[j]!, ring[j + 1]!, ring[i]!, ring[i + 1]!];
    if (Math.abs((bx - ax) * (y - ay) - (by - ay) * (x - ax)) < 1e-6) return true;
  }
  return false;
}

import { expect, test } from "vitest";

import type { Ring } from "../../src/geometry/ring";
import { changedExtent } from "../../src/render/repaint";
import type { Outline } from "../../src/shapes/shape";

const RING: Ring = Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? 10 * i : (7 * i) % 60));
const OTHER: Ring = [0, 0, 5, 0, 5, 5];

const outline = (rings: readonly Ring[], cut: readonly Ring[] = []): Outline => ({ areas: [{ rings, cut }], lines: [], dots: [] });
const moved = (ring: Ring, point: number, x: number, y: number): Ring =>
  ring.map((value, i) => (i === 2 * point ? x : i === 2 * point + 1 ? y : value));

const near = (ring: Ring, point: number): [number[], number[]] => {
  const count = ring.length / 2;
  const at = [point + count - 1, point, point + 1].map((i) => 2 * (i % count));
  return [at.map((i) => ring[i]!), at.map((i) => ring[i + 1]!)];
};

test("a moved point changes what lies between its neighbours and its old and new place", () => {
  for (const point of [0, 50, 99]) {
    const after = moved(RING, point, -30, 900);
    const [xs, ys] = near(RING, point);
    expect(changedExtent(outline([OTHER, RING]), outline([OTHER, after]))).toEqual([
      { left: -30, top: Math.min(...ys), right: Math.max(...xs), bottom: 900 },
    ]);
  }
});

test("two that are the same differ nowhere", () => {
  expect(changedExtent(outline([RING], [OTHER]), outline([RING], [OTHER]))).toEqual([]);
  expect(changedExtent(outline([RING]), outline([[...RING]]))).toEqual([]);
});

test("where more than places of points differ, all is painted", () => {
  const before = outline([RING], [OTHER, OTHER]);
  expect(changedExtent(before, outline([RING.slice(2)], [OTHER, OTHER]))).toBeNull();
  expect(changedExtent(before, outline([RING, OTHER], [OTHER, OTHER]))).toBeNull();
  expect(changedExtent(before, outline([RING.map((value) => value + 1)], [OTHER, OTHER])), "all points").toBeNull();
  // Holes that begin to overlap are cut out one by one.
  expect(changedExtent(before, outline([RING], [OTHER, moved(OTHER, 1, 9, 9)]))).toBeNull();
  expect(changedExtent(outline([RING], [OTHER]), outline([RING], [moved(OTHER, 1, 9, 9)]))).not.toBeNull();
  const dots = [{ at: { x: 1, y: 1 } as never, hidden: false }];
  expect(changedExtent({ ...before, dots }, { ...before, dots })).toBeNull();
});

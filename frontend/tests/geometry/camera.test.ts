import fc from "fast-check";
import { expect, test } from "vitest";

import * as cameras from "../../src/geometry/camera";
import { imagePoint, screenPoint } from "../../src/geometry/point";

const camera = fc.record({
  scale: fc.double({ min: 0.02, max: 32, noNaN: true }),
  x: fc.double({ min: -5000, max: 5000, noNaN: true }),
  y: fc.double({ min: -5000, max: 5000, noNaN: true }),
});
const number = fc.double({ min: -5000, max: 5000, noNaN: true });

test("to the screen and back is the same point", () => {
  fc.assert(
    fc.property(camera, number, number, (c, x, y) => {
      const back = cameras.toImage(c, cameras.toScreen(c, imagePoint(x, y)));
      expect(back.x).toBeCloseTo(x, 6);
      expect(back.y).toBeCloseTo(y, 6);
    }),
  );
});

test("zooming keeps the point under the pointer", () => {
  fc.assert(
    fc.property(camera, number, number, fc.double({ min: 0.1, max: 10, noNaN: true }), (c, x, y, factor) => {
      const at = screenPoint(x, y);
      const before = cameras.toImage(c, at);
      const after = cameras.toImage(cameras.zoomAt(c, at, factor), at);
      expect(after.x * c.scale).toBeCloseTo(before.x * c.scale, 5);
      expect(after.y * c.scale).toBeCloseTo(before.y * c.scale, 5);
    }),
  );
});

test("zoom has ends", () => {
  const c = { scale: 1, x: 0, y: 0 };
  expect(cameras.zoomAt(c, screenPoint(0, 0), 1e9).scale).toBe(cameras.MAX_SCALE);
  expect(cameras.zoomAt(c, screenPoint(0, 0), 1e-9).scale).toBe(cameras.MIN_SCALE);
});

test("fit shows the whole image in the middle", () => {
  const c = cameras.fit({ width: 400, height: 100 }, { width: 848, height: 600 }, 24);
  expect(c).toEqual({ scale: 2, x: 24, y: 200 });
  const seen = cameras.visible(c, { width: 848, height: 600 });
  expect(seen.left < 0 && seen.right > 400 && seen.top < 0 && seen.bottom > 100).toBe(true);
});

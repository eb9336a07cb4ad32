import fc from "fast-check";
import { expect, it } from "vitest";

import type { Bounds } from "../../src/geometry/bounds";
import { LABEL_HEIGHT, LabelPlaces } from "../../src/render/label-places";

const STAGE = { width: 390, height: 300 };
const around = (left: number, top: number, size = 60): Bounds => ({ left, top, right: left + size, bottom: top + size });

it("stands above on the left, and goes elsewhere where that is taken or out of sight", () => {
  const places = new LabelPlaces(STAGE);
  const object = around(100, 100);
  expect(places.take(object, 30)).toEqual({ left: 100, top: 84 });
  expect(places.take(object, 30)).toEqual({ left: 100, top: 160 });
  expect(places.take(object, 26)).toEqual({ left: 134, top: 84 });
  expect(places.take(object, 30)).toEqual({ left: 100, top: 100 });
  expect(places.take(object, 30)).toBeNull();
  expect(places.take(around(380, -20), 30)).toEqual({ left: 360, top: 0 });
});

it("is whole, beside or within its object, and on no other label", () => {
  const side = fc.integer({ min: -80, max: 400 });
  const objects = fc.array(fc.tuple(side, side, fc.integer({ min: 0, max: 500 }), fc.integer({ min: 10, max: 150 })), { maxLength: 60 });
  fc.assert(
    fc.property(objects, (all) => {
      const places = new LabelPlaces(STAGE);
      const taken: Bounds[] = [];
      for (const [x, y, size, width] of all) {
        const object = around(x, y, size);
        const place = places.sees(object) ? places.take(object, width) : null;
        if (!place) continue;
        const label = { ...place, right: place.left + width, bottom: place.top + LABEL_HEIGHT };
        expect(label.left >= 0 && label.top >= 0 && label.right <= STAGE.width && label.bottom <= STAGE.height).toBe(true);
        expect(label.left <= object.right && label.right >= object.left && label.top <= object.bottom && label.bottom >= object.top).toBe(true);
        for (const other of taken) {
          const apart = label.left >= other.right || other.left >= label.right || label.top >= other.bottom || other.top >= label.bottom;
          expect(apart).toBe(true);
        }
        taken.push(label);
      }
    }),
  );
});

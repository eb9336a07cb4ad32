import fc from "fast-check";
import { expect, test } from "vitest";

import { imagePoint } from "../../src/geometry/point";
import type { Rle } from "../../src/geometry/rle";
import { NO_PIXELS, Places, rleOf, runsOf, type PixelSize } from "../../src/geometry/runs";
import { EMPTY_ANNOTATION } from "../../src/model/records";
import * as shapes from "../../src/shapes";
import { readingOf } from "../../src/shapes/mask";
import { withPixels } from "../../src/shapes/pixels";

test("what is remembered of painted pixels is what would be read from the mask", () => {
  const size = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }));
  const masks = size.chain(([height, width]) =>
    fc.record({
      size: fc.constant<PixelSize>([height, width]),
      pixels: fc.array(fc.boolean(), { minLength: height * width, maxLength: height * width }),
    }),
  );
  fc.assert(
    fc.property(masks, ({ size, pixels }) => {
      const places = new Places();
      pixels.forEach((pixel, place) => pixel && places.run(place, place + 1));
      const runs = places.taken();
      const painted = withPixels(EMPTY_ANNOTATION, runs, size);
      const read = { ...EMPTY_ANNOTATION, segmentation: rleOf(runs, size) };
      expect(shapes.measures(painted)).toEqual(shapes.measures(read));
      for (let place = 0; place < pixels.length; place++) {
        const at = imagePoint(Math.floor(place / size[0]) + 0.5, (place % size[0]) + 0.5);
        expect(shapes.hits(painted, at, 0)).toBe(shapes.hits(read, at, 0));
        expect(shapes.hits(painted, at, 0)).toBe(pixels[place]);
      }
    }),
  );
});

test("of each mask of an image that opens only its measures are kept, and its pixels come when they are asked for", () => {
  const written: Rle = { size: [3, 4], counts: [4, 1, 0, 2, 5] };
  expect(readingOf(written)).toEqual({ counts: 5, area: 3, bounds: { left: 1, top: 0, right: 3, bottom: 3 } });
  expect([...shapes.runsIn(written)]).toEqual([...runsOf(written)]);
  expect(shapes.runsIn(written), "read once").toBe(shapes.runsIn(written));
});

test("read at once or one after the other, pixels and measures are the same", () => {
  const masks: Rle[] = [
    { size: [3, 4], counts: [4, 1, 2, 2, 3] },
    { size: [3, 4], counts: [0, 12] },
    { size: [3, 4], counts: [12] },
    { size: [3, 4], counts: "11" },
    { size: [3, 4], counts: [4, 1] },
    { size: [3, 4], counts: "not counts" },
  ];
  for (const mask of masks) {
    const other = { ...mask };
    shapes.unfold(other);
    const { area, bounds } = readingOf(mask);
    expect(readingOf(other)).toMatchObject({ area, bounds });
    expect(shapes.runsIn(other)).toEqual(shapes.runsIn(mask));
  }
  expect(masks.slice(3).map((mask) => shapes.runsIn(mask))).toEqual([NO_PIXELS, NO_PIXELS, NO_PIXELS]);
});

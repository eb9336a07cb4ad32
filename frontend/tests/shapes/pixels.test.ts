import fc from "fast-check";
import { expect, test } from "vitest";

import { imagePoint } from "../../src/geometry/point";
import { Places, rleOf, type PixelSize } from "../../src/geometry/runs";
import { EMPTY_ANNOTATION } from "../../src/model/records";
import * as shapes from "../../src/shapes";
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

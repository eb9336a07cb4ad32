import fc from "fast-check";
import { expect, test } from "vitest";

import { contours } from "../../src/geometry/contours";
import * as rle from "../../src/geometry/rle";
import { ringsOfLattice } from "./lattice";

const side = fc.integer({ min: 1, max: 24 });
/** From hardly anything over noise, with its diagonal neighbours, to hardly any hole. */
const share = fc.constantFrom(0.03, 0.3, 0.5, 0.7, 0.97);

test("the rings of any mask are those that a walk from pixel to pixel finds", () => {
  const masks = fc.tuple(side, side, share).chain(([height, width, least]) => {
    const pixel = fc.double({ min: 0, max: 1, noNaN: true }).map((value) => (value < least ? 1 : 0));
    const pixels = fc.array(pixel, { minLength: height * width, maxLength: height * width });
    return pixels.map((all) => rle.encode(Uint8Array.from(all), [height, width]));
  });
  fc.assert(
    fc.property(masks, (mask) => {
      expect(contours(mask)).toEqual(ringsOfLattice(mask));
    }),
    { numRuns: 500 },
  );
});

test("runs that go over whole columns, and gaps of whole columns, make straight edges", () => {
  // Columns 1 and 2 are full, 3 to 5 empty, 6 is set from its second row on and 7 up to its first.
  const mask: rle.Rle = { size: [4, 9], counts: [4, 8, 13, 4, 7] };
  expect(contours(mask)).toEqual([
    [1, 0, 3, 0, 3, 4, 1, 4],
    [7, 0, 8, 0, 8, 1, 7, 1],
    [6, 1, 7, 1, 7, 4, 6, 4],
  ]);
});

test("a line from one corner of a huge image to the other needs no more than its runs", () => {
  const side = 60_000;
  const counts = [0, 1];
  for (let i = 1; i < side; i++) counts.push(side, 1);
  const rings = contours({ size: [side, side], counts });
  expect(rings).toHaveLength(side);
  expect(rings.at(-1)).toEqual([side - 1, side - 1, side, side - 1, side, side, side - 1, side]);
});

import fc from "fast-check";
import { expect, it } from "vitest";

import { plateSide } from "../../src/render/stage";

const STAGE = 800;

it("is the image as long as that is not much larger than the stage", () => {
  expect(plateSide(30, 740, STAGE)).toEqual({ start: 30, length: 740 });
  expect(plateSide(-500, 900, STAGE)).toEqual({ start: -500, length: 900 });
});

it("shows each edge where the image's is, out of sight where that is, and keeps its length while one pans", () => {
  const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
  fc.assert(
    fc.property(number(-3000, 900), number(1, 3000), number(-400, 400), (start, length, shift) => {
      const plate = plateSide(start, length, STAGE);
      const near = (edge: number): boolean => edge >= -50 && edge <= STAGE + 50;
      for (const [its, image] of [[plate.start, start], [plate.start + plate.length, start + length]] as const) {
        if (near(image)) expect(its).toBeCloseTo(image, 6);
        else expect(near(its)).toBe(false);
      }
      expect(plateSide(start + shift, length, STAGE).length).toBe(plate.length);
    }),
  );
});

import fc from "fast-check";
import { expect, test } from "vitest";

import { sumOf } from "../../src/geometry/bounds";
import { Story } from "../story";

test("a sum has the digits that its numbers are written with, and no others", () => {
  expect(sumOf(170.4, 21.3)).toBe(191.7);
  expect(sumOf(0.1, 0.2)).toBe(0.3);
  expect(sumOf(20.5, -0.3)).toBe(20.2);
  expect(sumOf(80.123456789, 10)).toBe(90.123456789);
  // Nobody moved it, so it is the very number, whatever that has.
  expect(sumOf(128.10000000000002, 0)).toBe(128.10000000000002);
  expect(sumOf(77.98765432101234, 1)).toBeCloseTo(78.98765432101234, 13);
});

test("hundredths that are moved there and back by hundredths are the same numbers", () => {
  const hundredths = fc.integer({ min: -3_000_000, max: 3_000_000 }).map((n) => n / 100);
  fc.assert(
    fc.property(hundredths, hundredths, (value, by) => {
      expect(sumOf(sumOf(value, by), -by)).toBe(value === 0 ? 0 : value);
      expect(sumOf(value, by)).toBe((Math.round(value * 100) + Math.round(by * 100)) / 100);
    }),
  );
});

test("what is moved by the hand or by keys has no digits that adding makes", () => {
  const story = new Story();
  story.given({ bbox: [20.4, 10.1, 40.2, 40] });
  story.given({ segmentation: [[100.7, 10, 140.1, 10, 140.1, 50.3]] });
  story.given({ keypoints: [60.7, 80.1, 2, 70.4, 90.1, 2, 0, 0, 0] });
  story.key("Mod+A").press(130, 20).move(140, 25).release(151.3, 20.2);
  story.key("ArrowLeft").key("Shift+ArrowRight");
  expect(story.annotations.map(({ bbox, segmentation, keypoints }) => bbox ?? segmentation ?? keypoints)).toEqual([
    [50.7, 10.3, 40.2, 40],
    [[131, 10.2, 170.4, 10.2, 170.4, 50.5]],
    [91, 80.3, 2, 100.7, 90.3, 2, 0, 0, 0],
  ]);
});

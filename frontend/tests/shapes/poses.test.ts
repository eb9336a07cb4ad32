import { expect, test } from "vitest";

import { around, counterparts, layoutOf, mirrored, scaled, standing } from "../../src/shapes/poses";

test.each([
  [["nose", "left_eye", "right_eye"], [0, 2, 1]],
  [["Left Hand", "Right Hand", "tail"], [1, 0, 2]],
  [["eye_L", "eye_R", "L-ear", "R-ear"], [1, 0, 3, 2]],
  [["leftWing", "rightWing"], [1, 0]],
  // A letter within a word is no side, and a side without a counterpart stays.
  [["tail", "hair", "left_horn"], [0, 1, 2]],
])("the counterparts of %j are %j", (names, places) => {
  expect(counterparts(names)).toEqual(places);
});

test("mirroring twice gives back the same numbers", () => {
  const names = ["nose", "left_eye", "right_eye"];
  const numbers = [1, 2, 2, 3.5, 4, 1, 0, 0, 0];
  expect(mirrored(numbers, names)).toEqual([1, 2, 2, 0, 0, 0, 3.5, 4, 1]);
  expect(mirrored(mirrored(numbers, names), names)).toEqual(numbers);
});

test("a layout scaled into its own bounds gives back the pose", () => {
  const bounds = { left: 10, top: 20, right: 50, bottom: 100 };
  const numbers = [10, 20, 2, 0, 0, 0, 50, 100, 2, 33.25, 47.5, 2];
  expect(scaled(layoutOf(numbers, bounds)!, bounds)).toEqual(numbers);
  expect(layoutOf(numbers, { ...bounds, right: 10 })).toBeNull();
});

test("COCO's names stand, in any spelling and order; other names are set around", () => {
  expect(standing(["Right Ankle", "nose"])).toEqual([[0.37, 0.9], [0.5, 0.12]]);
  expect(standing(["nose", "tail"])).toBeNull();
  expect(standing([])).toBeNull();
  const shares = around(["a", "b", "c", "d"]).flatMap((share) => share ?? []);
  expect(shares.map((share) => Math.round(share * 10) / 10)).toEqual([0.5, 0.1, 0.9, 0.5, 0.5, 0.9, 0.1, 0.5]);
});

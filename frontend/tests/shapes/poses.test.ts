import { expect, test } from "vitest";

import { counterparts, layoutOf, mirrored, scaled, standing, suggested } from "../../src/shapes/poses";

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
  const shares = suggested(["a", "b", "c", "d"], []).flatMap((share) => share ?? []);
  expect(shares.map((share) => Math.round(share * 10) / 10)).toEqual([0.5, 0.1, 0.9, 0.5, 0.5, 0.9, 0.1, 0.5]);
});

test("other names with a skeleton go down from the first one, left and right apart", () => {
  const names = ["beak", "neck", "left wing", "right wing", "tail", "left foot", "right foot"];
  const layout = suggested(names, [[1, 2], [2, 3], [2, 4], [2, 5], [5, 6], [5, 7]]).map((share) => share!);
  expect(layout.map(([, y]) => Math.round(100 * y))).toEqual([8, 36, 64, 64, 64, 92, 92]);
  const [beak, , left, right, , leftFoot, rightFoot] = layout.map(([x]) => x);
  expect(beak).toBe(0.5);
  // As one sees whoever faces the camera.
  expect([left! > 0.5, right! < 0.5, leftFoot! > 0.5, rightFoot! < 0.5]).toEqual([true, true, true, true]);
});

test("points of one side at one depth stand beside each other, and what hangs on nothing begins at the top", () => {
  const layout = suggested(["a", "b", "c", "alone"], [[1, 2], [1, 3]]).map((share) => share!);
  expect(layout[1]![0]).toBeLessThan(layout[2]![0]);
  expect(layout[3]![1]).toBe(layout[0]![1]);
  expect(new Set(layout.map(String)).size).toBe(4);
});

import { expect, test } from "vitest";

import { EMPTY_ANNOTATION, type Annotation } from "../../src/model/records";
import { oddities } from "../../src/shapes/oddities";
import { CUP, PERSON, Story } from "../story";

const told = (fields: Partial<Annotation>, category = PERSON, keys: string[] = []): string =>
  oddities({ ...EMPTY_ANNOTATION, category_id: category.id, ...fields }, category, keys).join(" ");

test.each<[string, Partial<Annotation>]>([
  ["mask has no pixel", { segmentation: { size: [3, 3], counts: [9] } }],
  ["cannot be read", { segmentation: { size: [3, 3], counts: "~~" } }],
  ["negative size", { bbox: [5, 5, -3, 3] }],
  ["no extent", { bbox: [5, 5, 0, 3] }],
  ["are 6 numbers, but “person” has 3 points", { keypoints: [1, 1, 2, 2, 2, 2] }],
  ["visibility other than", { keypoints: [1, 1, 5, 2, 2, 2, 0, 0, 0] }],
])("it is told that %s", (text, fields) => {
  expect(told(fields)).toContain(text);
});

test("keypoints of a category that has none, and what only the record has", () => {
  expect(told({ keypoints: [1, 1, 2] }, CUP)).toContain("“cup” has no keypoints");
  expect(told({ bbox: [1, 1, 2, 2] }, CUP, ["dp_I", "dp_U"])).toContain("a DensePose record (dp_I, dp_U)");
  expect(told({ bbox: [1, 1, 2, 2] }, CUP, ["segmentation"])).toContain("in a way of its own");
});

test("nothing is told of what is plain", () => {
  expect(told({ segmentation: [[0, 0, 4, 0, 4, 4]], keypoints: [1, 1, 2, 2, 2, 1, 0, 0, 0] })).toBe("");
  expect(told({ caption: "A cup." })).toBe("");
});

test("a box of negative size is moved as the one that it is shown as", () => {
  const story = new Story();
  story.given({ bbox: [50, 50, -30, -20] });
  story.click(35, 40).drag([35, 40], [45, 40]);
  expect(story.annotations[0]?.bbox).toEqual([30, 30, 30, 20]);
});

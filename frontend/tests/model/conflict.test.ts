import { expect, test } from "vitest";

import { collide, differences } from "../../src/model/conflict";
import { EMPTY_ANNOTATION, type Annotation } from "../../src/model/records";

const RING = [0, 0, 9, 0, 9, 9];
const base: Annotation = { ...EMPTY_ANNOTATION, category_id: 1, segmentation: [RING] };

test("who changed what since both began", () => {
  const mine = { ...base, segmentation: [[1, 0, 9, 0, 9, 9]] };
  const theirs = { ...base, category_id: 2 };
  const found = differences(base, mine, theirs);
  expect(found).toEqual([
    { subject: "category", mine: false, theirs: true },
    { subject: "shape", mine: true, theirs: false },
  ]);
  expect(collide(found)).toBe(false);
});

test("both changed the same thing, each in another way", () => {
  const found = differences(base, { ...base, category_id: 2 }, { ...base, category_id: 3 });
  expect(found).toEqual([{ subject: "category", mine: true, theirs: true }]);
  expect(collide(found)).toBe(true);
});

test("rings and holes are one thing, and the same change by both is no difference", () => {
  const mine = { ...base, holes: [[2, 2, 3, 2, 3, 3]], iscrowd: 1 as const };
  const theirs = { ...base, segmentation: [[1, 0, 9, 0, 9, 9]], iscrowd: 1 as const };
  expect(differences(base, mine, theirs)).toEqual([{ subject: "shape", mine: true, theirs: true }]);
});

test("without the version that both began with, everything that differs collides", () => {
  expect(collide(differences(null, base, { ...base, score: 0.5 }))).toBe(true);
});

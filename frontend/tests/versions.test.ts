import { expect, test } from "vitest";

import { EMPTY_ANNOTATION, type Annotation, type Category } from "../src/model/records";
import { versionRows } from "../src/panels/versions";
import { CUP, PERSON } from "./story";

const categoryOf = (id: number | null): Category | undefined => [CUP, PERSON].find((each) => each.id === id);
const rows = (base: Annotation | null, mine: Annotation, theirs: Annotation): string[] =>
  versionRows({ base, mine, theirs }, categoryOf).map(
    (row) => `${row.name}: ${row.mine}${row.byMe ? "*" : ""} | ${row.theirs}${row.byThem ? "*" : ""}`,
  );

const box: Annotation = { ...EMPTY_ANNOTATION, category_id: CUP.id, bbox: [10, 20, 30.25, 40] };
const ring: Annotation = { ...EMPTY_ANNOTATION, category_id: CUP.id, segmentation: [[0, 0, 100, 0, 100, 100, 0, 100]] };

test("boxes are told by their numbers", () => {
  expect(rows(box, { ...box, bbox: [12.5, 20, 30.25, 40] }, { ...box, bbox: [10, 20, 30.25, 44] })).toEqual([
    "Box: x 12.5, y 20, 30.25 × 40* | x 10, y 20, 30.25 × 44*",
    "Area: 1,210 px* | 1,331 px*",
  ]);
});

test("outlines are told by what was moved, or by their points", () => {
  const mine = { ...ring, segmentation: [[0, 0, 100, 0, 103, 104, 0, 100]] };
  const theirs = { ...ring, segmentation: [[0, 0, 50, 0, 100, 0, 100, 100, 0, 100]] };
  expect(rows(ring, mine, ring)[0]).toBe("Points moved: 1, by up to 5 px* | none");
  expect(rows(ring, mine, theirs)[0]).toBe("Shape: polygon, 1 part, 4 points* | polygon, 1 part, 5 points*");
});

test("only the attributes and keypoints that differ, and not too many of them", () => {
  const mine = { ...box, attributes: { worn: true, toString: "a", same: 1 } };
  const theirs = { ...box, attributes: { worn: "red", same: 1 } };
  expect(rows(box, mine, theirs)).toEqual(["worn: true* | red*", "toString: a* | none*"]);
  const pose = (x: number, v: number): Annotation => ({
    ...box,
    category_id: PERSON.id,
    keypoints: PERSON.keypoints.flatMap((_, i) => (i === 0 ? [x, 5, v] : [0, 0, 0])),
  });
  expect(rows(pose(1, 2), pose(1.5, 1), pose(0, 0))).toEqual([`${PERSON.keypoints[0]}: 1.5, 5, hidden* | absent*`]);
  const many = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`a${i}`, i]));
  expect(rows(box, { ...box, attributes: many }, box).at(-1)).toBe("And 4 other attributes: …* | …");
});

test("a category by its name, what has no more to tell by its kind", () => {
  expect(rows(null, box, { ...box, category_id: null, score: 0.5, iscrowd: 1 })).toEqual([
    `Category: ${CUP.name}* | no category*`,
    "Crowd: no* | yes*",
    "Score: none* | 0.5*",
  ]);
});

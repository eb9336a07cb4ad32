import { expect, test } from "vitest";

import { sameRuns, unite, without } from "../../src/geometry/runs";
import { Story } from "../story";
import { areaOf, covered, mask, rectangle } from "../tools/pixels";

const polygon = {
  segmentation: [[20.5, 20, 60, 20.25, 60, 60, 20, 60.125]],
  holes: [[30, 30, 40, 30, 40, 40, 30, 40]],
  iscrowd: 0,
  attributes: { a: 1 },
} as const;

test("a polygon becomes a mask of the same pixels and back, in a step each", () => {
  const story = new Story();
  const key = story.given(polygon);
  const before = story.annotations;
  const pixels = covered(before[0]);
  story.editor.select([key]);
  story.key("Shift+M");
  expect(story.annotations[0]).toMatchObject({ segmentation: mask(pixels), holes: [], attributes: { a: 1 } });
  story.key("Shift+M");
  expect(story.annotations[0]?.segmentation).toBeInstanceOf(Array);
  expect(sameRuns(covered(story.annotations[0]), pixels)).toBe(true);
  expect(story.annotations[0]?.holes).toHaveLength(1);
  expect(story.key("Mod+Z").key("Mod+Z").annotations).toEqual(before);
});

test("where polygons are among the selection everything is a mask afterwards; what is locked stays", () => {
  const story = new Story();
  story.given({ segmentation: mask(rectangle(100, 10, 20, 20), false) });
  story.given(polygon);
  story.given({ bbox: [150, 20, 10, 10] });
  story.editor.view.locked.add(story.given(polygon));
  const [first, , , last] = story.annotations;
  story.key("Mod+A");
  story.editor.select([...story.editor.document.entries()].map(([key]) => key));
  story.key("Shift+M");
  expect(story.annotations[0]).toBe(first);
  expect(story.annotations[3]).toBe(last);
  expect(story.annotations.slice(1, 3).every(({ segmentation }) => segmentation !== null && "counts" in segmentation)).toBe(true);
  expect(areaOf(story.annotations[2])).toBe(100);
});

test("what has no pixels is left alone, and that is said", () => {
  const story = new Story();
  story.editor.select([story.given({ keypoints: [10, 10, 2] })]);
  story.key("Shift+M");
  expect(story.editor.notice).toContain("could be converted");
  expect(story.editor.history.depth).toBe(0);
});

test("box and polygon gestures add to a mask and cut from it, and it stays of its kind", () => {
  const story = new Story();
  const before = rectangle(20, 20, 40, 40);
  story.editor.select([story.given({ segmentation: mask(before, false), iscrowd: 1 })]);
  story.key("B").drag([50, 50], [90, 90], { shift: true });
  const grown = unite(before, rectangle(50, 50, 40, 40));
  expect(story.annotations[0]).toMatchObject({ segmentation: mask(grown, false), iscrowd: 1 });
  story.drag([10, 10], [30, 30], { alt: true });
  expect(story.annotations[0]?.segmentation).toEqual(mask(without(grown, rectangle(10, 10, 20, 20)), false));
  const [after] = story.annotations;
  story.drag([0, 0], [100, 100], { alt: true });
  expect(story.annotations[0]).toBe(after);
  expect(story.editor.notice).toContain("Delete removes it");
});

import { expect, test } from "vitest";

import type { Annotation } from "../../src/model/records";
import { Story } from "../story";
import { mask, rectangle } from "./pixels";

/** A box, a polygon with a hole and a pose within (20, 20, 60, 40), all selected. */
function group(): Story {
  const story = new Story();
  story.given({ bbox: [20, 20, 20.123456789, 20] });
  story.given({
    segmentation: [[50, 30, 80, 30, 80, 60]],
    holes: [[60, 35, 70, 35, 70, 40]],
    keypoints: [60, 50, 2, 70, 55, 1, 0, 0, 0],
    attributes: { kept: true },
  });
  return story.key("Mod+A");
}

test("a corner of the frame scales all of them, as one step that undo takes back to the very objects", () => {
  const story = group();
  const before = story.annotations;
  story.press(80, 60).move(110, 80);
  expect(story.path).toBe("select.resizing");
  story.move(140, 100).release();
  expect(story.annotations).toMatchObject([
    { bbox: [20, 20, 40.25, 40] },
    {
      segmentation: [[80, 40, 140, 40, 140, 100]],
      holes: [[100, 50, 120, 50, 120, 60]],
      keypoints: [100, 80, 2, 120, 90, 1, 0, 0, 0],
      attributes: { kept: true },
    },
  ]);
  expect(story.selected).toHaveLength(2);
  story.key("Mod+Z");
  story.annotations.forEach((annotation, i) => expect(annotation).toBe(before[i]));
  expect(story.key("Mod+Shift+Z").annotations[0]).toMatchObject({ bbox: [20, 20, 40.25, 40] });
});

test("a side changes one direction and leaves the numbers of the other alone", () => {
  const story = group().drag([50, 60], [50, 40]);
  expect(story.annotations[0]).toMatchObject({ bbox: [20, 20, 20.123456789, 10] });
  const [, { segmentation }] = story.annotations as [Annotation, Annotation];
  expect((segmentation as number[][])[0]!.filter((_, i) => i % 2 === 0)).toEqual([50, 80, 80]);
});

test("Shift keeps the proportions, Alt the middle", () => {
  const wide = group().press(80, 40).move(110, 40, { shift: true }).release(110, 40, { shift: true });
  expect(wide.annotations[0]?.bbox).toEqual([20, 10, 30.19, 30]);
  const both = group().press(80, 40).move(90, 40, { alt: true }).release(90, 40, { alt: true });
  expect(both.annotations[0]?.bbox?.slice(0, 3)).toEqual([10, 20, 26.83]);
});

test("taking hold changes nothing, Escape puts back, and nothing is mirrored or lost", () => {
  const story = group();
  const before = story.annotations;
  story.press(80, 60).release();
  expect([story.annotations, story.editor.history.depth]).toEqual([before, 0]);
  story.press(80, 60).move(150, 90).key("Escape").release();
  story.annotations.forEach((annotation, i) => expect(annotation).toBe(before[i]));
  story.drag([80, 60], [0, 0]);
  const [box, other] = story.annotations as [Annotation, Annotation];
  expect(box.bbox![2]).toBeGreaterThan(0);
  const [x0, , x1] = (other.segmentation as number[][])[0] as [number, number, number];
  expect(x1).toBeGreaterThan(x0);
  expect(story.key("Mod+Z").annotations).toEqual(before);
});

test("masks, locked and hidden ones stay as they are; one alone has its own handles", () => {
  const story = group();
  const key = story.given({ segmentation: mask(rectangle(100, 10, 10, 10)) });
  story.key("Mod+A");
  const masked = story.editor.document.get(key);
  story.drag([80, 60], [140, 99]);
  expect(story.editor.document.get(key)).toBe(masked);
  expect(story.editor.history.depth).toBe(1);
  story.key("Mod+Z").editor.view.locked.add(story.selected[0]!);
  const before = story.annotations;
  story.move(80, 60).press(80, 60);
  expect(story.path).not.toBe("select.resizing");
  expect(story.release().annotations).toEqual(before);
});

test("a frame that reaches beyond the image does not jump when it is taken hold of", () => {
  const story = new Story();
  story.given({ bbox: [150, 20, 100, 40] });
  story.given({ bbox: [120, 20, 20, 20] });
  story.key("Mod+A").drag([250, 60], [249, 60]);
  expect(story.annotations[0]?.bbox).toEqual([149.77, 20, 99.23, 40]);
});

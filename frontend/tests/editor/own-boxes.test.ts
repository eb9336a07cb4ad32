import { expect, test } from "vitest";

import { Story } from "../story";
import { mask, rectangle } from "../tools/pixels";

const FRAMED = { segmentation: [[20, 20, 60, 20, 60, 60]], bbox: [10, 10, 80, 70] as const };

function framed(extra: object = {}): Story {
  const story = new Story();
  story.editor.select([story.given({ ...FRAMED, ...extra })]);
  return story;
}

test("a point that is moved makes the box follow, which is said once the hand lets go, and undo brings it back", () => {
  const story = framed();
  const [before] = story.annotations;
  story.press(60, 60).move(65, 70);
  expect(story.editor.notice).toBeNull();
  story.release();
  expect(story.annotations[0]?.bbox).toBeNull();
  expect(story.editor.notice).toContain("Undo brings it back");
  story.editor.say(null);
  expect(story.key("Mod+Z").annotations[0]).toBe(before);
  expect(story.editor.notice).toBeNull();
});

test("so does a stroke on a mask", () => {
  const story = framed({ segmentation: mask(rectangle(20, 20, 30, 30)) });
  story.key("M").drag([30, 30], [90, 60]);
  expect([story.annotations[0]?.bbox, story.editor.notice]).toEqual([null, expect.stringContaining("Undo brings it back")]);
});

test("what is moved as a whole, or put back, keeps its box, and nothing is said", () => {
  const story = framed().drag([48, 32], [58, 37]);
  expect(story.annotations[0]?.bbox).toEqual([20, 15, 80, 70]);
  story.press(70, 65).move(80, 80).key("Escape").release();
  expect(story.annotations[0]?.bbox).toEqual([20, 15, 80, 70]);
  expect(story.editor.notice).toBeNull();
  // A box that was all there is becomes a polygon: no frame is lost by that.
  const box = framed({ segmentation: null }).key("B").drag([80, 70], [120, 95], { shift: true });
  expect([box.annotations[0]?.bbox, box.editor.notice]).toEqual([null, null]);
});

import { expect, test } from "vitest";

import { Story } from "../story";
import { mask, rectangle } from "./pixels";

const RING = [20, 20, 80.123456789, 20, 80, 80, 20, 80];

function withRing(extra: object = {}): Story {
  const story = new Story();
  story.editor.select([story.given({ segmentation: [RING], iscrowd: 1, ...extra })]);
  return story.key("Shift+P");
}
const ringOf = (story: Story): unknown => (story.annotations[0]!.segmentation as number[][])[0];

test("a stretch between two points is replaced, the rest keeps its numbers and where it begins", () => {
  const story = withRing().click(80, 21).click(95, 50).click(80, 80);
  expect(story.path).toBe("redraw.ready");
  expect(ringOf(story)).toEqual([20, 20, 80.123456789, 20, 95, 50, 80, 80, 20, 80]);
  expect(story.annotations).toMatchObject([{ iscrowd: 1 }]);
  expect(ringOf(story.key("Mod+Z"))).toEqual(RING);
});

test("either direction gives the same, and edges count as well as points", () => {
  const ahead = withRing().click(40, 20).click(50, 5).click(60, 20);
  expect(ringOf(ahead)).toEqual([20, 20, 40, 20, 50, 5, 60, 20, 80.123456789, 20, 80, 80, 20, 80]);
  const back = withRing().click(60, 20).click(50, 5).click(40, 20);
  expect(ringOf(back)).toEqual(ringOf(ahead));
});

test("the first point may be in the stretch that goes", () => {
  const story = withRing().click(40, 20).click(30, 35).click(20, 40);
  expect(ringOf(story)).toEqual([80.123456789, 20, 80, 80, 20, 80, 20, 40, 30, 35, 40, 20]);
});

test("freehand from the border to the border", () => {
  const story = withRing().press(80, 80).move(90, 60).move(95, 40).move(81, 21).release();
  expect(ringOf(story)).toEqual([20, 20, 80.123456789, 20, 95, 40, 90, 60, 80, 80, 20, 80]);
});

test("a hole and a box are redrawn, too; the box is a polygon then", () => {
  const hole = withRing({ holes: [[40, 40, 60, 40, 60, 60, 40, 60]] }).click(60, 40).click(70, 50).click(60, 60);
  expect(hole.annotations).toMatchObject([{ segmentation: [RING], holes: [[40, 40, 60, 40, 70, 50, 60, 60, 40, 60]] }]);
  const box = withRing({ segmentation: null, bbox: [20, 20, 60, 60] }).click(80, 20).click(90, 50).click(80, 80);
  expect(box.annotations).toMatchObject([{ bbox: null, segmentation: [[20, 20, 80, 20, 90, 50, 80, 80, 20, 80]] }]);
});

test("Alt on the last press replaces the longer stretch, and both are shown before", () => {
  const story = withRing().click(80, 21).click(95, 50).move(80, 80);
  expect(story.editor.hand.preview.gone).toEqual([{ x: 80.123456789, y: 20 }, { x: 80, y: 80 }]);
  story.move(80, 80, { alt: true });
  expect(story.editor.hand.preview.gone).toHaveLength(4);
  story.press(80, 80, { alt: true }).release();
  expect(ringOf(story)).toEqual([80.123456789, 20, 80, 80, 95, 50]);
  expect(ringOf(story.key("Mod+Z"))).toEqual(RING);
});

test("with nothing selected it says that any border will do; a mask has none to redraw", () => {
  const story = withRing();
  expect(story.editor.hand.hints[0]).toMatchObject({ gesture: "Click on the border" });
  story.editor.select([]);
  expect(story.editor.hand.hints[0]).toMatchObject({ gesture: "Click on a border" });
  story.click(150, 50);
  expect(story.editor.notice).toBe("Begin on the border of a polygon or box.");
  story.editor.select([story.given({ segmentation: mask(rectangle(120, 20, 40, 40)) })]);
  story.click(120, 40);
  expect([story.path, story.editor.notice]).toEqual(["redraw.ready", expect.stringContaining("brush")]);
});

test("it begins and ends on the border of the selected one, which it selects when none is", () => {
  const story = withRing().click(50, 50);
  expect([story.path, story.editor.notice]).toEqual(["redraw.ready", expect.stringContaining("border")]);
  story.click(80, 21).click(95, 50).key("Enter");
  expect([story.path, story.editor.notice]).toEqual(["redraw.drawing", expect.stringContaining("border")]);
  story.key("Escape");
  story.editor.select([]);
  expect(story.click(80, 21).selected).toHaveLength(1);
});

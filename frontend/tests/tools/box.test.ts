import { expect, test } from "vitest";

import { PERSON, Story } from "../story";

test("two clicks draw a box of the current category and select it", () => {
  const story = new Story().key("B").click(20, 10);
  expect(story.path).toBe("box.stretching");
  story.click(60, 40);
  expect(story.path).toBe("box.ready");
  expect(story.annotations).toMatchObject([
    { bbox: [20, 10, 40, 30], segmentation: null, category_id: PERSON.id },
  ]);
  expect(story.selected).toHaveLength(1);
});

test("a drag draws a box, in any direction", () => {
  const story = new Story().key("B").press(60, 40).move(50, 30);
  expect(story.path).toBe("box.dragging");
  story.move(20, 10).release();
  expect(story.annotations).toMatchObject([{ bbox: [20, 10, 40, 30] }]);
});

test("Escape drops the box between the clicks and during the drag", () => {
  const story = new Story().key("B").click(20, 10).move(30, 30).key("Escape");
  expect(story.path).toBe("box.ready");
  story.press(20, 10).move(60, 40).key("Escape").release();
  expect(story.annotations).toEqual([]);
});

test("corners outside the image end at its edge", () => {
  const story = new Story().key("B").drag([-30, -10], [250, 120]);
  expect(story.annotations).toMatchObject([{ bbox: [0, 0, 200, 100] }]);
});

test("a box without area is not drawn", () => {
  const story = new Story().key("B").drag([20, 20], [80, 20]);
  expect(story.annotations).toEqual([]);
});

test("the preview is the box that will be stored", () => {
  const story = new Story().key("B").click(20, 10).move(60, 40);
  const { line, closed } = story.editor.hand.preview;
  expect(closed).toBe(true);
  expect(line.map(({ x, y }) => [x, y])).toEqual([[20, 10], [60, 10], [60, 40], [20, 40]]);
});

test("digits choose the category of the next box, not of the last", () => {
  const story = new Story().key("B").drag([10, 10], [30, 30]).key("2").drag([50, 10], [70, 30]);
  expect(story.annotations.map((annotation) => annotation.category_id)).toEqual([7, 8]);
});

test("without categories nothing is drawn, and a notice says why", () => {
  const story = new Story({ categories: [] }).key("B").drag([10, 10], [30, 30]);
  expect(story.annotations).toEqual([]);
  expect(story.editor.notice).toContain("no categories");
});

test("a viewer has no drawing tool", () => {
  const story = new Story({ readOnly: true }).key("B").drag([10, 10], [30, 30]);
  expect(story.path).toBe("select.idle");
  expect(story.annotations).toEqual([]);
});

test.each([1, 2, 3, 4])("button %i of the mouse draws nothing", (button) => {
  const story = new Story().key("B");
  story.drag([10, 10], [60, 60], { button });
  expect(story.annotations).toEqual([]);
  expect(story.path).toBe("box.ready");
});

test("a box ends with the last button that is let go, whichever that is", () => {
  const story = new Story().key("B");
  story.press(10, 10).move(40, 40).release(60, 60, { button: 2 });
  expect(story.annotations).toMatchObject([{ bbox: [10, 10, 50, 50] }]);
});

test("a box has the numbers that were drawn, and no digits that a difference adds", () => {
  const story = new Story().key("B").drag([42.7, 10.1], [149.45, 60.3]);
  expect(story.annotations[0]?.bbox).toEqual([42.7, 10.1, 106.75, 50.2]);
  story.key("V").drag([149.45, 60.3], [142.9, 50.4]);
  expect(story.annotations[0]?.bbox).toEqual([42.7, 10.1, 100.2, 40.3]);
});

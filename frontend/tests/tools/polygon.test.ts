import { expect, test } from "vitest";

import { Story } from "../story";

const drawing = (): Story => new Story().key("P").click(20, 10).click(80, 10).click(80, 60);
const TRIANGLE = [{ segmentation: [[20, 10, 80, 10, 80, 60]] }];

test("clicks set points and Enter closes", () => {
  const story = drawing();
  expect(story.path).toBe("polygon.drawing");
  story.key("Enter");
  expect(story.path).toBe("polygon.ready");
  expect(story.annotations).toMatchObject(TRIANGLE);
});

test("a click on the first point closes", () => {
  expect(drawing().click(22, 12).annotations).toMatchObject(TRIANGLE);
});

test("a double click sets its point once and closes", () => {
  const story = new Story().key("P").click(20, 10).click(80, 10).doubleClick(80, 60);
  expect(story.annotations).toMatchObject(TRIANGLE);
  expect(story.path).toBe("polygon.ready");
});

test("Backspace drops the last point, down to none", () => {
  const story = drawing().key("Backspace").click(90, 90).key("Enter");
  expect(story.annotations).toMatchObject([{ segmentation: [[20, 10, 80, 10, 90, 90]] }]);
  story.click(10, 10).key("Backspace");
  expect(story.path).toBe("polygon.ready");
});

test("undo drops the last point while drawing, and the shape afterwards", () => {
  const story = drawing().key("Mod+Z").click(90, 90).key("Enter");
  expect(story.annotations).toMatchObject([{ segmentation: [[20, 10, 80, 10, 90, 90]] }]);
  story.key("Mod+Z");
  expect(story.annotations).toEqual([]);
  story.key("Mod+Shift+Z");
  expect(story.annotations).toHaveLength(1);
});

test("the right button drops the last point", () => {
  const story = drawing().click(50, 90).click(50, 90, { button: 2 }).key("Enter");
  expect(story.annotations).toMatchObject(TRIANGLE);
});

test("Escape drops everything", () => {
  const story = drawing().key("Escape");
  expect(story.path).toBe("polygon.ready");
  expect(story.annotations).toEqual([]);
});

test("two points do not close", () => {
  const story = new Story().key("P").click(20, 10).click(80, 10).key("Enter");
  expect(story.path).toBe("polygon.drawing");
  expect(story.editor.notice).toContain("three points");
});

test("points on one line do not close, and one beside them makes it an outline", () => {
  const story = new Story().key("P").click(20, 10).click(50, 25).click(80, 40).key("Enter");
  expect(story.path).toBe("polygon.drawing");
  expect(story.editor.notice).toContain("one line");
  story.click(80, 10).key("Enter");
  expect(story.annotations).toMatchObject([{ segmentation: [[20, 10, 50, 25, 80, 40, 80, 10]] }]);
});

test("dragging draws freehand and clicks go on from there", () => {
  const story = new Story().key("P").press(20, 10).move(40, 10).move(60, 10);
  expect(story.path).toBe("polygon.tracing");
  story.release(60, 10).click(60, 50).key("Enter");
  expect(story.annotations).toMatchObject([{ segmentation: [[20, 10, 40, 10, 60, 10, 60, 50]] }]);
});

test("freehand that ends on the first point closes", () => {
  const story = new Story().key("P").press(20, 10).move(60, 10).move(60, 50).move(22, 12).release();
  expect(story.annotations).toMatchObject([{ segmentation: [[20, 10, 60, 10, 60, 50]] }]);
});

test("another tool cancels the gesture", () => {
  const story = drawing().key("V");
  expect(story.path).toBe("select.idle");
  expect(story.key("P").path).toBe("polygon.ready");
  expect(story.annotations).toEqual([]);
});

test("shapes under the pointer do not get in the way", () => {
  const story = new Story();
  story.given({ bbox: [0, 0, 200, 100] });
  story.key("P").click(20, 10).click(80, 10).click(80, 60).key("Enter");
  expect(story.annotations).toHaveLength(2);
});

test("the middle button pans without leaving the drawing", () => {
  const story = drawing().drag([100, 50], [110, 50], { button: 1 });
  expect(story.path).toBe("polygon.drawing");
  expect(story.editor.camera.x).toBe(10);
  expect(story.key("Enter").annotations).toMatchObject(TRIANGLE);
});

test("Space pans, and the next press draws again", () => {
  const story = drawing();
  story.editor.hand.holdSpace(true);
  story.drag([100, 50], [120, 50]);
  story.editor.hand.holdSpace(false);
  expect(story.editor.camera.x).toBe(20);
  expect(story.key("Enter").annotations).toMatchObject(TRIANGLE);
});

test("the second finger of a pinch takes back the point of the first", () => {
  const touch = (pointerId: number) => ({ device: "touch" as const, pointerId });
  const story = new Story().key("P").click(20, 10).click(80, 10).click(80, 60);
  story.press(150, 50, touch(1)).press(190, 50, touch(2)).move(130, 50, touch(1));
  story.release(130, 50, touch(1)).release(190, 50, touch(2));
  expect(story.editor.camera.scale).toBeGreaterThan(1);
  expect(story.key("Enter").annotations).toMatchObject(TRIANGLE);
});

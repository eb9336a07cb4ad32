import { expect, test } from "vitest";

import { Story } from "../story";

const SQUARE = [20.5, 20, 60, 20, 60, 60, 20, 60];

function square(): Story {
  const story = new Story();
  story.given({ segmentation: [SQUARE] });
  return story.click(40, 40);
}

test("a click selects the smallest, clicking again goes deeper and round", () => {
  const story = new Story();
  const big = story.given({ bbox: [0, 0, 200, 100] });
  const small = story.given({ bbox: [20, 20, 20, 20] });
  expect(story.click(30, 30).selected).toEqual([small]);
  expect(story.click(31, 30).selected).toEqual([big]);
  expect(story.click(30, 30).selected).toEqual([small]);
  expect(story.click(150, 80).selected).toEqual([big]);
});

test("Shift adds to the selection and takes from it; nothing deselects", () => {
  const story = new Story();
  const a = story.given({ bbox: [0, 0, 20, 20] });
  const b = story.given({ bbox: [100, 0, 20, 20] });
  expect(story.click(10, 10).click(110, 10, { shift: true }).selected).toEqual([a, b]);
  expect(story.click(10, 10, { shift: true }).selected).toEqual([b]);
  expect(story.click(60, 80).selected).toEqual([]);
});

test("a drag moves the shape and keeps every distance", () => {
  const story = square().drag([40, 40], [50, 45]);
  expect(story.annotations).toMatchObject([
    { segmentation: [[30.5, 25, 70, 25, 70, 65, 30, 65]] },
  ]);
  story.key("Mod+Z");
  expect(story.annotations).toMatchObject([{ segmentation: [SQUARE] }]);
});

test("Escape during a move puts the shape back and leaves no step", () => {
  const story = square().press(40, 40).move(60, 60);
  expect(story.path).toBe("select.moving");
  story.key("Escape").release();
  expect(story.annotations).toMatchObject([{ segmentation: [SQUARE] }]);
  expect(story.editor.history.undoLabel).toBeNull();
});

test("a dragged vertex changes its two numbers only", () => {
  const story = square().press(60, 60).move(70, 70);
  expect(story.path).toBe("select.dragging_point");
  story.release(72, 75);
  expect(story.annotations).toMatchObject([{ segmentation: [[20.5, 20, 60, 20, 72, 75, 20, 60]] }]);
});

test("taking hold beside a vertex does not move it", () => {
  const story = square().press(62, 61).release();
  expect(story.editor.history.undoLabel).toBeNull();
  expect(story.annotations).toMatchObject([{ segmentation: [SQUARE] }]);
});

test("a click on an edge inserts a point, a drag takes it along", () => {
  const story = square().click(60, 40);
  expect(story.annotations).toMatchObject([
    { segmentation: [[20.5, 20, 60, 20, 60, 40, 60, 60, 20, 60]] },
  ]);
  story.key("Mod+Z").drag([60, 40], [70, 40]);
  expect(story.annotations).toMatchObject([
    { segmentation: [[20.5, 20, 60, 20, 70, 40, 60, 60, 20, 60]] },
  ]);
  story.key("Mod+Z");
  expect(story.annotations).toMatchObject([{ segmentation: [SQUARE] }]);
});

test("Shift and a click on a vertex deletes it, but three stay", () => {
  const story = square().click(60, 60, { shift: true });
  expect(story.annotations).toMatchObject([{ segmentation: [[20.5, 20, 60, 20, 20, 60]] }]);
  story.click(60, 20, { shift: true });
  expect(story.annotations).toMatchObject([{ segmentation: [[20.5, 20, 60, 20, 20, 60]] }]);
  expect(story.editor.notice).toContain("cannot be taken away");
});

test("a part that loses its third point goes, the others stay", () => {
  const story = new Story();
  story.given({ segmentation: [SQUARE, [100, 20, 140, 20, 140, 60]] });
  story.click(40, 40).click(140, 60, { shift: true });
  expect(story.annotations).toMatchObject([{ segmentation: [SQUARE] }]);
});

test("holes are cut out of the shape and their vertices move", () => {
  const story = new Story();
  story.given({ segmentation: [SQUARE], holes: [[30, 30, 50, 30, 50, 50, 30, 50]] });
  expect(story.click(40, 40).selected).toEqual([]);
  story.click(25, 40).drag([50, 50], [52, 55]);
  expect(story.annotations).toMatchObject([
    { segmentation: [SQUARE], holes: [[30, 30, 50, 30, 52, 55, 30, 50]] },
  ]);
});

test.each([
  ["bottom right corner", [60, 50], [70, 70], [20, 10, 50, 60]],
  ["top left corner", [20, 10], [25, 15], [25, 15, 35, 35]],
  ["right edge", [60, 30], [80, 90], [20, 10, 60, 40]],
  ["right edge past the left", [60, 30], [10, 30], [10, 10, 10, 40]],
] as const)("a box is resized by its %s", (_, from, to, bbox) => {
  const story = new Story();
  story.given({ bbox: [20, 10, 40, 40] });
  story.click(40, 30).drag([...from], [...to]);
  expect(story.annotations).toMatchObject([{ bbox }]);
});

test("keypoints are dragged one by one and deleted to three zeros", () => {
  const story = new Story();
  story.given({ keypoints: [10, 10, 2, 30, 10, 1, 0, 0, 0] });
  story.click(10, 10).drag([30, 10], [35, 20]);
  expect(story.annotations).toMatchObject([{ keypoints: [10, 10, 2, 35, 20, 1, 0, 0, 0] }]);
  story.click(10, 10, { shift: true });
  expect(story.annotations).toMatchObject([{ keypoints: [0, 0, 0, 35, 20, 1, 0, 0, 0] }]);
});

test("a shape and its keypoints move together; absent ones stay absent", () => {
  const story = new Story();
  story.given({ segmentation: [SQUARE], keypoints: [30, 30, 2, 0, 0, 0] });
  story.click(40, 50).drag([40, 50], [50, 50]);
  expect(story.annotations).toMatchObject([
    { segmentation: [[30.5, 20, 70, 20, 70, 60, 30, 60]], keypoints: [40, 30, 2, 0, 0, 0] },
  ]);
});

test("a mask is selected by its pixels, deleted and recategorised", () => {
  const story = new Story();
  // 100 rows, 200 columns: the columns 10 to 19 are set.
  const segmentation = { size: [100, 200] as const, counts: [1000, 1000, 18000] };
  const key = story.given({ segmentation });
  expect(story.click(25, 50).selected).toEqual([]);
  expect(story.click(15, 50).selected).toEqual([key]);
  expect(story.annotations).toMatchObject([{ segmentation, category_id: 7 }]);
  expect(story.key("2").annotations).toMatchObject([{ segmentation, category_id: 8 }]);
  expect(story.key("Delete").annotations).toEqual([]);
  expect(story.key("Mod+Z").annotations).toHaveLength(1);
});

test("hidden and locked shapes are not picked", () => {
  const story = new Story();
  const key = story.given({ bbox: [0, 0, 50, 50] });
  story.editor.view.locked.add(key);
  expect(story.click(20, 20).selected).toEqual([]);
  story.editor.view.locked.clear();
  story.click(20, 20).key("H");
  expect(story.editor.visible(key)).toBe(false);
  expect(story.click(150, 80).click(20, 20).selected).toEqual([]);
});

test("the pick radius is the same on the screen at every zoom", () => {
  const story = square();
  story.editor.moveCamera({ scale: 4, x: 0, y: 0 });
  story.drag([245, 245], [285, 245]);
  expect(story.annotations).toMatchObject([{ segmentation: [[20.5, 20, 60, 20, 70, 60, 20, 60]] }]);
});

test("a viewer selects but changes nothing", () => {
  const story = new Story({ readOnly: true });
  const key = story.given({ segmentation: [SQUARE] });
  story.click(40, 40).drag([40, 40], [60, 50]).drag([60, 60], [80, 80]).key("Delete").key("2");
  expect(story.selected).toEqual([key]);
  expect(story.annotations).toMatchObject([{ segmentation: [SQUARE], category_id: 7 }]);
});

test("a finger pans where nothing is, and does not deselect", () => {
  const story = square().drag([120, 80], [140, 90], { device: "touch" });
  expect(story.editor.camera).toEqual({ scale: 1, x: 20, y: 10 });
  expect(story.selected).toHaveLength(1);
});

test("a tiny shape can still be moved by its inside, and its points taken at their place", () => {
  const story = new Story();
  story.given({ segmentation: [[50, 50, 64, 50, 64, 64, 50, 64]] });
  story.click(57, 57).drag([57, 57], [67, 57]);
  expect(story.annotations).toMatchObject([{ segmentation: [[60, 50, 74, 50, 74, 64, 60, 64]] }]);
  story.drag([74, 64], [80, 70]);
  expect(story.annotations).toMatchObject([{ segmentation: [[60, 50, 74, 50, 80, 70, 60, 64]] }]);
});

test("arrow keys do not break into a gesture that has its step open", () => {
  const story = new Story();
  story.editor.select([story.given({ bbox: [20, 20, 40, 40] })]);
  story.press(60, 60).move(80, 80);
  story.editor.nudge(5, 0);
  expect(story.editor.notice).toContain("Finish the shape in hand");
  story.key("Escape").release();
  expect(story.annotations[0]?.bbox).toEqual([20, 20, 40, 40]);
  expect(story.editor.history.depth).toBe(0);
});

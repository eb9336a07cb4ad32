/** Fingers and the pen, in every tool. */

import { expect, test } from "vitest";

import { answered, picture, sightOf } from "../sight";
import { TOOLS } from "../../src/tools";
import { Story } from "../story";
import { mask, rectangle } from "./pixels";

const pen = { device: "pen", pointerId: 9 } as const;
const finger = (pointerId: number) => ({ device: "touch", pointerId }) as const;
const RIGHT_HALF = picture((x) => (x < 100 ? [90, 90, 90] : [200, 40, 40]));

/** A scene in which every tool has something to do. */
async function withTool(toolId: string): Promise<Story> {
  const story = new Story();
  story.editor.sight = sightOf(RIGHT_HALF);
  story.editor.select([story.given({ segmentation: [[20, 20, 90, 20, 90, 80, 20, 80]] })]);
  story.editor.hand.choose(toolId);
  if (toolId === "keypoints" || toolId === "brush") story.editor.select([]);
  if (toolId === "eraser") story.editor.select([story.given({ segmentation: mask(rectangle(0, 0, 200, 100)) })]);
  story.move(20, 50);
  await answered();
  return story;
}

const seen = ({ editor, path }: Story) => ({
  annotations: [...editor.document.entries()],
  depth: editor.history.depth,
  path,
  dots: editor.hand.preview.dots,
  selection: [...editor.view.selection],
});

const drawing = TOOLS.filter(({ info }) => info.edits).map(({ info }) => info.id);

test.each(TOOLS.map(({ info }) => info.id))("the second finger takes back what the first one began with %s", async (toolId) => {
  const story = await withTool(toolId);
  // Between two clicks of a gesture that takes several, and with nothing begun.
  for (const begun of [false, true]) {
    if (begun) story.click(20, 50, finger(1));
    await answered();
    const before = seen(story);
    story.press(90, 50, finger(1)).press(160, 50, finger(2)).move(180, 50, finger(2));
    story.release(180, 50, finger(2)).release(90, 50, finger(1));
    expect(seen(story)).toStrictEqual(before);
    expect(story.editor.camera.scale).not.toBe(1);
    // The first one has begun to draw already.
    story.editor.moveCamera({ scale: 1, x: 0, y: 0 });
    story.press(90, 50, finger(1)).move(105, 60, finger(1)).move(120, 70, finger(1));
    expect(story.editor.hand.busy).toBe(true);
    story.press(160, 50, finger(2)).move(190, 50, finger(2)).release(190, 50, finger(2)).release(120, 70, finger(1));
    await answered();
    expect(seen(story)).toStrictEqual(before);
    expect(story.editor.camera.scale).not.toBe(1);
    story.editor.moveCamera({ scale: 1, x: 0, y: 0 });
  }
});

test.each(drawing)("once a pen was there, a finger pans and the pen draws with %s", async (toolId) => {
  const story = await withTool(toolId);
  story.move(150, 50, pen).move(150, 60);
  const before = seen(story);
  story.drag([20, 20], [70, 60], finger(1));
  expect([story.editor.camera.x, story.editor.camera.y]).toEqual([50, 40]);
  story.click(60, 60, finger(1));
  expect(seen(story)).toStrictEqual(before);
  story.editor.moveCamera({ scale: 1, x: 0, y: 0 });
  story.press(20, 50, pen).move(60, 40, pen).move(95, 90, pen);
  expect(story.editor.hand.busy || seen(story).depth > before.depth).toBe(true);
});

test("a finger still selects where only the pen draws", () => {
  const story = new Story();
  const key = story.given({ segmentation: [[20, 20, 90, 20, 90, 80, 20, 80]] });
  story.move(5, 5, pen).click(50, 50, finger(1));
  expect(story.selected).toEqual([key]);
  story.drag([50, 50], [60, 50], finger(1));
  expect(story.annotations).toMatchObject([{ segmentation: [[20, 20, 90, 20, 90, 80, 20, 80]] }]);
});

test("the hand that holds the pen draws, pans and selects nothing", () => {
  const story = new Story().key("B");
  story.press(20, 20, pen).press(150, 80, finger(1)).move(160, 90, finger(1)).move(60, 50, pen);
  story.press(120, 90, finger(2)).move(130, 95, finger(2)).release(60, 60, pen);
  story.release(130, 95, finger(2)).release(160, 90, finger(1));
  expect(story.annotations).toMatchObject([{ bbox: [20, 20, 40, 40] }]);
  expect(story.editor.camera).toEqual({ scale: 1, x: 0, y: 0 });
  // It lies down before the tip does, and is lifted after it.
  story.press(150, 80, finger(3)).press(100, 20, pen).move(170, 95, finger(3)).move(120, 40, pen);
  story.release(140, 60, pen).move(190, 99, finger(3)).release(190, 99, finger(3));
  expect(story.editor.camera).toEqual({ scale: 1, x: 0, y: 0 });
  expect(story.annotations).toHaveLength(2);
  expect(story.annotations[1]).toMatchObject({ bbox: [100, 20, 40, 40] });
});

test("a touch right after the pen is the palm, a later one a finger", () => {
  const story = new Story().key("B");
  story.drag([20, 20], [60, 60], pen);
  story.soon().press(100, 50, finger(1)).soon().move(150, 50, finger(1)).soon().release(150, 50, finger(1));
  expect(story.editor.camera.x).toBe(0);
  story.drag([100, 50], [150, 50], finger(1));
  expect(story.editor.camera.x).toBe(50);
});

test("that only the pen draws can be switched off, and stays so", () => {
  const story = new Story().key("B");
  story.move(10, 10, pen);
  expect(story.editor.notice).toContain("Only the pen draws");
  story.key("Escape").editor.options.set({ kind: "toggle", id: "pen-only", label: "", help: "", initial: false }, false);
  story.move(10, 10, pen).move(0, 0);
  story.drag([20, 20], [60, 60], finger(1));
  expect(story.annotations).toMatchObject([{ bbox: [20, 20, 40, 40] }]);
});

test("what the mouse does while the pen is down is not meant", () => {
  const story = new Story().key("P");
  story.press(20, 20, pen).move(90, 90).press(90, 90).release(90, 90).release(20, 20, pen);
  expect(story.editor.hand.preview.dots).toEqual([{ x: 20, y: 20 }]);
  expect(story.path).toBe("polygon.drawing");
});

test("Escape frees the hand of a pen that was never let go", () => {
  const story = new Story().key("B");
  story.press(20, 20, pen).move(60, 60, pen);
  expect(story.click(90, 90).path, "the mouse is not meant").toBe("box.dragging");
  story.key("Escape").drag([100, 20], [140, 60]);
  expect(story.annotations).toMatchObject([{ bbox: [100, 20, 40, 40] }]);
  // Where nothing was drawn yet, Escape does so, too.
  story.key("V").press(5, 5, pen).key("Escape").drag([120, 40], [130, 40]);
  expect(story.annotations).toMatchObject([{ bbox: [110, 20, 40, 40] }]);
});

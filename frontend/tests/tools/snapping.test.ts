import { expect, test } from "vitest";

import { SHARED, SNAP } from "../../src/tools/snapping";
import { Story } from "../story";
import { mask, rectangle } from "./pixels";

const NEIGHBOUR = [100.123456789, 20, 160, 20, 160, 80, 100, 80];

function beside(extra: object = {}): Story {
  const story = new Story();
  story.given({ segmentation: [NEIGHBOUR], ...extra });
  story.editor.options.set(SNAP, true);
  return story;
}
const drawnRing = (story: Story): unknown => (story.annotations.at(-1)!.segmentation as number[][])[0];

test("a drawn point goes to a neighbour's point, with its very numbers, or else onto its edge", () => {
  const story = beside().key("P").click(96, 22).click(103, 50).click(40, 50).key("Enter");
  expect(drawnRing(story)).toEqual([100.123456789, 20, 100.0617, 49.994, 40, 50]);
});

test("the place where it snaps is marked before the press", () => {
  const story = beside().key("P").move(96, 22);
  expect(story.editor.hand.preview.mark).toMatchObject({ kind: "point" });
  story.move(103, 50);
  expect(story.editor.hand.preview.mark).toMatchObject({ kind: "edge" });
  expect(story.move(60, 50).editor.hand.preview.mark).toBeNull();
});

test("a mask is snapped to and followed by the edges of its pixels", () => {
  const story = new Story();
  story.given({ segmentation: mask(rectangle(100, 20, 60, 60)) });
  story.editor.options.set(SNAP, true);
  story.key("P").click(96, 22).click(103, 50).click(40, 50).key("Enter");
  expect(drawnRing(story)).toEqual([100, 20, 100, 50, 40, 50]);
  story.key("Mod+Z").click(40, 10).key("T").click(100, 50).click(130, 80).key("Enter");
  expect(drawnRing(story)).toEqual([40, 10, 100, 50, 100, 80, 130, 80]);
});

test("Ctrl held suspends it, and I turns it off", () => {
  const story = beside().key("P").click(96, 22, { primary: true }).key("I").click(103, 50).click(40, 50).key("Enter");
  expect(drawnRing(story)).toEqual([96, 22, 103, 50, 40, 50]);
});

test("hidden neighbours do not draw points to themselves", () => {
  const story = beside();
  story.editor.view.hidden.add([...story.editor.document.entries()][0]![0]);
  story.key("P").click(96, 22).click(80, 50).click(40, 50).key("Enter");
  expect(drawnRing(story)).toEqual([96, 22, 80, 50, 40, 50]);
});

test("a dragged point snaps to others, not to its own outline", () => {
  const story = beside();
  story.editor.select([story.given({ segmentation: [[20, 20, 60, 20, 60, 28, 20, 60]] })]);
  story.drag([60, 20], [97, 18]);
  expect(drawnRing(story)).toEqual([20, 20, 100.123456789, 20, 60, 28, 20, 60]);
  story.drag([60, 28], [62, 21]);
  expect(drawnRing(story)).toEqual([20, 20, 100.123456789, 20, 62, 21, 20, 60]);
});

test("shared points move along when asked, and come back together", () => {
  const story = beside();
  const own = [20, 20, 100.123456789, 20, 100, 80];
  story.editor.select([story.given({ segmentation: [own] })]);
  story.drag([100.123456789, 20], [90, 10], { primary: true });
  expect(story.annotations[0]).toMatchObject({ segmentation: [NEIGHBOUR] });
  story.key("Mod+Z");
  story.editor.options.set(SHARED, true);
  story.drag([100, 20], [90, 10], { primary: true });
  expect(story.annotations).toMatchObject([
    { segmentation: [[90.12, 10, 160, 20, 160, 80, 100, 80]] },
    { segmentation: [[20, 20, 90.12, 10, 100, 80]] },
  ]);
  story.drag([85, 5], [105, 85], { alt: true }).drag([90.12, 10], [95.12, 10]);
  expect(story.annotations).toMatchObject([
    { segmentation: [[95.12, 10, 160, 20, 160, 80, 105, 80]] },
    { segmentation: [[20, 20, 95.12, 10, 105, 80]] },
  ]);
  story.key("Mod+Z").key("Mod+Z");
  expect(story.annotations).toMatchObject([{ segmentation: [NEIGHBOUR] }, { segmentation: [own] }]);
});

test("T follows a neighbour's border between two clicks, the shorter way", () => {
  const story = new Story();
  story.given({ segmentation: [NEIGHBOUR] });
  story.key("P").click(60, 20).key("T").click(100, 21).click(101, 80);
  expect(story.path).toBe("polygon.drawing");
  story.click(60, 80).key("Enter");
  expect(drawnRing(story)).toEqual([60, 20, 100.123456789, 20, 100, 80, 60, 80]);
});

test("T again goes the other way round, and edges count as well as points", () => {
  const story = new Story();
  story.given({ segmentation: [NEIGHBOUR] });
  story.key("P").key("T").click(100.1, 30).key("T").click(100, 60).key("Enter");
  expect(drawnRing(story)).toEqual([
    100.1029, 30, 100.123456789, 20, 160, 20, 160, 80, 100, 80, 100.0412, 60.0001,
  ]);
});

test("Backspace steps back out of following, Escape drops everything", () => {
  const story = new Story();
  story.given({ segmentation: [NEIGHBOUR] });
  story.key("P").click(60, 20).key("T").click(100, 21).key("Backspace").key("Backspace");
  expect(story.path).toBe("polygon.drawing");
  story.key("T").click(10, 90);
  expect(story.editor.notice).toContain("no border");
  expect(story.key("Escape").path).toBe("polygon.ready");
  expect(story.annotations).toHaveLength(1);
});

import { expect, test, vi } from "vitest";

import { selectedPoints } from "../../src/editor/points";
import { polygons } from "../../src/shapes/polygons";
import { Story } from "../story";

const RING = [20, 20, 80, 20, 80, 80, 50, 80.123456789, 20, 80];

function withRing(ring: readonly number[] = RING, extra: object = {}): Story {
  const story = new Story();
  story.editor.select([story.given({ segmentation: [ring], ...extra })]);
  return story;
}
const ringOf = (story: Story): unknown => (story.annotations[0]!.segmentation as number[][])[0];
const selectedIndices = (story: Story): number[] => selectedPoints(story.editor).map(({ index }) => index);

test("Alt and a drag select points, and dragging one moves them all", () => {
  const story = withRing().drag([10, 70], [60, 90], { alt: true });
  expect(selectedIndices(story)).toEqual([3, 4]);
  story.drag([20, 80], [30, 85]);
  expect(ringOf(story)).toEqual([20, 20, 80, 20, 80, 80, 60, 85.123456789, 30, 85]);
  expect(selectedIndices(story)).toEqual([3, 4]);
  story.key("Mod+Z");
  expect(ringOf(story)).toEqual(RING);
});

test("Alt and a click add one point or take it away; Shift adds what a marquee finds", () => {
  const story = withRing().click(20, 20, { alt: true }).click(80, 20, { alt: true });
  expect(selectedIndices(story)).toEqual([0, 1]);
  story.click(20, 20, { alt: true });
  expect(selectedIndices(story)).toEqual([1]);
  story.drag([10, 70], [30, 90], { alt: true, shift: true });
  expect(selectedIndices(story)).toEqual([1, 4]);
});

test("a click selects a point, arrow keys move it, Delete takes it out", () => {
  const story = withRing().click(80, 80);
  story.key("ArrowRight").key("Shift+ArrowDown");
  expect(ringOf(story)).toEqual([20, 20, 80, 20, 81, 90, 50, 80.123456789, 20, 80]);
  story.key("Mod+Z");
  expect(ringOf(story)).toEqual(RING);
  story.key("Delete");
  expect(ringOf(story)).toEqual([20, 20, 80, 20, 50, 80.123456789, 20, 80]);
  story.key("Delete");
  expect(story.annotations).toEqual([]);
});

test("Escape first selects no points, then nothing", () => {
  const story = withRing().click(80, 80).key("Escape");
  expect([selectedIndices(story), story.selected.length]).toEqual([[], 1]);
  expect(story.key("Escape").selected).toEqual([]);
});

test("points do not leave the image, and keep their distances", () => {
  const story = withRing().drag([70, 10], [90, 90], { alt: true });
  story.drag([80, 20], [80, -50]);
  expect(ringOf(story)).toEqual([20, 20, 80, 0, 80, 60, 50, 80.123456789, 20, 80]);
});

test("Shift and a drag erase the points that it passes, as one step", () => {
  const story = withRing([20, 20, 40, 20, 60, 20, 80, 20, 80, 80, 20, 80]);
  story.press(40, 20, { shift: true }).move(85, 22, { shift: true });
  expect(story.path).toBe("select.erasing");
  expect(ringOf(story)).toEqual([20, 20, 80, 80, 20, 80]);
  story.release(85, 80, { shift: true });
  expect(ringOf(story)).toEqual([20, 20, 80, 80, 20, 80]);
  expect(story.editor.notice).toContain("cannot be taken away");
  story.key("Mod+Z");
  expect(story.editor.history.depth).toBe(0);
  expect(ringOf(story)).toEqual([20, 20, 40, 20, 60, 20, 80, 20, 80, 80, 20, 80]);
});

test("Escape brings back what a drag has erased", () => {
  const story = withRing().press(20, 20, { shift: true }).key("Escape").release();
  expect(ringOf(story)).toEqual(RING);
  expect(story.editor.history.depth).toBe(0);
});

test("a part of three points goes with one of them, the last part does not", () => {
  const story = withRing([20, 20, 40, 20, 40, 40], { holes: [[25, 22, 38, 22, 38, 30]] });
  story.click(25, 22, { shift: true });
  expect(story.annotations).toMatchObject([{ holes: [] }]);
  story.click(20, 20, { shift: true });
  expect(ringOf(story)).toEqual([20, 20, 40, 20, 40, 40]);
});

test("keypoints are points, too", () => {
  const story = new Story();
  story.editor.select([story.given({ keypoints: [10, 10, 2, 30, 30, 1, 0, 0, 0] })]);
  story.drag([0, 0], [50, 50], { alt: true }).drag([10, 10], [15, 10]);
  expect(story.annotations[0]!.keypoints).toEqual([15, 10, 2, 35, 30, 1, 0, 0, 0]);
  story.key("Delete");
  expect(story.annotations[0]!.keypoints).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0]);
});

test("a box has no points to select", () => {
  const story = new Story();
  story.editor.select([story.given({ bbox: [20, 20, 60, 60] })]);
  story.click(20, 20, { alt: true }).click(20, 20);
  expect(selectedIndices(story)).toEqual([]);
});

test("points of an outline that has changed are selected no more", () => {
  const story = withRing().click(80, 80).key("Mod+Z");
  story.click(50, 20).key("Mod+Z");
  expect(selectedIndices(story)).toEqual([]);
});

test("a polygon of 120,000 points is reshaped like any other, and nothing lists all of its points", () => {
  const ring = Array.from({ length: 120_000 }, (_, i) => {
    const angle = (2 * Math.PI * i) / 120_000;
    return [100 + 40 * Math.cos(angle), 50 + 40 * Math.sin(angle)];
  }).flat();
  const story = withRing(ring);
  const listed = vi.spyOn(polygons, "handles");
  story.drag([140, 50], [150, 55]);
  const moved = ringOf(story) as number[];
  const changed = moved.flatMap((value, i) => (value === ring[i] ? [] : [i]));
  expect(changed.length, "the two numbers of one point").toBe(2);
  expect([moved[changed[0]!]! - ring[changed[0]!]!, moved[changed[1]!]! - ring[changed[1]!]!].map(Math.round)).toEqual([10, 5]);
  story.click(60, 50).key("ArrowLeft");
  expect(selectedIndices(story)).toHaveLength(1);
  story.key("Mod+Z").key("Mod+Z");
  expect(ringOf(story)).toBe(ring);
  story.key("Escape").drag([100, 50], [110, 50]);
  expect(story.editor.history.undoLabel).toBe("Move");
  expect(listed).not.toHaveBeenCalled();
});

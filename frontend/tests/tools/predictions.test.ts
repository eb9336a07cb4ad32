import { expect, test } from "vitest";

import type { Box } from "../../src/geometry/bounds";
import type { Prediction } from "../../src/model/predictions";
import { EMPTY_ANNOTATION } from "../../src/model/records";
import { PERSON, Story } from "../story";
import { mask, rectangle } from "./pixels";

const found = (id: number, bbox: Box, score = 0.9): Prediction => ({
  id,
  setId: 1,
  kind: "bbox",
  score,
  shape: { ...EMPTY_ANNOTATION, category_id: PERSON.id, bbox },
});

function scene(): Story {
  const story = new Story();
  story.editor.predictions.load([found(1, [10, 10, 80, 80]), found(2, [20, 20, 20, 20]), found(3, [150, 10, 20, 20], 0.1)]);
  return story.key("V");
}

const picked = (story: Story): number | null => story.editor.predictions.selected?.id ?? null;

test("a click picks the smallest suggestion under it, and again the next one", () => {
  const story = scene();
  story.click(30, 30);
  expect(picked(story)).toBe(2);
  story.click(30, 30);
  expect(picked(story)).toBe(1);
  story.click(30, 30);
  expect(picked(story)).toBe(2);
  story.click(80, 80);
  expect(picked(story)).toBe(1);
});

test("what is hidden or has too low a score is not picked", () => {
  const story = scene();
  story.click(160, 20);
  expect(picked(story)).toBeNull();
  story.editor.predictions.toggle();
  story.click(30, 30);
  expect(picked(story)).toBeNull();
});

test("annotations come first; repeated clicks go through them to the suggestions, and round", () => {
  const story = scene();
  const key = story.given({ bbox: [15, 15, 40, 40] });
  story.click(30, 30);
  expect([story.selected, picked(story)]).toEqual([[key], null]);
  story.click(30, 30);
  expect([story.selected, picked(story)]).toEqual([[], 2]);
  story.click(30, 30);
  expect(story.selected).toEqual([key]);
});

test("the pointer says that there is something to pick", () => {
  const story = scene();
  story.move(30, 30);
  expect(story.editor.hand.cursor).toBe("pointer");
  story.move(190, 90);
  expect(story.editor.hand.cursor).toBe("default");
});

test("the picked one is reshaped by its handles and moved by its inside, and accepted like that", () => {
  const story = scene();
  // A drag before it is picked selects many, as everywhere.
  story.press(70, 70).move(80, 75);
  expect(story.path).toBe("select.spanning");
  story.key("Escape").release().click(70, 70);
  expect(picked(story)).toBe(1);
  story.press(90, 90).move(95, 95);
  expect(story.path).toBe("select.reshaping_prediction");
  expect(story.editor.predictions.selected?.shape.bbox).toEqual([10, 10, 85, 85]);
  // Until it is accepted nothing of it is in the document.
  expect([story.annotations, story.editor.history.depth]).toEqual([[], 0]);
  story.release(100, 95);
  expect(story.annotations.map(({ bbox }) => bbox)).toEqual([[10, 10, 90, 85]]);
  expect([story.selected.length, story.editor.history.undoLabel]).toEqual([1, "Accept prediction"]);
  // Open again, it is what the model found.
  story.key("Mod+Z");
  expect(story.editor.predictions.selected?.shape.bbox).toEqual([10, 10, 80, 80]);
  story.drag([70, 70], [75, 60]);
  expect(story.annotations.map(({ bbox }) => bbox)).toEqual([[15, 0, 80, 80]]);
});

test("Escape and a click change nothing of it; annotations on it are still picked", () => {
  const story = scene();
  story.click(70, 70).press(90, 90).move(99, 99).key("Escape").release();
  expect(story.editor.predictions.selected?.shape.bbox).toEqual([10, 10, 80, 80]);
  const key = story.given({ bbox: [60, 60, 20, 20] });
  story.drag([70, 70], [75, 75]);
  expect(story.selected).toEqual([key]);
  expect(story.editor.predictions.isOpen(1)).toBe(true);
});

test("one that is dragged out and back where it was taken hold of stays open, a new point on an edge goes", () => {
  const story = scene();
  story.click(70, 70).press(90, 90).move(99, 99).release(90, 90);
  story.press(70, 70).move(75, 60).release(70, 70);
  expect(story.editor.predictions.selected?.shape.bbox).toEqual([10, 10, 80, 80]);
  const shape = { ...EMPTY_ANNOTATION, segmentation: [[10.123, 10, 90, 10, 90, 90.456, 10, 90]] };
  story.editor.predictions.load([{ ...found(1, [0, 0, 1, 1]), shape }]);
  story.click(50, 50).press(50, 10).move(50, 30).release(50, 10);
  story.press(90, 90).move(80, 80).release(90, 90);
  expect(story.editor.predictions.selected?.shape).toEqual(shape);
  expect(story.editor.history.depth).toBe(0);
});

test("one that somebody else decided about during the drag is not accepted once more, and that is said", () => {
  const story = scene();
  story.click(70, 70).press(90, 90).move(99, 99);
  story.editor.predictions.load([found(2, [20, 20, 20, 20])]);
  story.release();
  expect([story.editor.history.depth, story.editor.predictions.isOpen(1)]).toEqual([0, false]);
  expect(story.editor.notice).toContain("Somebody else has decided");
});

test("an edge of a polygon takes a new point; viewers take hold of nothing, and a mask moves by whole pixels", () => {
  const ring = [10, 10, 90, 10, 90, 90, 10, 90];
  const polygon = { ...found(1, [0, 0, 1, 1]), shape: { ...EMPTY_ANNOTATION, category_id: PERSON.id, segmentation: [ring] } };
  const story = scene();
  story.editor.predictions.load([polygon]);
  story.click(50, 50).drag([50, 10], [50, 0]);
  expect(story.annotations[0]?.segmentation).toEqual([[10, 10, 50, 0, 90, 10, 90, 90, 10, 90]]);
  story.key("Mod+Z");
  const masked = { ...polygon, shape: { ...EMPTY_ANNOTATION, segmentation: mask(rectangle(20, 20, 60, 60)) } };
  story.editor.predictions.load([masked]);
  story.click(50, 50).drag([50, 50], [70.4, 99]);
  expect(story.annotations[0]?.segmentation).toEqual(mask(rectangle(40, 40, 60, 60)));
  const viewer = new Story({ readOnly: true });
  viewer.editor.predictions.load([polygon]);
  viewer.click(50, 50).press(90, 90).move(60, 60);
  expect(viewer.path).toBe("select.spanning");
});

test("selecting an object, Escape and a click on nothing unselect it, and picking it unselects the object", () => {
  const story = scene();
  const key = story.given({ bbox: [150, 50, 30, 30] });
  story.click(70, 70);
  expect(picked(story)).toBe(1);
  story.key("Escape");
  expect(picked(story)).toBeNull();
  story.click(70, 70).click(165, 65);
  expect([story.selected, picked(story)]).toEqual([[key], null]);
  story.click(70, 70);
  expect([story.selected, picked(story)]).toEqual([[], 1]);
  story.click(195, 95);
  expect([story.selected, picked(story)]).toEqual([[], null]);
  story.editor.select([key]);
  story.editor.selectPrediction(2);
  expect([story.selected, picked(story)]).toEqual([[], 2]);
});

import { expect, test } from "vitest";

import type { Box } from "../../src/geometry/bounds";
import type { Prediction } from "../../src/model/predictions";
import { EMPTY_ANNOTATION } from "../../src/model/records";
import { PERSON, Story } from "../story";

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

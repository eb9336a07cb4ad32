import { expect, test } from "vitest";

import { readPrediction } from "../../src/api/wire";
import { Predictions, type Prediction } from "../../src/model/predictions";
import { EMPTY_ANNOTATION } from "../../src/model/records";

const scored = (id: number, score: number | null): Prediction => ({
  id,
  setId: 1,
  kind: "bbox",
  score,
  shape: { ...EMPTY_ANNOTATION, bbox: [0, 0, 1, 1] },
});

function given(...scores: (number | null)[]): Predictions {
  const predictions = new Predictions(() => undefined);
  predictions.load(scores.map((score, i) => scored(i + 1, score)));
  return predictions;
}

const decide = (predictions: Predictions, id: number): void =>
  predictions.decide(predictions.listed.filter((one) => one.id === id), "rejected", "local");

const ids = (predictions: Predictions): number[] => predictions.listed.map(({ id }) => id);

test("the best come first, and what has no score before them", () => {
  expect(ids(given(0.4, 0.9, null, 0.9))).toEqual([3, 2, 4, 1]);
});

test("the lowest score is included, and leaves out what is below", () => {
  const predictions = given(0.2, 0.5, 0.8, null);
  predictions.setMinScore(0.5);
  expect(ids(predictions)).toEqual([4, 3, 2]);
  predictions.setMinScore(0);
  expect(ids(predictions)).toEqual([4, 3, 2, 1]);
});

test("when one is decided, the next is selected, and at the end the one before", () => {
  const predictions = given(0.9, 0.8, 0.7);
  predictions.select(2);
  decide(predictions, 2);
  expect(predictions.selected?.id).toBe(3);
  decide(predictions, 3);
  expect(predictions.selected?.id).toBe(1);
  decide(predictions, 1);
  expect([predictions.selected, predictions.count]).toEqual([null, 0]);
});

test("deciding about another one leaves the selection", () => {
  const predictions = given(0.9, 0.8);
  predictions.select(2);
  decide(predictions, 1);
  expect(predictions.selected?.id).toBe(2);
});

test("one model or run at a time, of those that found something here", () => {
  const predictions = new Predictions(() => undefined);
  const sets = [1, 2, 3].map((id) => ({ id, name: `run ${id}` }));
  predictions.load([scored(1, 0.9), { ...scored(2, 0.8), setId: 2 }], sets);
  expect(predictions.sets.map(({ id }) => id)).toEqual([1, 2]);
  predictions.chooseSet(2);
  expect(ids(predictions)).toEqual([2]);
  predictions.chooseSet(null);
  expect(ids(predictions)).toEqual([1, 2]);
});

test("what the slider leaves out is not selected", () => {
  const predictions = given(0.9, 0.4);
  predictions.select(2);
  predictions.setMinScore(0.5);
  expect(predictions.selected).toBeNull();
});

test("one that is open again is listed in its place", () => {
  const predictions = given(0.9, 0.8, 0.7);
  decide(predictions, 2);
  predictions.decide([scored(2, 0.8)], "open", "local");
  expect(ids(predictions)).toEqual([1, 2, 3]);
});

test("whoever follows along hears of every change", () => {
  let heard = 0;
  const predictions = new Predictions(() => (heard += 1));
  predictions.load([scored(1, 0.5)]);
  predictions.select(1);
  predictions.select(1);
  predictions.setMinScore(0.1);
  predictions.toggle();
  decide(predictions, 1);
  expect(heard).toBe(5);
});

test("a bare box is drawn as one, a box with a mask as its mask", () => {
  const wire = {
    id: 4,
    set_id: 2,
    image_id: 1,
    category_id: 7,
    state: "open" as const,
    kind: "bbox" as const,
    segmentation: [[1.5, 1, 1.5, 3, 4.5, 3, 4.5, 1]],
    holes: [],
    bbox: [1.5, 1, 3, 2],
    area: 6,
    iscrowd: 0 as const,
    keypoints: null,
    num_keypoints: null,
    attributes: {},
    score: 0.5,
    caption: null,
    annotation_id: null,
    decided_by: null,
    decided_at: null,
  };
  const { shape } = readPrediction(wire);
  expect([shape.segmentation, shape.bbox]).toEqual([null, [1.5, 1, 3, 2]]);
  const mask = [[1.5, 1, 4.5, 3, 4.5, 1]];
  const drawn = readPrediction({ ...wire, segmentation: mask }).shape;
  expect([drawn.segmentation, drawn.bbox]).toEqual([mask, null]);
});

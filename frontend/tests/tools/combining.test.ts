import { expect, test } from "vitest";

import { COMBINE } from "../../src/editor/combining";
import { Story } from "../story";

const SQUARE = [20, 20, 80.123456789, 20, 80, 80, 20, 80];

function withSquare(extra: object = {}): Story {
  const story = new Story();
  story.editor.select([story.given({ segmentation: [SQUARE], attributes: { kept: true }, iscrowd: 1, ...extra })]);
  return story;
}

test("Q goes from new to add to subtract, and only where something is drawn", () => {
  const story = new Story().key("Q");
  expect(story.editor.options.get(COMBINE)).toBe("new");
  story.key("B").key("Q");
  expect(story.editor.options.get(COMBINE)).toBe("add");
  story.key("P").key("Q");
  expect(story.editor.options.get(COMBINE)).toBe("subtract");
  expect(story.key("Q").editor.options.get(COMBINE)).toBe("new");
});

test("what is cut out looks different from what is added, in every tool with an outline", () => {
  for (const key of ["B", "P"]) {
    const story = withSquare().key(key).press(60, 60, { alt: true }).move(100, 100);
    expect(story.editor.hand.preview.subtracts).toBe(true);
    story.release().key("Escape").press(60, 60, { shift: true }).move(100, 100);
    expect(story.editor.hand.preview.subtracts).toBe(false);
    story.release().key("Escape").key("Q").key("Q").press(60, 60).move(100, 100);
    expect(story.editor.hand.preview.subtracts).toBe(true);
  }
});

test("a box is added to the selected polygon, whose other points and fields stay", () => {
  const story = withSquare().key("B").key("Q").drag([60, 60], [100, 100]);
  expect(story.annotations).toMatchObject([
    {
      segmentation: [[20, 20, 80.123456789, 20, 80.0412, 60, 100, 60, 100, 100, 60, 100, 60, 80, 20, 80]],
      attributes: { kept: true },
      iscrowd: 1,
    },
  ]);
  story.key("Mod+Z");
  expect(story.annotations[0]!.segmentation).toEqual([SQUARE]);
});

test("what lies apart becomes another part", () => {
  const story = withSquare().key("B").drag([100, 20], [120, 40], { shift: true });
  expect(story.annotations).toMatchObject([{ segmentation: [SQUARE, [100, 20, 120, 20, 120, 40, 100, 40]] }]);
});

test("Alt cuts a hole out of the inside and says what becomes of it", () => {
  const story = withSquare().key("P").click(40, 40, { alt: true }).click(60, 40).click(60, 60).key("Enter");
  expect(story.annotations).toMatchObject([{ segmentation: [SQUARE], holes: [[40, 40, 60, 40, 60, 60]] }]);
  expect(story.editor.notice).toContain("RLE");
  story.key("B").drag([35, 35], [65, 65], { shift: true });
  expect(story.annotations).toMatchObject([{ segmentation: [SQUARE], holes: [] }]);
});

test("a polygon cut in two stays one annotation of two parts", () => {
  const story = withSquare().key("B").drag([40, 10], [50, 90], { alt: true });
  expect(story.annotations).toHaveLength(1);
  expect(story.annotations[0]!.segmentation).toHaveLength(2);
});

test("a bare box becomes a polygon, unless nothing is changed", () => {
  const story = new Story();
  story.editor.select([story.given({ bbox: [20, 20, 60, 60] })]);
  story.key("B").drag([30, 30], [40, 40], { shift: true });
  expect(story.annotations).toMatchObject([{ bbox: [20, 20, 60, 60], segmentation: null }]);
  story.drag([60, 60], [100, 100], { alt: true });
  expect(story.annotations).toMatchObject([
    { bbox: null, segmentation: [[20, 20, 80, 20, 80, 60, 60, 60, 60, 80, 20, 80]] },
  ]);
});

test.each([
  ["nothing is selected", (story: Story) => story.editor.select([]), "Select the one annotation"],
  ["it would be gone", (story: Story) => story, "Delete removes it"],
  [
    "it is locked",
    (story: Story) => void story.editor.view.locked.add(story.selected[0]!),
    "locked",
  ],
])("nothing is cut when %s", (_, arrange, why) => {
  const story = withSquare();
  arrange(story);
  story.key("B").drag([0, 0], [100, 100], { alt: true });
  expect(story.annotations).toMatchObject([{ segmentation: [SQUARE] }]);
  expect(story.editor.notice).toContain(why);
  expect(story.editor.history.depth).toBe(0);
});

test("what changes nothing is no step of undo", () => {
  const story = withSquare().key("B").drag([120, 20], [140, 40], { alt: true });
  expect(story.editor.history.depth).toBe(0);
  expect(story.editor.notice).toContain("changes nothing");
});

test("keypoints alone have no area", () => {
  const story = new Story();
  story.editor.select([story.given({ keypoints: [10, 10, 2, 20, 20, 2, 0, 0, 0] })]);
  story.key("B").drag([30, 30], [40, 40], { shift: true });
  expect(story.editor.notice).toContain("no area");
});

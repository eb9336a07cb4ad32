import { expect, test } from "vitest";

import { area, bbox, decode, encode, parseCounts, type Rle } from "../../src/geometry/rle";
import { CUP, Story } from "../story";

const SQUARE = [20, 20, 80, 20, 80, 80, 20, 80];

function withSquare(extra: object = {}): Story {
  const story = new Story();
  const key = story.given({ segmentation: [SQUARE], attributes: { a: 1 }, iscrowd: 1, score: 0.5, ...extra });
  story.editor.select([key]);
  return story.key("X");
}

test("a drag across makes two; the larger one keeps every field", () => {
  const story = withSquare();
  const [key] = story.selected;
  story.drag([40, 10], [40, 90]);
  expect(story.annotations).toMatchObject([
    { segmentation: [[80, 20, 80, 80, 40, 80, 40, 20]], attributes: { a: 1 }, iscrowd: 1, score: 0.5 },
    { segmentation: [[20, 20, 40, 20, 40, 80, 20, 80]], attributes: { a: 1 }, iscrowd: 1, score: null },
  ]);
  expect(story.selected).toEqual([key, expect.any(String)]);
  story.key("Mod+Z");
  expect(story.annotations).toMatchObject([{ segmentation: [SQUARE] }]);
  story.key("Mod+Shift+Z");
  expect(story.annotations).toHaveLength(2);
});

test("clicks draw a line, a double click or Enter cuts, Backspace drops a point", () => {
  const story = withSquare().click(40, 10).click(99, 99).key("Backspace").click(50, 50).doubleClick(40, 90);
  expect(story.path).toBe("slice.ready");
  expect(story.annotations).toHaveLength(2);
  for (const { segmentation } of story.annotations) expect(String(segmentation)).toContain("50,50");
});

test("Escape drops the line", () => {
  const story = withSquare().click(40, 10).click(40, 90).key("Escape");
  expect([story.path, story.annotations.length]).toEqual(["slice.ready", 1]);
});

test("all selected ones that the line goes through are cut, locked ones are not", () => {
  const story = withSquare();
  const keys = [
    ...story.selected,
    story.given({ bbox: [100, 20, 40, 40] }),
    story.given({ segmentation: [[150, 20, 190, 20, 190, 60]] }),
  ];
  story.editor.view.locked.add(keys[2]!);
  story.editor.select(keys);
  story.drag([10, 40], [199, 41]);
  expect(story.annotations).toHaveLength(5);
  expect(story.annotations[1]).toMatchObject({ bbox: null });
  story.key("Mod+Z");
  expect(story.annotations[1]).toMatchObject({ bbox: [100, 20, 40, 40], segmentation: null });
});

test.each([
  ["does not go through", [40, 10], [40, 50]],
  ["passes by", [5, 5], [5, 95]],
] as const)("a line that %s changes nothing and says so", (_, from, to) => {
  const story = withSquare().drag([...from], [...to]);
  expect(story.editor.notice).toContain("Nothing is cut");
  expect(story.editor.history.depth).toBe(0);
});

test("without a selection there is nothing to cut", () => {
  const story = new Story().key("X").press(40, 10);
  expect(story.path).toBe("slice.ready");
  expect(story.editor.notice).toContain("Select");
});

/** A mask on the image of 200 x 100 pixels, set where the function says. */
function maskOf(set: (x: number, y: number) => boolean, compressed = true): Rle {
  const pixels = new Uint8Array(200 * 100);
  for (let i = 0; i < pixels.length; i++) pixels[i] = set(Math.floor(i / 100), i % 100) ? 1 : 0;
  const rle = encode(pixels, [100, 200]);
  return compressed ? rle : { ...rle, counts: [...parseCounts(rle.counts as string)] };
}
const inRing = (x: number, y: number): boolean => Math.abs(Math.hypot(x - 50, y - 50) - 25) < 10;

test.each([true, false])("a mask is cut pixel by pixel, with nothing lost and nothing twice (compressed: %s)", (compressed) => {
  const mask = maskOf(inRing, compressed);
  const story = withSquare({ segmentation: mask }).drag([55, 5], [56, 95]);
  const [larger, smaller] = story.annotations.map(({ segmentation }) => segmentation as Rle);
  expect([typeof larger!.counts, typeof smaller!.counts]).toEqual([typeof mask.counts, typeof mask.counts]);
  const [a, b, whole] = [larger!, smaller!, mask].map((rle) => decode(rle));
  expect(a!.map((value, i) => value + b![i]!)).toEqual(whole);
  expect(area(smaller!)).toBeGreaterThan(600);
  const [[left, , width], [right]] = [bbox(larger!), bbox(smaller!)];
  expect(left + width - right).toBeLessThanOrEqual(1);
  story.key("J");
  expect(decode(story.annotations[0]!.segmentation as Rle)).toEqual(whole);
  expect(story.key("Mod+Z").key("Mod+Z").annotations).toMatchObject([{ segmentation: mask }]);
});

test("a polygon and a mask are joined as the pixels of both", () => {
  const story = withSquare();
  story.editor.select([...story.selected, story.given({ segmentation: maskOf((x) => x > 150) })]);
  story.key("J");
  expect(area(story.annotations[0]!.segmentation as Rle)).toBe(60 * 60 + 49 * 100);
  expect(story.annotations).toMatchObject([{ holes: [], attributes: { a: 1 } }]);
});

test("J joins: what touches becomes one outline, what does not a part of its own", () => {
  const story = withSquare().drag([40, 10], [40, 90]);
  const apart = story.given({ bbox: [120, 20, 20, 20] });
  story.editor.select([...story.selected, apart]);
  story.key("J");
  expect(story.annotations).toMatchObject([
    {
      segmentation: [[80, 20, 80, 80, 20, 80, 20, 20], [120, 20, 140, 20, 140, 40, 120, 40]],
      score: 0.5,
    },
  ]);
  expect(story.selected).toHaveLength(1);
  expect(story.key("Mod+Z").annotations).toHaveLength(3);
});

test.each([
  ["of two categories", { bbox: [1, 1, 5, 5], category_id: CUP.id }, "one category"],
  ["with keypoints", { keypoints: [1, 1, 2, 0, 0, 0, 0, 0, 0] }, "would be lost"],
  ["without an area", {}, "only areas"],
])("annotations %s are not joined", (_, other, why) => {
  const story = withSquare();
  story.editor.select([...story.selected, story.given(other as object)]);
  story.key("J");
  expect(story.editor.notice).toContain(why);
  expect(story.annotations).toHaveLength(2);
});

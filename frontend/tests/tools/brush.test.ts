import { describe, expect, test } from "vitest";

import { Bitmap } from "../../src/geometry/bitmap";
import { imagePoint } from "../../src/geometry/point";
import { intersect, unite, without, type Runs } from "../../src/geometry/runs";
import { strokePiece } from "../../src/geometry/stroke";
import type { ToolOption } from "../../src/editor/options";
import { CUP, PERSON, Story } from "../story";
import { areaOf, covered, mask, rectangle, SIZE } from "./pixels";

/** A story with the brush in hand, set to what is given by option and value. */
function withBrush(settings: Record<string, unknown> = {}, key = "M"): Story {
  const story = new Story().key(key);
  for (const option of story.editor.hand.options) {
    const value = settings[option.id];
    if (value !== undefined) story.editor.options.set(option, value as ToolOption["initial"]);
  }
  return story;
}

function stroke(points: [number, number][], radius: number, square = false): Runs {
  const bitmap = new Bitmap(SIZE);
  points.forEach(([x, y], i) => {
    const [fromX, fromY] = points[Math.max(0, i - 1)]!;
    strokePiece(imagePoint(fromX, fromY), imagePoint(x, y), { radius, square }, SIZE, (...at) => bitmap.set(...at));
  });
  return bitmap.runs();
}

test("with nothing selected a stroke begins a mask of the current category, compressed, as one step", () => {
  const story = withBrush({ "brush-size": 10 });
  story.press(20, 20).move(80, 20).move(80, 60).release();
  expect(story.annotations).toMatchObject([{ category_id: PERSON.id, iscrowd: 0, bbox: null, holes: [] }]);
  const drawn = stroke([[20, 20], [80, 20], [80, 60]], 5);
  expect(story.annotations[0]?.segmentation).toEqual(mask(drawn));
  expect(story.selected).toHaveLength(1);
  expect(story.path).toBe("brush.ready");
  story.key("Mod+Z");
  expect(story.annotations).toEqual([]);
});

test("a fast hand leaves no gaps", () => {
  const story = withBrush({ "brush-size": 3 });
  story.press(10.2, 10.7).move(190.9, 90.1).release();
  expect(covered(story.annotations[0])).toEqual(stroke([[10.5, 10.5], [190.5, 90.5]], 1.5));
});

test("a brush of one pixel sets the pixel under the pointer", () => {
  const story = withBrush({ "brush-size": 1 });
  story.click(30.95, 40.05);
  expect(covered(story.annotations[0])).toEqual(rectangle(30, 40, 1, 1));
});

test("a square brush is as wide as it says", () => {
  const story = withBrush({ "brush-size": 6, "brush-form": "square" });
  story.click(50, 50);
  expect(covered(story.annotations[0])).toEqual(rectangle(47, 47, 6, 6));
});

test.each([true, false])("the selected mask is painted on and stays of its kind (compressed: %s)", (compressed) => {
  const story = withBrush({ "brush-size": 10 });
  const before = rectangle(20, 20, 40, 40);
  const key = story.given({ segmentation: mask(before, compressed), iscrowd: 1, attributes: { a: 1 } });
  story.editor.select([key]);
  story.press(60, 40).move(90, 40).release();
  const after = unite(before, stroke([[60, 40], [90, 40]], 5));
  expect(story.annotations).toEqual([
    expect.objectContaining({ segmentation: mask(after, compressed), iscrowd: 1, attributes: { a: 1 } }),
  ]);
});

test("a stroke over what is painted already changes nothing at all", () => {
  const story = withBrush({ "brush-size": 4 });
  const key = story.given({ segmentation: mask(rectangle(20, 20, 40, 40)) });
  const [before] = story.annotations;
  story.editor.select([key]);
  story.press(30, 30).move(40, 40).release();
  expect(story.annotations[0]).toBe(before);
  expect(story.editor.history.depth).toBe(0);
});

describe("Escape", () => {
  test.each(["Escape", "Mod+Z", "Backspace"])("drops the stroke without a trace (%s)", (key) => {
    const story = withBrush();
    const selected = story.given({ segmentation: mask(rectangle(20, 20, 40, 40)) });
    const [before] = story.annotations;
    story.editor.select([selected]);
    story.press(60, 40).move(90, 40).key(key).move(120, 50).release();
    expect(story.annotations).toHaveLength(1);
    expect(story.annotations[0]).toBe(before);
    expect(story.editor.history.depth).toBe(0);
    expect(story.editor.hand.preview.pixels).toBeNull();
  });

  test("selects nothing between strokes, so that the next one begins a new mask", () => {
    const story = withBrush();
    story.click(30, 30).key("Escape").click(120, 50);
    expect(story.annotations).toHaveLength(2);
  });
});

test("another category, chosen with the brush in hand, is for the next mask", () => {
  const story = withBrush();
  story.click(30, 30).key("2").click(120, 50);
  expect(story.annotations.map(({ category_id: id }) => id)).toEqual([PERSON.id, CUP.id]);
  story.key("2").click(150, 50);
  expect(story.annotations, "the same category goes on").toHaveLength(2);
});

test("the eraser takes from the selected mask, and Alt turns either into the other", () => {
  const before = rectangle(20, 20, 60, 60);
  const line = stroke([[20, 50], [80, 50]], 5);
  for (const [tool, alt] of [["E", false], ["M", true]] as const) {
    const story = withBrush({ "brush-size": 10 }, tool);
    story.editor.select([story.given({ segmentation: mask(before) })]);
    story.press(20, 50, { alt }).move(80, 50, { alt }).release();
    expect(story.annotations[0]?.segmentation).toEqual(mask(without(before, line)));
    expect(story.editor.history.undoLabel).toBe("Erase");
  }
});

test("with nothing selected the eraser takes the mask under it, and says so where there is none", () => {
  const story = withBrush({ "brush-size": 10 }, "E");
  const key = story.given({ segmentation: mask(rectangle(20, 20, 60, 60)) });
  story.click(150, 50);
  expect(story.editor.notice).toContain("no mask to take pixels from");
  story.click(50, 50);
  expect(story.selected).toEqual([key]);
  expect(areaOf(story.annotations[0])).toBeLessThan(3600);
});

test("a mask is not erased to nothing: that is what Delete is for", () => {
  const story = withBrush({ "brush-size": 100, "brush-form": "square" }, "E");
  story.editor.select([story.given({ segmentation: mask(rectangle(40, 40, 10, 10)) })]);
  const before = story.annotations;
  story.click(45, 45);
  expect(story.annotations).toEqual(before);
  expect(story.editor.notice).toContain("Nothing of the mask would be left");
  expect(story.editor.history.depth).toBe(0);
});

describe("a selected polygon", () => {
  const polygon = { segmentation: [[20, 20, 60, 20, 60, 60, 20, 60]], holes: [[30, 30, 40, 30, 40, 40, 30, 40]] };

  test("becomes a mask of the same pixels only when asked, and undoably", () => {
    const story = withBrush({ "brush-size": 10 });
    const key = story.given(polygon);
    const before = story.annotations;
    story.editor.select([key]);
    // What is needed is on the screen before the first stroke.
    expect(story.editor.hand.hints[0]).toEqual({ gesture: "Shift M", does: "turn the polygon into a mask, to paint on" });
    story.click(100, 50);
    expect(story.path).toBe("brush.offering");
    expect(story.editor.notice).toContain("made of polygons");
    expect(story.annotations).toEqual(before);
    story.key("Enter");
    expect(story.annotations).toMatchObject([{ holes: [] }]);
    expect(areaOf(story.annotations[0])).toBe(1600 - 100);
    story.click(100, 50);
    expect(areaOf(story.annotations[0])).toBeGreaterThan(1500);
    expect(story.key("Mod+Z").key("Mod+Z").annotations).toEqual(before);
  });

  test("is left alone by Escape, and the next stroke begins a new mask", () => {
    const story = withBrush();
    const before = story.annotations;
    story.editor.select([story.given(polygon)]);
    story.click(100, 50).key("Escape");
    expect(story.selected).toEqual([]);
    expect(story.path).toBe("brush.ready");
    story.click(100, 50);
    expect(story.annotations).toHaveLength(before.length + 2);
  });
});

describe("where other objects are", () => {
  const other = rectangle(50, 0, 50, 100);
  const given = (story: Story) => {
    story.given({ segmentation: mask(other, false), category_id: CUP.id });
    story.given({ segmentation: [[120, 0, 140, 0, 140, 100, 120, 100]] });
  };
  const line = stroke([[20, 50], [180, 50]], 5);

  test("a mask that is wholly painted over keeps its pixels, which is said", () => {
    const story = withBrush({ "brush-size": 30, "paint-limit": "take" });
    story.given({ segmentation: mask(rectangle(50, 50, 4, 4)) });
    const [before] = story.annotations;
    story.click(52, 52);
    expect(story.annotations[0]).toBe(before);
    expect(story.annotations).toHaveLength(2);
    expect(story.editor.notice).toContain("keeps its pixels");
  });

  test("paint lies over them", () => {
    const story = withBrush({ "brush-size": 10, "paint-limit": "over" });
    given(story);
    story.press(20, 50).move(180, 50).release();
    expect(covered(story.annotations[2])).toEqual(line);
    expect(covered(story.annotations[0])).toEqual(other);
  });

  test("or stays in the free space", () => {
    const story = withBrush({ "brush-size": 10, "paint-limit": "free" });
    given(story);
    story.press(20, 50).move(180, 50).release();
    const taken = unite(other, rectangle(120, 0, 20, 100));
    expect(covered(story.annotations[2])).toEqual(without(line, taken));
  });

  test("or takes the pixels from other masks, in the same step, and leaves polygons and locked masks", () => {
    const story = withBrush({ "brush-size": 10, "paint-limit": "take" });
    given(story);
    const locked = story.given({ segmentation: mask(rectangle(150, 0, 10, 100)) });
    story.editor.view.locked.add(locked);
    const before = story.annotations;
    story.press(20, 50).move(180, 50).release();
    expect(story.annotations[0]?.segmentation).toEqual(mask(without(other, line), false));
    expect(story.annotations.slice(1, 3)).toEqual(before.slice(1, 3));
    expect(covered(story.annotations[3])).toEqual(line);
    story.key("Mod+Z");
    expect(story.annotations).toEqual(before);
  });
});

test("what cannot be painted on says why and stays as it is", () => {
  const story = withBrush();
  const masks = [
    { size: [10, 10] as const, counts: [0, 100] },
    { size: SIZE, counts: [3] },
  ];
  for (const segmentation of masks) {
    story.editor.select([story.given({ segmentation })]);
    story.click(30, 30);
    expect(story.editor.notice).toContain("does not fit the image");
  }
  const locked = story.given({ segmentation: mask(rectangle(20, 20, 60, 60)) });
  story.editor.select([locked]);
  story.key("L").click(30, 30);
  expect(story.editor.notice).toContain("locked");
  expect(story.annotations.slice(0, 2).map(({ segmentation }) => segmentation)).toEqual(masks);
  expect(story.editor.history.depth).toBe(0);
});

test("keys change the size of the tip, in the middle of a stroke too", () => {
  const story = withBrush({ "brush-size": 10 });
  const radius = (): number | undefined => story.editor.hand.preview.tip?.radius;
  story.move(50, 50);
  expect(radius()).toBe(5);
  story.press(50, 50).key("]").move(100, 50).key("[").key("[").release();
  expect(radius()).toBe(4);
  expect(intersect(covered(story.annotations[0]), rectangle(75, 55, 1, 1))).toHaveLength(2);
});

test("Shift and a click goes on in a straight line", () => {
  const story = withBrush({ "brush-size": 4 });
  story.click(20, 20).click(100, 60, { shift: true });
  expect(covered(story.annotations[0])).toEqual(stroke([[20, 20], [100, 60]], 2));
});

test("two fingers drop the stroke and zoom", () => {
  const story = withBrush();
  const finger = (pointerId: number) => ({ device: "touch", pointerId }) as const;
  story.press(20, 20, finger(1)).move(60, 20, finger(1)).press(90, 90, finger(2));
  story.move(95, 95, finger(2)).release(95, 95, finger(2)).release(60, 20, finger(1));
  expect(story.annotations).toEqual([]);
  expect(story.path).toBe("brush.ready");
});

test("viewers have no brush", () => {
  const story = new Story({ readOnly: true }).key("M");
  expect(story.path).toBe("select.idle");
});

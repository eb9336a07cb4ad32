/** Masks under the hand of the select tool: by whole pixels, and never out of the image. */

import fc from "fast-check";
import { expect, test } from "vitest";

import { decode, encode, type Rle } from "../../src/geometry/rle";
import * as shapes from "../../src/shapes";
import { Story } from "../story";
import { covered, mask, rectangle, SIZE } from "./pixels";

const [HEIGHT, WIDTH] = SIZE;

function withMask(extra: object = {}): Story {
  const story = new Story();
  story.editor.select([story.given({ segmentation: mask(rectangle(20, 20, 40, 30)), ...extra })]);
  return story;
}

test("a drag moves a mask by whole pixels, with all that belongs to it, as one step", () => {
  const story = withMask({ bbox: [10.5, 15, 60, 50], keypoints: [30, 30, 2, 0, 0, 0, 40.5, 35, 1], attributes: { a: 1 } });
  const [before] = story.annotations;
  story.press(25, 45).move(35.2, 46.4);
  expect(story.path).toBe("select.moving");
  story.move(45.4, 49.6).release();
  expect(story.annotations).toEqual([
    {
      ...before,
      segmentation: mask(rectangle(40, 25, 40, 30)),
      bbox: [30.5, 20, 60, 50],
      keypoints: [50, 35, 2, 0, 0, 0, 60.5, 40, 1],
    },
  ]);
  expect(story.editor.history.depth).toBe(1);
  expect(story.key("Mod+Z").annotations[0]).toBe(before);
});

test("an uncompressed crowd stays one", () => {
  const story = withMask({ segmentation: mask(rectangle(20, 20, 40, 30), false), iscrowd: 1 }).drag([40, 35], [45, 35]);
  expect(story.annotations).toMatchObject([{ segmentation: mask(rectangle(25, 20, 40, 30), false), iscrowd: 1 }]);
});

test("it goes to the edge of the image and no further, and what is moved with it keeps its distance", () => {
  const story = withMask();
  story.editor.select([...story.selected, story.given({ bbox: [100.25, 20, 10, 10] })]);
  story.drag([40, 35], [0, -30]);
  expect(covered(story.annotations[0])).toEqual(rectangle(0, 0, 40, 30));
  expect(story.annotations[1]?.bbox).toEqual([80.25, 0, 10, 10]);
});

test("arrow keys move it by one or ten pixels, and say where it is at the edge", () => {
  const story = withMask().key("ArrowLeft").key("Shift+ArrowDown").key("Shift+ArrowLeft").key("Shift+ArrowLeft");
  expect(covered(story.annotations[0])).toEqual(rectangle(0, 30, 40, 30));
  story.key("ArrowLeft");
  expect(story.editor.notice).toContain("edge of the image");
  expect(covered(story.key("Mod+Z").annotations[0])).toEqual(rectangle(20, 20, 40, 30));
});

test("Escape puts it back, and less than a pixel changes nothing", () => {
  const story = withMask();
  const [before] = story.annotations;
  story.press(40, 35).move(60, 50).key("Escape").release();
  expect(story.annotations[0]).toBe(before);
  // So large that a hand can be as fine as that.
  story.editor.moveCamera({ scale: 20, x: 0, y: 0 });
  story.drag([800, 700], [808, 708]);
  expect(story.annotations[0]).toBe(before);
  expect(story.editor.history.depth).toBe(0);
});

test.each<[string, Rle]>([
  ["of another size", { size: [50, 50], counts: [100, 100, 2300] }],
  ["that cannot be read", { size: [...SIZE], counts: [3] }],
  ["without a pixel", { size: [...SIZE], counts: [HEIGHT * WIDTH] }],
])("a mask %s stays as it is, and that is said", (_, segmentation) => {
  const story = withMask({ segmentation });
  const [before] = story.annotations;
  story.key("ArrowRight");
  expect(story.annotations[0]).toBe(before);
  expect(story.editor.notice).toContain("stays as it is");
});

test("its outline goes along, just as it would be traced anew", () => {
  const story = withMask({ segmentation: encode(Uint8Array.from({ length: HEIGHT * WIDTH }, (_, i) => Number(i % 7 < 3 && i > 3_000 && i < 9_000 && i % 100 > 10 && i % 100 < 60)), SIZE) });
  const [key] = story.selected;
  const before = story.annotations[0]!;
  const outline = shapes.outline(before, shapes.NO_CONTEXT);
  story.key("Shift+ArrowRight").key("ArrowDown").key("ArrowDown");
  const after = story.editor.document.get(key!)!;
  expect(shapes.movedOutline(before, outline, after)).toEqual(shapes.outline(after, shapes.NO_CONTEXT));
  story.key("2");
  expect(shapes.movedOutline(before, outline, story.editor.document.get(key!)!)).toBeNull();
});

test("whatever the mask, it has the same pixels elsewhere, and comes back to the same mask", () => {
  const size = [6, 9] as const;
  const pixels = fc.array(fc.boolean(), { minLength: 54, maxLength: 54 });
  const by = fc.tuple(fc.integer({ min: -10, max: 10 }), fc.integer({ min: -10, max: 10 }));
  fc.assert(
    fc.property(pixels, by, (set, [dx, dy]) => {
      const story = new Story();
      story.editor.image = { ...story.editor.image, height: 6, width: 9 };
      const before = encode(Uint8Array.from(set.map(Number)), size);
      story.editor.select([story.given({ segmentation: before })]);
      const [annotation] = story.annotations;
      const [x, y] = shapes.reach([annotation!], dx, dy);
      const moved = shapes.move(annotation!, x, y);
      if (!moved) return expect(set).not.toContain(true);
      const found = decode(moved.segmentation as Rle);
      const wanted = new Uint8Array(54);
      set.forEach((one, i) => {
        if (one) wanted[i + 6 * x + y] = 1;
      });
      expect(found).toEqual(wanted);
      expect(shapes.move(moved, -x, -y)?.segmentation).toEqual(before);
    }),
  );
});

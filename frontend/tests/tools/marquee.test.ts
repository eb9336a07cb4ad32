import { expect, test } from "vitest";

import { CUP, PERSON, Story } from "../story";

/** A box, a polygon, a bar of mask and a nose, from left to right. */
function row(): { story: Story; keys: ReturnType<Story["given"]>[] } {
  const story = new Story();
  const keys = [
    story.given({ bbox: [10, 40, 20, 20] }),
    story.given({ segmentation: [[50, 40, 70, 40, 70, 60, 50, 60]], category_id: CUP.id }),
    // 100 rows, 200 columns: the rows 40 to 59 of the columns 90 and 91.
    story.given({ segmentation: { size: [100, 200], counts: [9040, 20, 80, 20, 10840] } }),
    story.given({ keypoints: [130, 50, 2, 140, 50, 1, 0, 0, 0] }),
  ];
  return { story, keys };
}

test("a drag to the right selects what lies inside, one to the left all that it touches", () => {
  const { story, keys } = row();
  expect(story.drag([5, 30], [80, 70]).selected).toEqual(keys.slice(0, 2));
  expect(story.drag([20, 30], [135, 70]).selected).toEqual(keys.slice(1, 3));
  expect(story.drag([135, 70], [20, 30]).selected).toEqual(keys);
});

test("the marquee is shown with what it would select, and Escape drops it", () => {
  const { story, keys } = row();
  story.click(20, 50).press(45, 30).move(80, 70);
  expect(story.path).toBe("select.spanning");
  expect(story.editor.hand.preview.marquee).toEqual({
    bounds: { left: 45, top: 30, right: 80, bottom: 70 },
    touching: false,
  });
  expect(story.editor.hand.hints[0]?.does).toContain("select 1 inside");
  expect(story.key("Escape").release().selected).toEqual([keys[0]]);
  expect(story.editor.history.undoLabel).toBeNull();
});

test("Shift adds to the selection; an empty marquee selects nothing", () => {
  const { story, keys } = row();
  story.click(20, 50).drag([45, 30], [80, 70], { shift: true });
  expect(story.selected).toEqual(keys.slice(0, 2));
  expect(story.drag([150, 70], [190, 90]).selected).toEqual([]);
});

test("with Ctrl it begins on an object, too, and a click adds", () => {
  const { story, keys } = row();
  const wall = story.given({ bbox: [0, 0, 200, 100] });
  expect(story.drag([5, 30], [80, 70], { primary: true }).selected).toEqual(keys.slice(0, 2));
  expect(story.click(91, 50, { primary: true }).selected).toEqual(keys.slice(0, 3));
  expect(story.click(91, 50, { primary: true }).selected).toEqual(keys.slice(0, 2));
  expect(story.annotations.at(-1)?.bbox).toEqual([0, 0, 200, 100]);
  expect(story.selected).not.toContain(wall);
});

test("a marquee in a hole or beside the pixels of a mask touches nothing", () => {
  const story = new Story();
  const ring = story.given({
    segmentation: [[10, 10, 60, 10, 60, 60, 10, 60]],
    holes: [[20, 20, 50, 20, 50, 50, 20, 50]],
  });
  const mask = story.given({ segmentation: { size: [100, 200], counts: [9040, 0, 0, 20, 10940] } });
  expect(story.drag([45, 45], [25, 25]).selected).toEqual([]);
  expect(story.drag([45, 45], [15, 25]).selected).toEqual([ring]);
  // A rectangle wholly inside the shape passes no outline.
  expect(story.drag([18, 58], [12, 52], { primary: true }).selected).toEqual([ring]);
  expect(story.drag([89.5, 80], [85, 20]).selected).toEqual([]);
  expect(story.drag([90.5, 39], [85, 20]).selected).toEqual([]);
  expect(story.drag([90.5, 41], [85, 20]).selected).toEqual([mask]);
});

test("hidden and locked objects are left out; a viewer selects, too", () => {
  const { story, keys } = row();
  story.editor.view.hidden.add(keys[0]!);
  story.editor.view.locked.add(keys[1]!);
  expect(story.drag([150, 70], [5, 30]).selected).toEqual(keys.slice(2));
  const viewer = new Story({ readOnly: true });
  const key = viewer.given({ bbox: [10, 40, 20, 20] });
  expect(viewer.drag([5, 30], [80, 70]).selected).toEqual([key]);
});

test("everything of the selection's categories, or of the current one, is selected by a key", () => {
  const { story, keys } = row();
  const { editor } = story;
  editor.chooseCategory(CUP.id);
  expect(story.key("Mod+Shift+A").selected).toEqual([keys[1]]);
  story.click(20, 50);
  expect(editor.document.get(keys[0]!)?.category_id).toBe(PERSON.id);
  expect(story.key("Mod+Shift+A").selected).toEqual([keys[0], keys[2], keys[3]]);
});

test("the selection is inverted, but for what is hidden or locked", () => {
  const { story, keys } = row();
  story.editor.view.locked.add(keys[3]!);
  expect(story.click(20, 50).key("Mod+I").selected).toEqual([keys[1], keys[2]]);
  expect(story.key("Mod+I").selected).toEqual([keys[0]]);
});

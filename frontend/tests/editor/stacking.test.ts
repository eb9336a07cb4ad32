import { expect, test } from "vitest";

import { DEFAULT_LOOK, instanceColor, luminance } from "../../src/editor/look";
import { zOrder } from "../../src/editor/stacking";
import { Story } from "../story";

function pile() {
  const story = new Story();
  const small = story.given({ bbox: [40, 40, 10, 10] });
  const large = story.given({ bbox: [10, 10, 80, 80], attributes: { worn: true } });
  const apart = story.given({ bbox: [150, 10, 20, 20] });
  return { story, small, large, apart };
}

test("of two that overlap the smaller one is picked, until the larger one is brought forward", () => {
  const { story, small, large } = pile();
  story.click(45, 45);
  expect(story.selected).toEqual([small]);
  story.click(20, 20).key("Mod+]");
  expect(story.editor.document.get(large)?.attributes).toEqual({ worn: true, z_order: 1 });
  story.key("Escape").click(45, 45);
  expect(story.selected).toEqual([large]);
  // Back again, nothing of it is left in the annotation.
  story.key("Mod+[");
  expect(zOrder(story.editor.document.get(large)!)).toBe(-1);
  expect(story.key("Mod+Z").key("Mod+Z").editor.document.get(large)?.attributes).toEqual({ worn: true });
});

test("sending the small one back puts it below; what overlaps nothing is left alone", () => {
  const { story, small, apart } = pile();
  story.click(45, 45).key("Mod+[");
  expect(zOrder(story.editor.document.get(small)!)).toBe(-1);
  story.click(160, 20).key("Mod+]");
  expect(story.editor.document.get(apart)?.attributes).toEqual({});
  expect(story.editor.notice).toContain("Nothing lies above");
});

test("isolating shows the selection alone, and everything as it was when asked again", () => {
  const { story, small, large, apart } = pile();
  story.click(160, 20).key("H").click(45, 45).key("Shift+I");
  expect([small, large, apart].map((key) => story.editor.visible(key))).toEqual([true, false, false]);
  story.key("Escape").key("Shift+I");
  expect([small, large, apart].map((key) => story.editor.visible(key))).toEqual([true, true, false]);
});

test("objects have colours of their own when asked, well apart for ids in a row", () => {
  const { story, small, large } = pile();
  const { editor } = story;
  expect(editor.colorOf(small)).toBe(editor.colorOf(large));
  editor.setLook({ ...DEFAULT_LOOK, colorBy: "instance" });
  // Their keys are made at random, and so two of them may have the same colour.
  for (const key of [small, large]) expect(editor.colorOf(key)).toBe(instanceColor(key));
  const colors = Array.from({ length: 40 }, (_, i) => instanceColor(`id-${1000 + i}`));
  expect(new Set(colors).size).toBe(40);
  expect(colors.every((color) => /^#[0-9a-f]{6}$/.test(color))).toBe(true);
});

test("luminance is that of WCAG", () => {
  expect(luminance("#ffffff")).toBeCloseTo(1);
  expect(luminance("#000000")).toBe(0);
  expect(luminance("#808080")).toBeCloseTo(0.2159, 3);
});

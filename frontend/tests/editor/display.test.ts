import { expect, test } from "vitest";

import { DEFAULT_DISPLAY, hasTones, readDisplay, tonesOf, withoutTones } from "../../src/editor/display";
import { screenPoint } from "../../src/geometry/point";
import { Story } from "../story";

const shown = (change: Partial<typeof DEFAULT_DISPLAY>, value: number): number => {
  const { amplitude, exponent, offset } = tonesOf({ ...DEFAULT_DISPLAY, ...change });
  return amplitude * value ** exponent + offset;
};

test("tones do what their names say, and nothing by default", () => {
  expect(hasTones(DEFAULT_DISPLAY)).toBe(false);
  expect(shown({}, 0.3)).toBeCloseTo(0.3);
  expect(shown({ brightness: 1.5 }, 0.4)).toBeCloseTo(0.6);
  expect(shown({ contrast: 2 }, 0.5), "the middle stays").toBeCloseTo(0.5);
  expect(shown({ contrast: 2 }, 0.75)).toBeCloseTo(1);
  expect(shown({ gamma: 2 }, 0.25)).toBeCloseTo(0.5);
  expect(shown({ invert: true, contrast: 2 }, 0.75)).toBeCloseTo(0);
  expect(tonesOf({ ...DEFAULT_DISPLAY, channel: "green" }).matrix).toMatch(/^0 1 0 0 0 0 1 0 0 0 0 1 0 0 0/);
  const odd = { ...DEFAULT_DISPLAY, gamma: 2, crosshair: true };
  expect(withoutTones(odd)).toEqual({ ...DEFAULT_DISPLAY, crosshair: true });
});

test("what was kept is taken as far as it makes sense", () => {
  expect(readDisplay(null)).toEqual(DEFAULT_DISPLAY);
  expect(readDisplay({ gamma: 2, channel: "infrared", contrast: -1, invert: "yes", more: 1 })).toEqual({
    ...DEFAULT_DISPLAY,
    gamma: 2,
  });
});

test("R, Shift N and Alt O change how the picture is shown and no annotation", () => {
  const story = new Story();
  story.given({ bbox: [10, 10, 20, 20] });
  const before = story.annotations;
  story.key("R").key("Shift+N");
  expect(story.editor.view.display).toMatchObject({ crosshair: true, minimap: true });
  story.editor.setDisplay({ ...story.editor.view.display, gamma: 2 });
  story.key("Alt+O");
  expect(story.editor.view.display).toMatchObject({ gamma: 1, crosshair: true });
  expect(story.annotations).toEqual(before);
});

test("0 shows a pixel of the image as one of the page, where the middle was", () => {
  const { editor } = new Story().key("F").key("+").key("0");
  expect(editor.camera.scale).toBeCloseTo(1);
  const middle = editor.toImage(screenPoint(100, 50));
  expect([middle.x, middle.y].map(Math.round)).toEqual([100, 50]);
});

test("Z shows the selection as large as it fits, in the middle", () => {
  const story = new Story();
  const key = story.given({ bbox: [100, 40, 20, 10] });
  const { editor } = story;
  story.key("Z");
  expect(editor.camera.scale, "nothing is selected").toBe(1);
  editor.select([key]);
  story.key("Z");
  const { scale, x, y } = editor.camera;
  expect(scale).toBeGreaterThan(5);
  expect(110 * scale + x).toBeCloseTo(100);
  expect(45 * scale + y).toBeCloseTo(50);
});

import { expect, test } from "vitest";

import { DEFAULT_LOOK } from "../../src/editor/look";
import { dotRadius, hoverStyle, normalStyle } from "../../src/render/paint";

test("objects are as opaque as asked, or outlines only; a dark colour has a light line around it", () => {
  expect(normalStyle("#3366cc", { ...DEFAULT_LOOK, fillOpacity: 0.7 }).fillAlpha).toBe(0.7);
  const outlined = { ...DEFAULT_LOOK, outlineOnly: true };
  expect([normalStyle("#3366cc", outlined).fillAlpha, hoverStyle("#3366cc", outlined).fillAlpha]).toEqual([0, 0]);
  expect(normalStyle("#ffcc00", DEFAULT_LOOK).strokes).toHaveLength(1);
  expect(normalStyle("#000022", DEFAULT_LOOK).strokes).toHaveLength(2);
});

test("the points of a pose that is small on the screen do not hide it", () => {
  expect(dotRadius(Infinity), "one point alone").toBe(4);
  expect(dotRadius(400)).toBe(4);
  expect(dotRadius(90)).toBe(2);
  expect(dotRadius(10), "never too small to be seen").toBe(1.5);
});

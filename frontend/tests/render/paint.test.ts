import { afterEach, expect, test, vi } from "vitest";

import { DEFAULT_LOOK } from "../../src/editor/look";
import type { Context } from "../../src/render/layer";
import { dotRadius, drawingOf, hoverStyle, normalStyle, paint, refusedStyle, type Style } from "../../src/render/paint";

afterEach(() => vi.unstubAllGlobals());

/** Of each stroke of a triangle, how wide it is and how far from its place, in device pixels. */
function strokes(style: Style, ratio: number): [width: number, dx: number, dy: number][] {
  const found: [number, number, number][] = [];
  const scale = 4 * ratio;
  let [dx, dy] = [0, 0];
  const context = {
    lineWidth: 0,
    fill: () => undefined,
    setLineDash: () => undefined,
    translate: (x: number, y: number) => ([dx, dy] = [dx + x, dy + y]),
    stroke: () => found.push([context.lineWidth * scale, dx * scale, dy * scale]),
  };
  vi.stubGlobal("Path2D", class {
    moveTo = () => undefined;
    lineTo = () => undefined;
    closePath = () => undefined;
  });
  const outline = { areas: [{ rings: [[0, 0, 9, 0, 9, 9]], cut: [] }], lines: [], dots: [] };
  const within = { left: 0, top: 0, right: 25, bottom: 25 };
  paint(context as unknown as Context, drawingOf(outline), style, { scale: 4, ratio, within });
  expect([dx, dy].map((at) => Math.abs(at) < 1e-9), "where it was before").toEqual([true, true]);
  return found;
}

test("a line that is hardly wider than a device pixel is three hairlines around its place", () => {
  const fine = strokes(normalStyle("#ffcc00", DEFAULT_LOOK), 1);
  expect(fine.map(([width]) => width < 1 && width > 0.9)).toEqual([true, true, true]);
  for (const [, dx, dy] of fine) expect(Math.hypot(dx, dy)).toBeCloseTo(0.25);
  for (const at of [1, 2]) expect(fine.reduce((sum, each) => sum + each[at]!, 0)).toBeCloseTo(0);
});

test("a wider line, one of a single device pixel, a dashed one and a light one around a dark one are drawn once", () => {
  expect(strokes(normalStyle("#ffcc00", DEFAULT_LOOK), 2)).toEqual([[3, 0, 0]]);
  expect(strokes(normalStyle("#ffcc00", DEFAULT_LOOK), 0.5)).toEqual([[0.75, 0, 0]]);
  expect(strokes(normalStyle("#000022", DEFAULT_LOOK), 0.5)[0], "one lets through what is below it").toEqual([1.75, 0, 0]);
  expect(strokes({ ...refusedStyle("#ffcc00"), strokes: [{ color: "#ffcc00", width: 1.5 }] }, 1)).toEqual([[1.5, 0, 0]]);
});

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

import { expect, test, vi } from "vitest";

import { DEFAULT_LOOK } from "../../src/editor/look";
import type { Bounds } from "../../src/geometry/bounds";
import { Crowding } from "../../src/geometry/crowding";
import { newDrawing, paint, selectedStyle } from "../../src/render/paint";
import { NO_OUTLINE, type Outline } from "../../src/shapes/shape";
import { countedCanvas, type Drawn } from "./counted";

const WHOLE: Bounds = { left: 0, top: 0, right: 4000, bottom: 3000 };
const STYLE = selectedStyle("#3366cc", DEFAULT_LOOK);

function draw(outline: Outline, scale: number, within = WHOLE): Drawn {
  const { context, drawn } = countedCanvas(scale);
  paint(context, newDrawing(outline), STYLE, { scale, ratio: 1, within });
  return drawn;
}

function around(points: number, radius: (i: number) => number): Outline {
  const ring = Array.from({ length: points }, (_, i) => {
    const angle = (2 * Math.PI * i) / points;
    return [2000 + radius(i) * Math.cos(angle), 1500 + radius(i) * Math.sin(angle)];
  }).flat();
  return { ...NO_OUTLINE, areas: [{ rings: [ring], cut: [] }] };
}

test("of 120,000 points as many are drawn as the screen can show apart", () => {
  const smooth = around(120_000, (i) => 1200 + 60 * Math.sin(i / 500));
  const { points, fills } = draw(smooth, 0.25);
  expect(points, "a circumference of some 2,000 CSS pixels").toBeLessThan(40_000);
  expect(fills).toBe(1);
});

test("zoomed in, what is out of sight is not drawn", () => {
  const smooth = around(120_000, (i) => 1200 + 60 * Math.sin(i / 500));
  const { points, strokes } = draw(smooth, 16, { left: 3150, top: 1470, right: 3240, bottom: 1526 });
  expect(strokes).toBeGreaterThan(1);
  expect(points).toBeLessThan(8_000);
});

test("spikes that lie closer than their lines are wide are a tint without lines, which no browser has to fill", () => {
  const star = around(60_000, (i) => (i % 2 === 0 ? 1200 : 800));
  expect(draw(star, 0.25)).toEqual({ points: 0, strokes: 0, fills: 0, pictures: [0.4] });
  const { strokes } = draw(star, 64, { left: 3190, top: 1499, right: 3201, bottom: 1501 });
  expect(strokes, "large enough, the lines are there").toBeGreaterThan(0);
});

test("while one pans nothing is looked for anew", () => {
  const wavy = newDrawing(around(60_000, (i) => 1000 + 100 * Math.sin(i / 5)));
  const searched = vi.spyOn(Crowding.prototype, "crowds");
  const { context, drawn } = countedCanvas(0.25);
  for (const left of [0, 20, 40]) paint(context, wavy, STYLE, { scale: 0.25, ratio: 1, within: { ...WHOLE, left } });
  expect(searched).toHaveBeenCalledOnce();
  searched.mockRestore();
  expect(drawn.pictures.length + drawn.fills).toBe(3);
});

test("lines crowd a square that has too much of them, and one that has such squares around it", () => {
  const crowding = new Crowding({ left: 0, top: 0, right: 100, bottom: 100 }, 10);
  for (let x = 20.5; x < 40; x += 2) crowding.add(x, 20, x, 40);
  crowding.add(5, 0, 5, 100);
  const { isCrowded, share } = crowding.crowds(0.3);
  expect([isCrowded(25, 25), isCrowded(35, 35)]).toEqual([true, true]);
  expect([isCrowded(5, 45), isCrowded(25, 85), isCrowded(-5, 45)], "one line alone does not").toEqual([false, false, false]);
  expect(share).toBeCloseTo(4 / 12);
  expect(crowding.crowds(0.6).share).toBe(0);
});

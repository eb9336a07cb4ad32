import { afterEach, expect, test, vi } from "vitest";

import { DEFAULT_LOOK } from "../../src/editor/look";
import type { Bounds } from "../../src/geometry/bounds";
import { Crowding } from "../../src/geometry/crowding";
import { changedAround, hoverStyle, newDrawing, paint, selectedStyle } from "../../src/render/paint";
import { changedExtent } from "../../src/render/repaint";
import { NO_OUTLINE, type Outline } from "../../src/shapes/shape";
import { countedCanvas, type Drawn } from "./counted";

afterEach(() => vi.unstubAllGlobals());

const WHOLE: Bounds = { left: 0, top: 0, right: 4000, bottom: 3000 };
const STYLE = selectedStyle("#3366cc", DEFAULT_LOOK);

function draw(outline: Outline, scale: number, within = WHOLE, style = STYLE): Drawn {
  const { context, drawn } = countedCanvas(scale);
  paint(context, newDrawing(outline), style, { scale, ratio: 1, within });
  return drawn;
}

function around(points: number, radius: (i: number) => number): Outline {
  const ring = Array.from({ length: points }, (_, i) => {
    const angle = (2 * Math.PI * i) / points;
    return [2000 + radius(i) * Math.cos(angle), 1500 + radius(i) * Math.sin(angle)];
  }).flat();
  return { ...NO_OUTLINE, areas: [{ rings: [ring], cut: [] }] };
}

/** Teeth that go down from a straight back, and how far it is from each to the next. */
function comb(deep: number, ...steps: number[]): Outline {
  let x = 0;
  const ring = steps.flatMap((step) => [x, 1000, x + step / 2, 1000 + deep, (x += step), 1000].slice(0, 4));
  return { ...NO_OUTLINE, areas: [{ rings: [[...ring, x, 1000]], cut: [] }] };
}

const times = (count: number, step: number): number[] => new Array<number>(count).fill(step);

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

test("where there is no tint, crowded lines are drawn all the same", () => {
  const shape = comb(400, ...times(500, 2), ...times(60, 50));
  const look = (outlineOnly: boolean) => hoverStyle("#3366cc", { ...DEFAULT_LOOK, outlineOnly });
  expect(draw(shape, 0.25, WHOLE, look(false)).points, "the teeth that are far apart").toBeLessThan(200);
  const { points, fills, pictures } = draw(shape, 0.25, WHOLE, look(true));
  expect([points > 1000, fills, pictures]).toEqual([true, 0, []]);
});

test("when a point moves it is known how far away lines come and go because of it", () => {
  const moves = (deep: number, step: number) =>
    Array.from({ length: 30 }, (_, i) => {
      const before = comb(deep, ...times(600, step));
      const ring = [...before.areas[0]!.rings[0]!];
      // The end of a tooth, from one side of the back to the other.
      ring[2 * (2 * i + 301) + 1]! -= deep;
      const after = { ...before, areas: [{ rings: [ring], cut: [] }] };
      countedCanvas(1);
      const shown = { scale: 1, ratio: 1, within: { ...WHOLE, right: 8000 } };
      return { moved: changedExtent(before, after)![0]!, around: changedAround(newDrawing(before), newDrawing(after), shown) };
    });
  for (const { around } of moves(24, 11)) expect(around, "nothing is crowded").toEqual([]);
  for (const { moved, around } of moves(120, 11)) {
    expect(around![0]!.left, "a square or two away").toBeLessThan(moved.left - 24);
    expect(around![0]!.right).toBeLessThan(moved.right + 96);
  }
  expect(moves(72, 12.5).map(({ around }) => around), "half of it was crowded, or is").toContain(null);
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

test("the squares lie where they lay when what they hold becomes larger, even where they are larger themselves", () => {
  const seen = (bounds: Bounds): boolean[] => {
    const crowding = new Crowding(bounds, 10);
    for (let x = 20.5; x < 40; x += 2) crowding.add(x, 20, x, 40);
    const { isCrowded } = crowding.crowds(0.3);
    return Array.from({ length: 100 }, (_, i) => isCrowded(3 + (i % 10) * 5, 3 + Math.floor(i / 10) * 5));
  };
  const before = seen({ left: 0, top: 0, right: 100, bottom: 100 });
  expect(new Set(before).size).toBe(2);
  expect(seen({ left: -3, top: -17, right: 104, bottom: 100 })).toEqual(before);
  const far = { left: 0, top: 0, right: 5200, bottom: 5200 };
  expect(seen({ ...far, right: 5300, left: -7 })).toEqual(seen(far));
});

import { beforeEach, expect, test, vi } from "vitest";

import { DEFAULT_LOOK } from "../../src/editor/look";
import type { Bounds } from "../../src/geometry/bounds";
import { Crowding } from "../../src/geometry/crowding";
import type { Context } from "../../src/render/layer";
import { paint, selectedStyle } from "../../src/render/paint";
import { NO_OUTLINE, type Outline } from "../../src/shapes/shape";

const WHOLE: Bounds = { left: 0, top: 0, right: 4000, bottom: 3000 };
const STYLE = selectedStyle("#3366cc", DEFAULT_LOOK);

/** What a canvas was asked to draw. */
const drawn = { points: 0, strokes: 0, fills: 0, pictures: 0, alphas: [] as number[] };

class CountedPath {
  moveTo(): void {
    drawn.points += 1;
  }
  lineTo(): void {
    drawn.points += 1;
  }
  rect(): void {}
  closePath(): void {}
}

class CountedCanvas {
  constructor(
    public width: number,
    public height: number,
  ) {}
  getContext(): Partial<Record<string, unknown>> {
    return { clearRect: () => undefined, putImageData: () => undefined, fillRect: () => undefined };
  }
}

beforeEach(() => {
  Object.assign(drawn, { points: 0, strokes: 0, fills: 0, pictures: 0, alphas: [] });
  vi.stubGlobal("Path2D", CountedPath);
  vi.stubGlobal("OffscreenCanvas", CountedCanvas);
  vi.stubGlobal(
    "ImageData",
    class {
      readonly data: Uint8ClampedArray;
      constructor(width: number, height: number) {
        this.data = new Uint8ClampedArray(4 * width * height);
      }
    },
  );
});

function draw(outline: Outline, scale: number, within = WHOLE): typeof drawn {
  const context = {
    globalAlpha: 1,
    setLineDash: () => undefined,
    save: () => undefined,
    restore: () => undefined,
    clip: () => undefined,
    stroke: () => (drawn.strokes += 1),
    fill: () => (drawn.fills += 1),
    drawImage() {
      drawn.pictures += 1;
      drawn.alphas.push(this.globalAlpha);
    },
    getTransform: () => ({ a: scale, e: 0, f: 0 }),
  };
  paint(context as unknown as Context, outline, STYLE, { scale, ratio: 1, within });
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
  expect(draw(smooth, 0.25).points, "a circumference of some 2,000 CSS pixels").toBeLessThan(40_000);
  expect(drawn.fills).toBe(1);
});

test("zoomed in, what is out of sight is not drawn", () => {
  const smooth = around(120_000, (i) => 1200 + 60 * Math.sin(i / 500));
  draw(smooth, 16, { left: 3150, top: 1470, right: 3240, bottom: 1526 });
  expect(drawn.strokes).toBeGreaterThan(1);
  expect(drawn.points).toBeLessThan(8_000);
});

test("spikes that lie closer than their lines are wide are a tint without lines, which no browser has to fill", () => {
  const star = around(60_000, (i) => (i % 2 === 0 ? 1200 : 800));
  draw(star, 0.25);
  expect([drawn.strokes, drawn.fills, drawn.pictures]).toEqual([0, 0, 1]);
  expect(drawn.alphas).toEqual([0.4]);
  draw(star, 64, { left: 3190, top: 1499, right: 3201, bottom: 1501 });
  expect(drawn.strokes, "large enough, the lines are there").toBeGreaterThan(0);
});

test("lines crowd a square that they would cover half of", () => {
  const crowding = new Crowding({ left: 0, top: 0, right: 100, bottom: 100 }, 10);
  for (let x = 20; x < 30; x += 2) crowding.add(x + 0.5, 40, x + 0.5, 50);
  crowding.add(5, 0, 5, 100);
  expect(crowding.isCrowded(25, 45, 2)).toBe(true);
  expect(crowding.isCrowded(25, 45, 0.5)).toBe(false);
  expect([crowding.isCrowded(5, 45, 4), crowding.isCrowded(25, 55, 4), crowding.isCrowded(-5, 45, 4)]).toEqual([false, false, false]);
});

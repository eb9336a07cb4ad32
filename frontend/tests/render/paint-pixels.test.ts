import { afterEach, expect, test, vi } from "vitest";

import fc from "fast-check";

import { DEFAULT_LOOK } from "../../src/editor/look";
import { finishedPixels } from "../../src/editor/pixels";
import { Crowding } from "../../src/geometry/crowding";
import { Places, rleOf, type PixelSize } from "../../src/geometry/runs";
import { EMPTY_ANNOTATION, newKey } from "../../src/model/records";
import { selectedStyle } from "../../src/render/paint";
import { bordersOf, noteBorders, type Cells } from "../../src/render/cell-borders";
import { lookAt, paintPixels } from "../../src/render/paint-pixels";
import * as shapes from "../../src/shapes";
import { countedCanvas } from "./counted";

afterEach(() => vi.unstubAllGlobals());

const SIZE: PixelSize = [200, 200];
const ALL = { left: 0, top: 0, right: 200, bottom: 200 };

/** A line one pixel wide, from corner to corner. */
function diagonal() {
  const places = new Places();
  for (let i = 0; i < 200; i++) places.run(i * 200 + i, i * 200 + i + 1);
  return places.taken();
}

test("however far one zooms out, no part of a thin shape is missed", () => {
  const pixels = finishedPixels(newKey(), EMPTY_ANNOTATION, diagonal(), SIZE);
  for (const side of [1, 7, 20]) {
    const { across, down, set } = lookAt(pixels, ALL, side);
    expect([across, down]).toEqual([Math.ceil(200 / side), Math.ceil(200 / side)]);
    for (let i = 0; i < across; i++) expect(set[i * down + i]).toBe(1);
    expect(set.filter((cell) => cell === 1)).toHaveLength(across);
  }
});

test("a gesture is looked at by the pixels in the middle of cells, so that what it takes away is seen to go", () => {
  const pixels = { ...finishedPixels(newKey(), EMPTY_ANNOTATION, diagonal(), SIZE), finished: null };
  expect([...lookAt(pixels, ALL, 1).set].filter((cell) => cell === 1)).toHaveLength(200);
});

test("a mask of very many runs, and nothing else, is drawn as pixels", () => {
  const places = new Places();
  for (let i = 0; i < 10_001; i++) places.run(2 * i, 2 * i + 1);
  const ragged = { ...EMPTY_ANNOTATION, segmentation: rleOf(places.taken(), [200, 200]) };
  expect(shapes.isRagged(ragged)).toBe(true);
  expect(shapes.isRagged({ ...ragged, keypoints: [1, 1, 2] })).toBe(false);
  expect(shapes.isRagged({ ...EMPTY_ANNOTATION, segmentation: rleOf(diagonal(), SIZE) })).toBe(false);
});

test("noise is a tint without lines; a clean shape, and one as thin as a hair, keep theirs", () => {
  const style = selectedStyle("#3366cc", DEFAULT_LOOK);
  const draw = (isSet: (x: number, y: number) => boolean) => {
    const places = new Places();
    for (let x = 0; x < 200; x++) for (let y = 0; y < 200; y++) if (isSet(x, y)) places.run(x * 200 + y, x * 200 + y + 1);
    const { context, drawn } = countedCanvas(1);
    paintPixels(context, finishedPixels(newKey(), EMPTY_ANNOTATION, places.taken(), SIZE), ALL, style, { scale: 1, ratio: 1 });
    return drawn;
  };
  const noise = (x: number, y: number): boolean => ((x * 7919 + y * 104_729 + x * y * 31) >> 3) % 2 === 0;
  expect(draw(noise).points).toBe(0);
  expect(draw(noise).pictures.at(-1)).toBe(0.4);
  const disc = draw((x, y) => Math.hypot(x - 100, y - 100) < 80);
  expect(disc.points, "all of its staircase").toBeGreaterThan(350);
  expect(disc.pictures).toEqual([style.fillAlpha]);
  expect(draw((x, y) => Math.abs(x - y) < 2).points).toBeGreaterThan(1000);
});

/** Lines of one cell, each of which is there once. */
function unitLines(lines: readonly number[], side: number): string[] {
  const found: string[] = [];
  for (let i = 0; i < lines.length; i += 4) {
    const [ax, ay, bx, by] = lines.slice(i, i + 4).map((value) => value / side) as [number, number, number, number];
    for (let x = ax; x < bx; x++) found.push(`${x},${ay} across`);
    for (let y = ay; y < by; y++) found.push(`${ax},${y} down`);
  }
  return found.sort();
}

test("the borders of cells are all there, once, but for those in crowded squares", () => {
  const all = fc.record({ side: fc.integer({ min: 1, max: 3 }), left: fc.nat(9), top: fc.nat(9), seed: fc.array(fc.boolean(), { minLength: 63, maxLength: 63 }) });
  fc.assert(
    fc.property(all, fc.integer({ min: 1, max: 12 }), fc.double({ min: 0, max: 1, noNaN: true }), ({ side, left, top, seed }, square, density) => {
      const cells: Cells = { side, left, top, across: 9, down: 7, set: Uint8Array.from(seed, Number) };
      const crowding = new Crowding({ left: left * side, top: top * side, right: (left + 9) * side, bottom: (top + 7) * side }, square);
      noteBorders(cells, crowding);
      const crowds = crowding.crowds(density);
      const at = (c: number, r: number): boolean => c >= 0 && r >= 0 && c < 9 && r < 7 && seed[c * 7 + r]!;
      const isCalm = (c: number, r: number): boolean =>
        !crowds.isCrowded((left + Math.min(c, 8) + 0.5) * side, (top + Math.min(r, 6) + 0.5) * side);
      const expected: string[] = [];
      for (let c = 0; c <= 9; c++) {
        for (let r = 0; r <= 7; r++) {
          if (!isCalm(c, r)) continue;
          if (c < 9 && at(c, r) !== at(c, r - 1)) expected.push(`${left + c},${top + r} across`);
          if (r < 7 && at(c, r) !== at(c - 1, r)) expected.push(`${left + c},${top + r} down`);
        }
      }
      expect(unitLines(bordersOf(cells, crowding, crowds), side)).toEqual(expected.sort());
    }),
  );
});

test("the lines of a very ragged mask are drawn in short paths, and once, as finely as can be", () => {
  const places = new Places();
  for (let x = 0; x < 200; x++) for (let y = 0; y < 160; y += 3) places.run(x * 200 + y, x * 200 + y + 1);
  const { context, drawn } = countedCanvas(1);
  const style = { color: "#3366cc", fillAlpha: 0, strokes: [{ color: "#3366cc", width: 1.5 }], dashed: false };
  const pixels = finishedPixels(newKey(), EMPTY_ANNOTATION, places.taken(), SIZE);
  paintPixels(context, pixels, ALL, style, { scale: 40, ratio: 1 });
  expect(drawn.points / 2 / drawn.strokes).toBeGreaterThan(40);
  expect(drawn.points / 2 / drawn.strokes).toBeLessThanOrEqual(50);
});

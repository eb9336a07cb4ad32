import { describe, expect, test } from "vitest";

import { imagePoint } from "../../src/geometry/point";
import * as rle from "../../src/geometry/rle";
import { EMPTY_ANNOTATION, type Annotation } from "../../src/model/records";
import * as shapes from "../../src/shapes";
import { pixelsOf } from "../../src/shapes/pixels";
import { PERSON } from "../story";

const some = (change: Partial<Annotation>): Annotation => ({ ...EMPTY_ANNOTATION, ...change });

/** One annotation of each kind, all of them over the point (20, 20) and none over (90, 90). */
const EXAMPLES: Record<string, Annotation> = {
  mask: some({
    segmentation: rle.encode(
      Uint8Array.from({ length: 10_000 }, (_, i) => Number(i % 100 < 40 && i < 4_000)),
      [100, 100],
    ),
  }),
  polygons: some({ segmentation: [[10, 10, 40, 10, 40, 40, 10, 40], [60, 10, 70, 10, 70, 20]] }),
  box: some({ bbox: [10, 10, 30, 30] }),
  keypoints: some({ keypoints: [20, 20, 2, 30, 40, 1, 0, 0, 0] }),
};

test("every kind has an example here", () => {
  expect(Object.keys(EXAMPLES)).toEqual(shapes.SHAPES.map(({ name }) => name));
});

describe.each(shapes.SHAPES)("$name", (shape) => {
  const annotation = EXAMPLES[shape.name]!;

  test("is what it says it is, and alone", () => {
    expect(shapes.shapesOf(annotation)).toEqual([shape]);
    expect(shape.describe(annotation)).not.toBe("");
  });

  test("is hit inside its bounds only", () => {
    expect(shape.hits(annotation, imagePoint(20, 20), 1)).toBe(true);
    expect(shape.hits(annotation, imagePoint(90, 90), 1)).toBe(false);
    const { left, top, right, bottom } = shape.bounds(annotation)!;
    expect(left <= 20 && top <= 20 && right >= 20 && bottom >= 20).toBe(true);
  });

  test("finds each of its handles by its place, and none that is gone", () => {
    const all = shapes.handles(annotation, PERSON);
    expect(all.map((handle) => shapes.handleNow(annotation, handle, PERSON))).toEqual(all);
    for (const handle of all) {
      expect(shapes.handleNow(annotation, { ...handle, index: 99 }, PERSON)).toBeNull();
      expect(shapes.handleNow(EMPTY_ANNOTATION, handle, PERSON)).toBeNull();
    }
  });

  test("has something to draw", () => {
    const { areas, lines, dots } = shape.outline(annotation, PERSON);
    expect(areas.length + lines.length + dots.length).toBeGreaterThan(0);
  });

  test("a dragged handle is where it was dragged to, and its input untouched", () => {
    const before = structuredClone(annotation);
    for (const handle of shape.handles(annotation, PERSON)) {
      const to = imagePoint(handle.at.x + 3.25, handle.at.y + 4.5);
      const dragged = shape.drag(annotation, handle, to);
      const now = shape.handles(dragged, PERSON).find(({ part, index }) => part === handle.part && index === handle.index)!;
      const moves = handle.cursor === "ns-resize" ? "y" : handle.cursor === "ew-resize" ? "x" : "both";
      if (moves !== "y") expect(now.at.x).toBe(to.x);
      if (moves !== "x") expect(now.at.y).toBe(to.y);
    }
    expect(annotation).toEqual(before);
  });

  test("moves as a whole, and back to the very numbers", () => {
    const moved = shape.move(annotation, 5, 3)!;
    const [from, to] = [shape.bounds(annotation)!, shape.bounds(moved)!];
    expect([to.left - from.left, to.bottom - from.bottom]).toEqual([5, 3]);
    expect(shape.move(moved, -5, -3)).toEqual(annotation);
  });

  test("an annotation without it does not have it", () => {
    expect(shape.present(EMPTY_ANNOTATION)).toBe(false);
  });
});

describe("polygons", () => {
  const donut = some({
    segmentation: [[0, 0, 90, 0, 90, 90, 0, 90]],
    holes: [[30, 30, 60, 30, 60, 60, 30, 60]],
  });

  test("holes are cut out of hits, area and drawing", () => {
    expect(shapes.hits(donut, imagePoint(45, 45), 1)).toBe(false);
    expect(shapes.hits(donut, imagePoint(31, 45), 2)).toBe(true);
    expect(shapes.measures(donut).area).toBe(8100 - 900);
    expect(shapes.outline(donut, shapes.NO_CONTEXT).areas).toEqual([
      { rings: donut.segmentation, cut: donut.holes },
    ]);
  });

  test("parts that could overlap are filled one by one, since their union is meant", () => {
    const overlapping = some({
      segmentation: [[0, 0, 50, 0, 50, 50], [20, 0, 70, 0, 70, 50]],
    });
    expect(shapes.outline(overlapping, shapes.NO_CONTEXT).areas).toHaveLength(2);
    expect(shapes.outline(EXAMPLES["polygons"]!, shapes.NO_CONTEXT).areas).toHaveLength(1);
  });
});

test("a mask that does not fit its size is kept and listed, but has no extent", () => {
  const broken = some({ segmentation: { size: [10, 10], counts: "32;" } });
  expect(shapes.measures(broken)).toEqual({ bounds: null, area: 0 });
  expect(shapes.describe(broken)).toContain("does not fit");
  expect(shapes.outline(broken, shapes.NO_CONTEXT).areas).toEqual([]);
});

test("a box with negative sizes is the mirrored one, and is resized as such", () => {
  const mirrored = some({ bbox: [40, 40, -30, -20] });
  expect(shapes.hits(mirrored, imagePoint(20, 30), 0)).toBe(true);
  const handle = shapes.handles(mirrored, shapes.NO_CONTEXT)[0]!;
  expect(handle.at).toEqual({ x: 10, y: 20 });
  expect(shapes.drag(mirrored, handle, imagePoint(5, 5)).bbox).toEqual([5, 5, 35, 35]);
});

test("the skeleton joins labelled keypoints only", () => {
  const person = EXAMPLES["keypoints"]!;
  const { lines, dots } = shapes.outline(person, PERSON);
  expect(lines).toEqual([[{ x: 20, y: 20 }, { x: 30, y: 40 }]]);
  expect(dots.map(({ hidden }) => hidden)).toEqual([false, true]);
});

test("captions and labels have no shape", () => {
  expect(shapes.describe(some({ category_id: 1 }))).toBe("label");
  expect(shapes.describe(some({ caption: "A kitchen." }))).toBe("caption");
  expect(shapes.measures(some({ caption: "A kitchen." })).bounds).toBeNull();
});

test("a box beside a segmentation is a frame: it is hit on its border, covers nothing and is no outline to work on", () => {
  const framed = { ...EMPTY_ANNOTATION, segmentation: [[20, 20, 40, 20, 40, 40]], bbox: [10, 10, 60, 60] as const };
  expect(shapes.hits(framed, imagePoint(60, 60), 2)).toBe(false);
  expect(shapes.hits(framed, imagePoint(69, 50), 2)).toBe(true);
  expect(shapes.hits(framed, imagePoint(38, 22), 2)).toBe(true);
  expect(shapes.region(framed)?.rings).toEqual(framed.segmentation);
  expect(shapes.outline(framed, shapes.NO_CONTEXT).areas).toHaveLength(1);
  expect(shapes.describe(framed)).toBe("polygon, 1 part, 3 points; own box");
  const unreadable = { ...framed, segmentation: { size: [100, 100] as const, counts: [7] } };
  expect([pixelsOf(unreadable, [100, 100]), shapes.region(unreadable)]).toEqual([null, null]);
  expect(shapes.slice(unreadable, [imagePoint(0, 30), imagePoint(90, 31)])).toBeNull();
});

test("it moves along, its handles change it alone, and another shape makes it follow again", () => {
  const framed = { ...EMPTY_ANNOTATION, segmentation: [[20, 20, 40, 20, 40, 40]], bbox: [10, 10, 60, 60] as const };
  expect(shapes.move(framed, 5, 0)?.bbox).toEqual([15, 10, 60, 60]);
  const all = shapes.handles(framed, shapes.NO_CONTEXT);
  const corner = all.find(({ shape, index }) => shape === "box" && index === 4)!;
  const resized = shapes.drag(framed, corner, imagePoint(50, 45));
  expect(resized).toEqual({ ...framed, bbox: [10, 10, 40, 35] });
  const point = all.find(({ shape }) => shape === "polygons")!;
  expect(shapes.drag(framed, point, imagePoint(21, 21)).bbox).toBeNull();
  expect(shapes.removeHandles({ ...framed, segmentation: [[20, 20, 40, 20, 40, 40, 20, 40]] }, [point])?.bbox).toBeNull();
});

import fc from "fast-check";
import { beforeEach, expect, test } from "vitest";

import type { Annotation, AnnotationKey } from "../../src/model/records";
import { unpacked } from "../../src/model/packed";
import type { RasterRequest } from "../../src/render/raster-protocol";
import { ShapesLedger } from "../../src/render/shapes-ledger";
import { looksSame, shownAsPixels } from "../../src/render/shown-pixels";
import * as shapes from "../../src/shapes";
import type { Outline } from "../../src/shapes/shape";
import { PERSON, Story } from "../story";
import { covered, mask, rectangle } from "../tools/pixels";

/** A worker that answers when it is told to, and what is on the screen meanwhile. */
class Screen {
  readonly story: Story;
  readonly ledger: ShapesLedger;
  asked: RasterRequest | null = null;
  /** Of more points than this only the worker has the outline. */
  mostPoints = Infinity;
  bitmap: ReadonlyMap<AnnotationKey, Annotation> = new Map();
  #sent: readonly (Annotation | null)[] = [];
  readonly #worker = new Map<AnnotationKey, Annotation>();

  constructor(story: Story) {
    this.story = story;
    this.ledger = new ShapesLedger(story.editor);
    this.frame().answer().frame();
  }

  frame(): this {
    const { camera, stage } = this.story.editor;
    if (this.asked) return this;
    this.asked = this.ledger.request({ camera, size: stage, ratio: 1 });
    this.#sent = (this.asked?.updates ?? []).map(({ key }) => this.story.editor.document.get(key));
    return this;
  }

  answer(): this {
    const asked = this.asked;
    this.asked = null;
    if (!asked) return this;
    expect([...unpacked(asked.packed)]).toEqual(this.#sent);
    asked.updates.forEach(({ key }, i) => {
      if (this.#sent[i]) this.#worker.set(key, this.#sent[i]);
      else this.#worker.delete(key);
    });
    const seen = [...this.#worker].filter(([key]) => !asked.without.has(key));
    const traced = asked.draws ? [...new Set([...asked.wanted, ...seen.map(([key]) => key)])] : asked.wanted;
    const outlines = traced
      .filter((key) => shapes.isHeavy(this.#worker.get(key)!))
      .map((key) => [key, this.#outline(this.#worker.get(key)!)] as const);
    this.ledger.receive({ bitmap: asked.draws ? {} : null, outlines });
    if (asked.draws) this.bitmap = new Map(seen);
    return this;
  }

  /** The worker fails at what it was asked, of which it has taken in a part. */
  fail(): this {
    const told = this.asked?.updates ?? [];
    this.asked = null;
    for (const { key } of told.slice(0, told.length / 2)) this.#worker.delete(key);
    this.ledger.lost();
    return this;
  }

  #outline(annotation: Annotation): Outline | null {
    const outline = shapes.outline(annotation, shapes.NO_CONTEXT);
    return outline.areas[0]!.rings.flat().length / 2 > this.mostPoints ? null : outline;
  }

  /** How a shape is on the screen. */
  where(key: AnnotationKey): "bitmap" | "outline" | "pixels" | "nowhere" {
    const { editor } = this.story;
    const annotation = editor.document.get(key)!;
    const pixels = shownAsPixels(editor, this.ledger, null).find((shown) => shown.pixels.key === key);
    if (pixels) return "pixels";
    if (editor.view.selection.has(key) || this.ledger.late().has(key)) {
      const outline = this.ledger.outline(key, annotation);
      if (!outline) return "nowhere";
      // Not that of another state.
      expect(outline).toEqual(shapes.outline(annotation, editor.context(annotation)));
      return "outline";
    }
    return this.bitmap.get(key) === annotation ? "bitmap" : "nowhere";
  }
}

let screen: Screen;
let story: Story;
beforeEach(() => {
  story = new Story();
  screen = new Screen(story);
});

function painted(): AnnotationKey {
  story.key("M").press(20, 20).move(80, 40).release();
  return story.selected[0]!;
}

test("what was painted is on the screen from the release until its outline is there", () => {
  const key = painted();
  expect(screen.where(key)).toBe("pixels");
  screen.frame();
  expect(screen.where(key)).toBe("pixels");
  screen.answer().frame();
  expect(screen.where(key)).toBe("outline");
  story.press(20, 60).move(80, 70).release();
  expect(screen.where(key)).toBe("pixels");
});

test.each<[string, () => unknown]>([
  ["another tool", () => story.key("W")],
  ["another tool and a click", () => story.key("W").press(150, 80).release()],
  ["Escape", () => story.key("Escape")],
  ["Enter", () => story.key("Enter")],
  ["another selection", () => story.editor.select([])],
  ["the next stroke of the same mask", () => story.press(100, 20).move(120, 40)],
  ["the next stroke of another one", () => story.key("Escape").press(100, 20).move(120, 40)],
  ["zooming", () => story.editor.zoom(2)],
  ["another size of the window", () => story.editor.resize({ width: 300, height: 150 })],
  ["a polygon of its pixels and undo", () => story.key("Shift+M").key("Mod+Z")],
  ["deleting and undo", () => story.key("Delete").key("Mod+Z")],
  ["hiding and showing", () => story.key("h").key("h")],
])("and stays there with %s", (_, does) => {
  const key = painted();
  screen.frame();
  does();
  const shown = (): void => {
    const gesture = story.editor.hand.preview.pixels;
    if (gesture?.key !== key) expect(screen.where(key)).not.toBe("nowhere");
  };
  shown();
  for (let i = 0; i < 3; i++) {
    screen.frame();
    shown();
    screen.answer();
    shown();
  }
});

test("what nobody has seen yet waits for the worker where there is much of it", () => {
  const crowded = new Story();
  for (let i = 0; i < 60; i++) crowded.given({ bbox: [i, 10, 20, 20] });
  const ledger = new ShapesLedger(crowded.editor);
  const { camera, stage } = crowded.editor;
  expect(ledger.late().size).toBe(0);
  expect(ledger.request({ camera, size: stage, ratio: 1 })).not.toBeNull();
  expect(ledger.late().size).toBe(0);
});

function givenMasks(count: number): AnnotationKey[] {
  return Array.from({ length: count }, (_, i) => story.given({ segmentation: mask(rectangle(i % 150, i % 80, 9, 9)) }));
}

test("what is changed is on the screen at once, also where more than fifty are hidden", () => {
  const [changed, ...others] = givenMasks(61) as [AnnotationKey, ...AnnotationKey[]];
  for (const key of others) story.editor.view.hidden.add(key);
  screen.frame().answer().frame();
  expect(screen.where(changed)).toBe("bitmap");
  const annotation = story.editor.document.get(changed)!;
  const other = { ...annotation, segmentation: mask(rectangle(20, 20, 30, 30)) };
  story.editor.document.apply(new Map([[changed, other]]), "remote");
  expect(screen.where(changed)).toBe("pixels");
  screen.frame().answer();
  expect(screen.where(changed)).toBe("bitmap");
});

test("thousands of others that come while a mask is in hand wait for the worker", () => {
  const key = painted();
  screen.frame().answer().frame();
  story.press(20, 60).move(80, 70);
  screen.frame();
  givenMasks(1000);
  expect(screen.ledger.late().size).toBe(0);
  screen.frame().answer().frame();
  expect(screen.ledger.late().size).toBe(0);
  story.release();
  expect(screen.where(key)).not.toBe("nowhere");
});

test("after a failure of the worker all is told anew and drawn", () => {
  const [first, second] = givenMasks(2) as [AnnotationKey, AnnotationKey];
  screen.frame().answer();
  story.editor.document.apply(new Map([[first, null]]), "remote");
  screen.frame().fail().frame();
  expect(screen.asked).toMatchObject({ draws: true, updates: [{ key: first }, { key: second }] });
  screen.answer().frame();
  expect([...screen.bitmap.keys()]).toEqual([second]);
  expect(screen.asked).toBeNull();
});

test("what was deleted does not stay on the bitmap where the worker failed at drawing without it", () => {
  const [key] = givenMasks(1) as [AnnotationKey];
  screen.frame().answer();
  story.editor.document.apply(new Map([[key, null]]), "remote");
  screen.frame().fail().frame().answer().frame();
  expect([...screen.bitmap.keys()]).toEqual([]);
  expect(screen.asked).toBeNull();
});

test("another colour of the category is another look of what is shown as pixels", () => {
  painted();
  const before = shownAsPixels(story.editor, screen.ledger, null);
  expect(looksSame(before, shownAsPixels(story.editor, screen.ledger, null))).toBe(true);
  story.editor.setCategories([{ ...PERSON, color: "#123456" }]);
  expect(looksSame(before, shownAsPixels(story.editor, screen.ledger, null))).toBe(false);
});

test("while only what is in hand changes no bitmap is asked for", () => {
  const key = painted();
  screen.frame();
  expect(screen.asked).toMatchObject({ draws: false, wanted: [key] });
  screen.answer().frame();
  expect(screen.asked).toBeNull();
  story.key("Escape");
  screen.frame();
  expect(screen.asked).toMatchObject({ draws: true, wanted: [] });
});

test("an outline that comes too late is none of what the shape is by now", () => {
  const key = painted();
  screen.frame();
  story.press(20, 60).move(80, 70).release();
  screen.answer();
  expect(screen.where(key)).toBe("pixels");
  screen.frame().answer();
  expect(screen.where(key)).toBe("outline");
});

test("one of too many points stays pixels in the hand, moved and hovered, too, and is asked for once", () => {
  screen.mostPoints = 4;
  const key = painted();
  screen.frame().answer().frame();
  expect(screen.asked).toBeNull();
  expect(screen.where(key)).toBe("pixels");
  story.key("V").key("ArrowRight");
  screen.frame();
  expect(screen.asked).toBeNull();
  expect(screen.where(key)).toBe("pixels");
  story.key("Escape");
  expect(screen.where(key)).toBe("pixels");
  screen.frame().answer();
  expect(screen.where(key)).toBe("bitmap");
  story.editor.hover(key);
  expect(shownAsPixels(story.editor, screen.ledger, null)).toMatchObject([{ as: "hovered" }]);
});

test("thousands that are let go of stay on the screen, too", () => {
  const keys = Array.from({ length: 200 }, (_, i) =>
    story.given({ segmentation: mask(rectangle(i % 150, i % 80, 9, 9)) }),
  );
  screen.frame().answer().frame();
  story.editor.select(keys);
  screen.frame().answer().frame();
  story.editor.select([]);
  expect(new Set(keys.map((key) => screen.where(key)))).toEqual(new Set(["outline"]));
});

const place = fc.tuple(fc.integer({ min: 1, max: 198 }), fc.integer({ min: 1, max: 98 }));
const deed = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constant("stroke"), place, place) },
  { weight: 4, arbitrary: fc.constant(["answer"] as const) },
  fc.constant(["fail"] as const),
  { weight: 2, arbitrary: fc.tuple(fc.constant("click"), place) },
  fc.tuple(fc.constant("key"), fc.constantFrom("M", "E", "V", "Escape", "Enter", "Delete", "h", "Shift+M", "Mod+A")),
  { weight: 2, arbitrary: fc.tuple(fc.constant("key"), fc.constantFrom("Mod+Z", "Mod+Y")) },
  fc.tuple(fc.constant("zoom"), fc.constantFrom(0.5, 2)),
);

test("whatever a person does, and whenever the worker answers, every shape is on the screen as it is", () => {
  fc.assert(
    fc.property(fc.array(deed, { maxLength: 40 }), fc.constantFrom(4, Infinity), (deeds, most) => {
      story = new Story();
      story.given({ segmentation: mask(rectangle(10, 10, 40, 30)) });
      story.given({ segmentation: [[100, 10, 150, 10, 150, 60]] });
      screen = new Screen(story);
      screen.mostPoints = most;
      for (const [name, a, b] of deeds as [string, never, never][]) {
        if (name === "stroke") story.press(...(a as [number, number])).move(...(b as [number, number])).release();
        else if (name === "click") story.press(...(a as [number, number])).release();
        else if (name === "key") story.key(a);
        else if (name === "zoom") story.editor.zoom(a);
        else if (name === "fail") screen.fail();
        else screen.answer();
        for (const [key] of story.editor.document.entries()) {
          const busy = story.editor.hand.preview.pixels?.key === key;
          if (!busy && story.editor.visible(key)) expect([key, screen.where(key)]).not.toEqual([key, "nowhere"]);
        }
        screen.frame();
      }
      screen.frame().answer().frame().answer().frame().answer();
      for (const [key, annotation] of story.editor.document.entries()) {
        if (!story.editor.visible(key)) continue;
        const inHand = shapes.isMask(annotation.segmentation) && most === 4 ? "pixels" : "outline";
        const where = screen.where(key);
        if (!story.editor.view.selection.has(key)) expect(where).toBe("bitmap");
        // A mask of one rectangle has four points.
        else expect(most === 4 ? [inHand, "outline"] : ["outline"]).toContain(where);
        expect(screen.bitmap.has(key)).toBe(!story.editor.view.selection.has(key));
        if (shapes.isMask(annotation.segmentation)) expect(covered(annotation).length).toBeGreaterThan(0);
      }
    }),
    { numRuns: 300 },
  );
});

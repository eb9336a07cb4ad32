/** Fingers and the pen, in every tool. */

import { afterEach, expect, test, vi } from "vitest";

import { answered, picture, sightOf } from "../sight";
import { TOOLS } from "../../src/tools";
import { Story } from "../story";
import type { AnnotationKey } from "../../src/model/records";
import { areaOf, mask, rectangle } from "./pixels";

afterEach(() => vi.useRealTimers());

const pen = { device: "pen", pointerId: 9 } as const;
const finger = (pointerId: number) => ({ device: "touch", pointerId }) as const;
const RIGHT_HALF = picture((x) => (x < 100 ? [90, 90, 90] : [200, 40, 40]));

/** A scene in which every tool has something to do. */
async function withTool(toolId: string): Promise<Story> {
  const story = new Story();
  story.editor.sight = sightOf(RIGHT_HALF);
  story.editor.select([story.given({ segmentation: [[20, 20, 90, 20, 90, 80, 20, 80]] })]);
  story.editor.hand.choose(toolId);
  if (toolId === "keypoints" || toolId === "brush") story.editor.select([]);
  if (toolId === "eraser") story.editor.select([story.given({ segmentation: mask(rectangle(0, 0, 200, 100)) })]);
  story.move(20, 50);
  await answered();
  return story;
}

const seen = ({ editor, path }: Story) => ({
  annotations: [...editor.document.entries()],
  depth: editor.history.depth,
  path,
  dots: editor.hand.preview.dots,
  selection: [...editor.view.selection],
});

const drawing = TOOLS.filter(({ info }) => info.edits).map(({ info }) => info.id);

test.each(TOOLS.map(({ info }) => info.id))("the second finger takes back what the first one began with %s", async (toolId) => {
  const story = await withTool(toolId);
  // Between two clicks of a gesture that takes several, and with nothing begun.
  for (const begun of [false, true]) {
    if (begun) story.click(20, 50, finger(1));
    await answered();
    const before = seen(story);
    story.press(90, 50, finger(1)).press(160, 50, finger(2)).move(180, 50, finger(2));
    story.release(180, 50, finger(2)).release(90, 50, finger(1));
    expect(seen(story)).toStrictEqual(before);
    expect(story.editor.camera.scale).not.toBe(1);
    // The first one has begun to draw already.
    story.editor.moveCamera({ scale: 1, x: 0, y: 0 });
    story.press(90, 50, finger(1)).move(105, 60, finger(1)).move(120, 70, finger(1));
    expect(story.editor.hand.busy).toBe(true);
    story.press(160, 50, finger(2)).move(190, 50, finger(2)).release(190, 50, finger(2)).release(120, 70, finger(1));
    await answered();
    expect(seen(story)).toStrictEqual(before);
    expect(story.editor.camera.scale).not.toBe(1);
    story.editor.moveCamera({ scale: 1, x: 0, y: 0 });
  }
});

test.each(drawing)("once a pen was there, a finger pans and the pen draws with %s", async (toolId) => {
  const story = await withTool(toolId);
  story.move(150, 50, pen).move(150, 60);
  const before = seen(story);
  story.drag([20, 20], [70, 60], finger(1));
  expect([story.editor.camera.x, story.editor.camera.y]).toEqual([50, 40]);
  story.click(60, 60, finger(1));
  expect(seen(story)).toStrictEqual(before);
  story.editor.moveCamera({ scale: 1, x: 0, y: 0 });
  story.press(20, 50, pen).move(60, 40, pen).move(95, 90, pen);
  expect(story.editor.hand.busy || seen(story).depth > before.depth).toBe(true);
});

test("a finger still selects where only the pen draws", () => {
  const story = new Story();
  const key = story.given({ segmentation: [[20, 20, 90, 20, 90, 80, 20, 80]] });
  story.move(5, 5, pen).click(50, 50, finger(1));
  expect(story.selected).toEqual([key]);
  story.drag([50, 50], [60, 50], finger(1));
  expect(story.annotations).toMatchObject([{ segmentation: [[20, 20, 90, 20, 90, 80, 20, 80]] }]);
});

test("the hand that holds the pen draws, pans and selects nothing", () => {
  const story = new Story().key("B");
  story.press(20, 20, pen).press(150, 80, finger(1)).move(160, 90, finger(1)).move(60, 50, pen);
  story.press(120, 90, finger(2)).move(130, 95, finger(2)).release(60, 60, pen);
  story.release(130, 95, finger(2)).release(160, 90, finger(1));
  expect(story.annotations).toMatchObject([{ bbox: [20, 20, 40, 40] }]);
  expect(story.editor.camera).toEqual({ scale: 1, x: 0, y: 0 });
  // It lies down before the tip does, and is lifted after it.
  story.press(150, 80, finger(3)).press(100, 20, pen).move(170, 95, finger(3)).move(120, 40, pen);
  story.release(140, 60, pen).move(190, 99, finger(3)).release(190, 99, finger(3));
  expect(story.editor.camera).toEqual({ scale: 1, x: 0, y: 0 });
  expect(story.annotations).toHaveLength(2);
  expect(story.annotations[1]).toMatchObject({ bbox: [100, 20, 40, 40] });
});

test("a touch right after the pen is the palm, a later one a finger", () => {
  const story = new Story().key("B");
  story.drag([20, 20], [60, 60], pen);
  story.soon().press(100, 50, finger(1)).soon().move(150, 50, finger(1)).soon().release(150, 50, finger(1));
  expect(story.editor.camera.x).toBe(0);
  story.drag([100, 50], [150, 50], finger(1));
  expect(story.editor.camera.x).toBe(50);
});

test("that only the pen draws can be switched off, and stays so", () => {
  const story = new Story().key("B");
  story.move(10, 10, pen);
  expect(story.editor.notice).toContain("Only the pen draws");
  story.key("Escape").editor.options.set({ kind: "toggle", id: "pen-only", label: "", help: "", initial: false }, false);
  story.move(10, 10, pen).move(0, 0);
  story.drag([20, 20], [60, 60], finger(1));
  expect(story.annotations).toMatchObject([{ bbox: [20, 20, 40, 40] }]);
});

test("what the mouse does while the pen is down is not meant", () => {
  const story = new Story().key("P");
  story.press(20, 20, pen).move(90, 90).press(90, 90).release(90, 90).release(20, 20, pen);
  expect(story.editor.hand.preview.dots).toEqual([{ x: 20, y: 20 }]);
  expect(story.path).toBe("polygon.drawing");
});

test("Escape frees the hand of a pen that was never let go", () => {
  const story = new Story().key("B");
  story.press(20, 20, pen).move(60, 60, pen);
  expect(story.click(90, 90).path, "the mouse is not meant").toBe("box.dragging");
  story.key("Escape").drag([100, 20], [140, 60]);
  expect(story.annotations).toMatchObject([{ bbox: [100, 20, 40, 40] }]);
  // Where nothing was drawn yet, Escape does so, too.
  story.key("V").press(5, 5, pen).key("Escape").drag([120, 40], [130, 40]);
  expect(story.annotations).toMatchObject([{ bbox: [110, 20, 40, 40] }]);
});

/** A finger comes down and stays, as long as it takes. */
function hold(story: Story, x: number, y: number, pointerId = 1): void {
  vi.useFakeTimers();
  story.press(x, y, finger(pointerId));
  vi.runAllTimers();
  vi.useRealTimers();
}

/** Three boxes in a row. */
function row(): { story: Story; keys: AnnotationKey[] } {
  const story = new Story();
  const keys = [20, 80, 140].map((x) => story.given({ bbox: [x, 20, 30, 30] }));
  return { story: story.key("V"), keys };
}

test.each([false, true])("a long press and a drag selects many with the select tool (a pen was seen: %s)", (seenPen) => {
  const { story, keys } = row();
  if (seenPen) story.move(5, 5, pen);
  hold(story, 10, 10);
  expect([story.path, story.editor.hand.preview.marquee !== null]).toEqual(["select.pressing_long", true]);
  story.move(60, 40, finger(1)).move(120, 60, finger(1));
  expect(story.path).toBe("select.spanning");
  story.release(120, 60, finger(1));
  expect(story.selected).toEqual(keys.slice(0, 2));
  // Lifted where it came down, it adds one or takes it away; on nothing it changes nothing.
  for (const [x, selected] of [[150, keys], [30, keys.slice(1)], [195, keys.slice(1)]] as const) {
    hold(story, x, 30);
    story.release(x, 30, finger(1));
    expect(story.selected).toEqual(selected);
  }
  expect([story.editor.camera, story.editor.history.depth]).toEqual([{ scale: 1, x: 0, y: 0 }, 0]);
});

test("a long press leaves panning, pinching and the other tools as they are", () => {
  const { story, keys } = row();
  // One that moves in time pans, also when it stays somewhere later.
  vi.useFakeTimers();
  story.press(120, 80, finger(1)).move(140, 90, finger(1));
  vi.runAllTimers();
  story.release(140, 90, finger(1));
  expect([story.editor.camera, story.selected]).toEqual([{ scale: 1, x: 20, y: 10 }, []]);
  story.editor.moveCamera({ scale: 1, x: 0, y: 0 });
  // So do two; the second one takes back what the long press began.
  for (const move of [false, true]) {
    story.press(10, 10, finger(1));
    vi.runAllTimers();
    if (move) story.move(100, 60, finger(1));
    story.press(160, 60, finger(2)).move(190, 80, finger(2)).release(190, 80, finger(2)).release(10, 10, finger(1));
    expect([story.path, story.selected]).toEqual(["select.idle", []]);
    expect(story.editor.camera.scale).not.toBe(1);
    story.editor.moveCamera({ scale: 1, x: 0, y: 0 });
  }
  // A tap that is over says nothing more, and a box begins where the finger came down.
  story.click(35, 35, finger(1));
  vi.runAllTimers();
  expect([story.path, story.selected]).toEqual(["select.idle", [keys[0]]]);
  story.key("B").press(100, 60, finger(1));
  vi.runAllTimers();
  story.move(120, 80, finger(1)).move(130, 90, finger(1)).release(130, 90, finger(1));
  expect(story.annotations.at(-1)).toMatchObject({ bbox: [100, 60, 30, 30] });
});

test("the rubber end of a pen erases with the brush, and subtracts with what draws areas", async () => {
  const story = new Story();
  const key = story.given({ segmentation: mask(rectangle(0, 0, 200, 100)) });
  const rubber = { ...pen, rubber: true };
  const area = (): number => areaOf(story.editor.document.get(key)!);
  for (const tool of ["M", "E"]) {
    story.editor.select([key]);
    story.key(tool);
    const before = area();
    story.drag([20, 20], [80, 20], rubber);
    expect(area()).toBeLessThan(before);
    story.drag([20, 20], [80, 20], { ...pen, alt: tool === "E" });
    expect(area(), "the other end paints").toBe(before);
  }
  const polygon = story.given({ segmentation: [[20, 20, 90, 20, 90, 80, 20, 80]] });
  story.editor.select([polygon]);
  story.key("B").drag([60, 10], [120, 90], rubber);
  expect(story.editor.document.get(polygon)?.segmentation).toEqual([[20, 20, 60, 20, 60, 80, 20, 80]]);
});

/** Pans by so much on the screen, and leaves the pointer where it was in the image. */
const PANS = {
  "the middle button": (story: Story, x: number, y: number) =>
    story.press(x, y, { button: 1 }).move(x + 10, y - 10).move(x + 30, y - 20).release(x + 30, y - 20, { button: 1 }),
  Space: (story: Story, x: number, y: number) => {
    story.editor.hand.holdSpace(true);
    story.press(x, y).move(x + 10, y - 10).move(x + 30, y - 20).release(x + 30, y - 20);
    story.editor.hand.holdSpace(false);
  },
};

test.each(TOOLS.flatMap(({ info }) => Object.keys(PANS).map((way) => [way, info.id] as const)))(
  "%s pans with %s in hand, and what is drawn is as it was",
  async (way, toolId) => {
    // The same places of the image, with and without a pan between the clicks.
    const draw = async (pan: ((story: Story, x: number, y: number) => void) | null) => {
      const story = await withTool(toolId);
      let [dx, dy] = [0, 0];
      const between = async (x: number, y: number): Promise<void> => {
        await answered();
        if (!pan) return;
        const before = seen(story);
        pan(story, x + dx, y + dy);
        [dx, dy] = [dx + 30, dy - 20];
        expect(story.editor.camera).toEqual({ scale: 1, x: dx, y: dy });
        expect(seen(story)).toStrictEqual(before);
      };
      await between(50, 50);
      for (const [x, y] of [[30, 40], [80, 30], [70, 70]] as const) {
        story.click(x + dx, y + dy);
        await between(x, y);
      }
      story.key("Enter");
      await answered();
      return story;
    };
    const [plain, panned] = [await draw(null), await draw(PANS[way as keyof typeof PANS])];
    // Superpixels are those of what is visible.
    if (toolId !== "superpixels") expect(panned.annotations).toEqual(plain.annotations);
    expect(panned.path).toBe(plain.path);
    expect(panned.editor.history.depth).toBe(plain.editor.history.depth);
  },
);

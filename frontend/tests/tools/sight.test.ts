import { describe, expect, test } from "vitest";

import type { ToolOption } from "../../src/editor/options";
import { SightError } from "../../src/editor/sight";
import type { Camera } from "../../src/geometry/camera";
import { unite, without } from "../../src/geometry/runs";
import { answered, picture, sightOf } from "../sight";
import { CUP, PERSON, Story } from "../story";
import { areaOf, covered, mask, rectangle } from "./pixels";

const GREY = [90, 90, 90] as const;
const RED = [200, 40, 40] as const;

const within = (x: number, y: number, [left, top, width, height]: readonly [number, number, number, number]): boolean =>
  x >= left && y >= top && x < left + width && y < top + height;

/** Two red squares on grey, and a third one that is a little darker beside the first. */
const SQUARES = picture((x, y) => {
  if (within(x, y, [20, 20, 40, 40]) || within(x, y, [120, 30, 30, 30])) return RED;
  return within(x, y, [60, 20, 20, 40]) ? [170, 40, 40] : GREY;
});

function withTool(key: string, settings: Record<string, unknown> = {}, seen = SQUARES): Story {
  const story = new Story();
  story.editor.sight = sightOf(seen);
  story.key(key);
  for (const option of story.editor.hand.options) {
    const value = settings[option.id];
    if (value !== undefined) story.editor.options.set(option, value as ToolOption["initial"]);
  }
  return story;
}

/** A gesture of each tool that computes what it draws, by the tool's key. */
const FINISHED = [
  ["W", (story: Story) => story.click(30, 30)],
  ["U", (story: Story) => story.click(30, 30)],
  ["S", (story: Story) => story.click(20, 20).click(60, 20).click(60, 60).key("Enter")],
] as const;

describe("the magic wand", () => {
  test("takes what has the colour and is joined to the place, as one step", async () => {
    const story = withTool("W", { "wand-threshold": 20 });
    story.click(30.5, 30.5);
    expect(story.path).toBe("wand.choosing");
    await answered();
    expect(story.path).toBe("wand.ready");
    expect(story.annotations).toMatchObject([{ category_id: PERSON.id, segmentation: mask(rectangle(20, 20, 40, 40)) }]);
    expect(story.key("Mod+Z").annotations).toEqual([]);
  });

  test("is free again where the picture did not come, and asks for it by the next press", async () => {
    const story = withTool("W", { "wand-threshold": 20 });
    const sight = story.editor.sight!;
    const failing = (): Promise<never> => Promise.reject(new SightError("The picture did not come."));
    story.editor.sight = { ...sight, flood: failing };
    story.click(30, 30);
    await answered();
    expect([story.path, story.editor.notice]).toEqual(["wand.ready", "The picture did not come."]);
    story.editor.sight = sight;
    story.click(30, 30);
    await answered();
    expect(covered(story.annotations[0])).toEqual(rectangle(20, 20, 40, 40));
  });

  test("takes the colour everywhere when asked", async () => {
    const story = withTool("W", { "wand-threshold": 20, "wand-contiguous": false });
    story.click(30, 30);
    await answered();
    expect(covered(story.annotations[0])).toEqual(unite(rectangle(20, 20, 40, 40), rectangle(120, 30, 30, 30)));
  });

  test("changes the threshold while the hand goes sideways, and shows what comes of it", async () => {
    const story = withTool("W", { "wand-threshold": 20 });
    story.press(30, 30);
    await answered();
    expect(story.editor.hand.preview.pixels).not.toBeNull();
    expect(story.annotations).toEqual([]);
    story.move(75, 30).release();
    await answered();
    expect(covered(story.annotations[0])).toEqual(rectangle(20, 20, 60, 40));
  });

  test("adds to the selected mask with Shift, and takes from it with Alt", async () => {
    const story = withTool("W");
    const key = story.given({ segmentation: mask(rectangle(110, 20, 20, 20), false), iscrowd: 1, category_id: CUP.id });
    story.editor.select([key]);
    story.click(130, 40, { shift: true });
    await answered();
    const grown = unite(rectangle(110, 20, 20, 20), rectangle(120, 30, 30, 30));
    expect(story.annotations).toMatchObject([{ segmentation: mask(grown, false), iscrowd: 1, category_id: CUP.id }]);
    story.click(130, 40, { alt: true });
    await answered();
    expect(covered(story.annotations[0])).toEqual(without(grown, rectangle(120, 30, 30, 30)));
  });

  test("keeps every click that comes before the answers to the last ones, in order", async () => {
    const clicks = (story: Story): Story =>
      story.click(30, 30).click(130, 40).click(70, 30, { shift: true }).press(30, 30).move(75, 30).release();
    const story = clicks(withTool("W", { "wand-threshold": 20 }));
    await answered();
    expect(story.path).toBe("wand.ready");
    const [first, second, third] = story.annotations.map(covered);
    expect([first, third]).toEqual([rectangle(20, 20, 40, 40), rectangle(20, 20, 60, 40)]);
    expect(second).toEqual(unite(rectangle(120, 30, 30, 30), rectangle(60, 20, 20, 40)));
    const slow = withTool("W", { "wand-threshold": 20 });
    for (const one of [() => slow.click(30, 30), () => slow.click(130, 40), () => slow.click(70, 30, { shift: true })]) {
      one();
      await answered();
    }
    slow.press(30, 30).move(75, 30).release();
    await answered();
    expect(story.annotations).toEqual(slow.annotations);
    // Backspace takes back the last one that waits, Escape all.
    const other = withTool("W").click(30, 30).click(130, 40).click(5, 5).key("Backspace");
    await answered();
    expect(other.annotations).toHaveLength(2);
    const none = withTool("W").click(30, 30).click(130, 40).key("Escape");
    await answered();
    expect([none.path, none.annotations]).toEqual(["wand.ready", []]);
  });

  test("leaves no trace after Escape, also when the answer comes late", async () => {
    const story = withTool("W");
    story.press(30, 30).key("Escape");
    await answered();
    expect(story.annotations).toEqual([]);
    expect(story.path).toBe("wand.ready");
    expect(story.editor.hand.preview.pixels).toBeNull();
  });

  test("says so where there is no picture, or none that can be decoded", async () => {
    const story = withTool("W");
    story.editor.sight = null;
    story.click(30, 30);
    expect(story.editor.notice).toContain("no picture");
    const broken = (): Promise<never> => Promise.reject(new SightError("The image cannot be shown."));
    story.editor.sight = { wake: () => undefined, flood: broken, route: broken, superpixels: broken };
    story.click(30, 30);
    await answered();
    expect(story.editor.notice).toContain("cannot be shown");
    story.key("Escape");
    expect(story.path).toBe("wand.ready");
    expect(story.annotations).toEqual([]);
  });
});

describe("superpixels", () => {
  const camera = (scale: number, x: number, y: number): Camera => ({ scale, x, y });

  test("are there for what is visible, and a drag joins those that it goes over", async () => {
    const story = withTool("U", { "superpixel-size": 20 });
    story.move(30, 30);
    await answered();
    expect(story.editor.hand.preview.superpixels).not.toBeNull();
    story.press(30, 30).move(50, 50).move(50, 30).move(30, 50).release();
    expect(story.annotations).toHaveLength(1);
    const area = areaOf(story.annotations[0]);
    expect(area).toBeGreaterThan(400);
    // Colours are kept apart: nothing of the grey ground is among it.
    expect(without(covered(story.annotations[0]), rectangle(20, 20, 60, 40))).toHaveLength(0);
    story.press(30, 30, { alt: true }).release();
    expect(areaOf(story.annotations[0])).toBeLessThan(area);
    expect(story.key("Mod+Z").key("Mod+Z").annotations).toEqual([]);
  });

  test("are as large on the screen at every zoom, and never less than some pixels of the image", async () => {
    const spacings: number[] = [];
    const story = withTool("U", { "superpixel-size": 20 });
    const { sight } = story.editor;
    story.editor.sight = { ...sight!, superpixels: (part, spacing) => (spacings.push(spacing), sight!.superpixels(part, spacing)) };
    for (const scale of [0.5, 2, 16]) {
      story.editor.moveCamera(camera(scale, 0, 0));
      story.editor.signal.emit("tool");
      await answered();
    }
    expect(spacings.slice(-3)).toEqual([40, 10, 4]);
  });

  test("are computed as soon as the tool is in hand, and for the picture as soon as it is there", async () => {
    const story = withTool("U");
    await answered();
    expect(story.editor.hand.preview.superpixels).not.toBeNull();
    const late = new Story().key("U");
    late.editor.sight = sightOf(SQUARES);
    await answered();
    expect(late.editor.hand.preview.superpixels).not.toBeNull();
  });

  test("take a click that comes before they are there, with the keys that were held", async () => {
    const ready = withTool("U", { "superpixel-size": 20 });
    await answered();
    ready.press(30, 30).move(50, 50).release();
    const story = withTool("U", { "superpixel-size": 20 });
    story.press(30, 30).move(50, 50).release();
    expect(story.path).toBe("superpixels.waiting");
    await answered();
    expect(story.path).toBe("superpixels.ready");
    expect(story.annotations).toEqual(ready.annotations);
    expect(areaOf(story.annotations[0])).toBeGreaterThan(400);
    expect(story.key("Mod+Z").annotations).toEqual([]);
  });

  test("still pressed when they come, the drag goes on; Escape before drops it", async () => {
    const story = withTool("U", { "superpixel-size": 20 });
    story.press(30, 30);
    await answered();
    expect(story.path).toBe("superpixels.joining");
    story.move(50, 50).release();
    expect(story.annotations).toHaveLength(1);
    const other = withTool("U", { "superpixel-size": 20 });
    other.click(30, 30).key("Escape");
    await answered();
    expect([other.path, other.annotations]).toEqual(["superpixels.ready", []]);
  });

  test("that cannot be had are asked for again by the next press", async () => {
    const story = new Story();
    const sight = sightOf(SQUARES);
    const failing = (): Promise<never> => Promise.reject(new SightError("The image cannot be shown."));
    story.editor.sight = { ...sight, superpixels: failing };
    story.key("U").click(30, 30);
    expect(story.path).toBe("superpixels.waiting");
    await answered();
    expect([story.path, story.annotations]).toEqual(["superpixels.ready", []]);
    expect(story.editor.notice).toContain("cannot be shown");
    story.editor.sight = sight;
    story.click(30, 30);
    await answered();
    expect(story.annotations).toHaveLength(1);
  });

  test("take every gesture that comes before they are there, in order, with the keys that were held", async () => {
    const story = withTool("U", { "superpixel-size": 20 });
    story.click(30, 30).click(130, 40).press(50, 50, { shift: true }).move(60, 50, { shift: true }).release();
    expect(story.path).toBe("superpixels.waiting");
    await answered();
    const ready = withTool("U", { "superpixel-size": 20 });
    await answered();
    ready.click(30, 30).click(130, 40).press(50, 50, { shift: true }).move(60, 50, { shift: true }).release();
    expect(ready.annotations).toHaveLength(2);
    expect([story.path, story.editor.notice]).toEqual(["superpixels.ready", null]);
    expect(story.annotations).toEqual(ready.annotations);
    expect(story.key("Mod+Z").annotations).toHaveLength(2);
    expect(story.key("Mod+Z").key("Mod+Z").annotations).toEqual([]);
  });

  test("are those that were visible at the press, though the view has moved on since", async () => {
    const story = withTool("U", { "superpixel-size": 20 });
    const [left, right] = [camera(2, 0, 0), camera(2, -200, 0)];
    story.editor.moveCamera(left);
    // On the left half, then on the right one, then away from both.
    story.click(60, 60);
    story.editor.moveCamera(right);
    story.click(80, 80);
    story.editor.moveCamera(camera(8, 0, 0));
    await answered();
    expect([story.path, story.editor.notice]).toEqual(["superpixels.ready", null]);
    expect(story.annotations).toHaveLength(2);
    expect(without(rectangle(30, 30, 1, 1), covered(story.annotations[0]))).toHaveLength(0);
    expect(without(rectangle(140, 40, 1, 1), covered(story.annotations[1]))).toHaveLength(0);
    // Those of what is visible come after them.
    await answered();
    expect(story.editor.hand.preview.superpixels).toMatchObject({ left: 0, top: 0, across: 25 });
  });

  test("drop the last gesture that waits by Backspace, all by Escape", async () => {
    const story = withTool("U", { "superpixel-size": 20 });
    story.click(30, 30).click(130, 40).key("Backspace");
    await answered();
    expect(story.annotations).toHaveLength(1);
    const other = withTool("U", { "superpixel-size": 20 });
    other.click(30, 30).click(130, 40);
    expect(other.editor.notice).toContain("being computed");
    expect(other.key("Escape").editor.notice).toBeNull();
    await answered();
    expect([other.path, other.annotations, other.editor.notice]).toEqual(["superpixels.ready", [], null]);
  });

  test("that do not come are told of with what is lost by it, and asked for again though older ones are there", async () => {
    const story = withTool("U", { "superpixel-size": 20 });
    story.editor.moveCamera(camera(2, 0, 0));
    await answered();
    const sight = story.editor.sight!;
    const failing = (): Promise<never> => Promise.reject(new SightError("The picture did not come."));
    story.editor.sight = { ...sight, superpixels: failing };
    story.editor.moveCamera(camera(2, -200, 0));
    story.click(80, 80);
    await answered();
    expect([story.path, story.annotations]).toEqual(["superpixels.ready", []]);
    expect(story.editor.notice).toBe("The picture did not come. What you went over is not joined.");
    story.editor.sight = sight;
    story.click(80, 80);
    await answered();
    expect(story.annotations).toHaveLength(1);
  });

  test("say so where a drag leaves those that are there", async () => {
    const story = withTool("U", { "superpixel-size": 20 });
    story.editor.moveCamera(camera(2, 0, 0));
    await answered();
    story.press(60, 60);
    story.editor.moveCamera(camera(2, -200, 0));
    story.move(80, 80).release();
    expect(story.editor.notice).toContain("had no superpixels yet");
    expect(story.annotations).toHaveLength(1);
  });

  test("cover the image without a gap, and Escape drops what was joined", async () => {
    const story = withTool("U", { "superpixel-size": 30 });
    story.move(30, 30);
    await answered();
    const { labels } = story.editor.hand.preview.superpixels!;
    expect(labels.every((label) => label >= 0)).toBe(true);
    story.press(30, 30).move(90, 80).key("Escape").release();
    expect(story.annotations).toEqual([]);
    expect(story.path).toBe("superpixels.ready");
  });
});

describe("who waits for what is drawn", () => {
  test.each(FINISHED)("waits for what %s computes, and for no hand", async (key, gesture) => {
    const story = withTool(key);
    gesture(story);
    expect(story.annotations).toEqual([]);
    await story.editor.computed();
    expect(story.annotations).toHaveLength(1);
    // Nobody knows when it is let go.
    story.press(100, 30);
    await story.editor.computed();
    expect(story.editor.hand.busy).toBe(true);

    const dropped = withTool(key);
    gesture(dropped);
    const computed = dropped.editor.computed();
    dropped.key("Escape");
    await computed;
    await answered();
    expect(dropped.annotations).toEqual([]);
  });
});

describe("what is computed for a finished gesture", () => {
  test.each(FINISHED)("is drawn before another tool is in hand (%s)", async (key, gesture) => {
    const story = withTool(key);
    gesture(story).key("B").key("V");
    // Meant for the tool that comes.
    story.click(130, 40);
    await story.editor.computed();
    expect([story.path, story.annotations.length]).toEqual(["select.idle", 1]);
    // Who drops it need not wait.
    gesture(story.key(key)).key("B").key("Escape");
    expect(story.path).toBe("box.ready");
  });
});

describe("the scissors", () => {
  const options = { combine: "new" };

  test("follow an edge from click to click and close to a polygon by Enter", async () => {
    const story = withTool("S", options, picture((x, y) => (within(x, y, [40, 20, 80, 60]) ? RED : GREY)));
    // Three corners; the edges between them are found, and so is the way back to the first.
    story.click(40, 20).click(119, 20).click(119, 79).click(40, 79);
    await answered();
    story.key("Enter");
    expect([story.editor.hand.cursor, story.editor.hand.hints[0]?.gesture]).toEqual(["progress", "Wait"]);
    await answered();
    expect(story.path).toBe("scissors.ready");
    expect(story.annotations).toHaveLength(1);
    const found = covered(story.annotations[0]);
    expect(without(found, rectangle(38, 18, 84, 64))).toHaveLength(0);
    expect(areaOf(story.annotations[0])).toBeGreaterThan(4800 * 0.93);
    expect(story.key("Mod+Z").annotations).toEqual([]);
  });

  test("go round a corner that nobody clicked", async () => {
    const story = withTool("S", options, picture((x, y) => (within(x, y, [40, 20, 80, 60]) ? RED : GREY)));
    story.click(41, 20).move(119, 78);
    await answered();
    const { line } = story.editor.hand.preview;
    const corner = line.some(({ x, y }) => (x > 115 && y < 25) || (x < 45 && y > 74));
    expect(corner).toBe(true);
  });

  test("take back the last point by Backspace, drop all by Escape, and need three points", async () => {
    const story = withTool("S", options);
    story.click(40, 20).click(80, 20).click(80, 60).key("Backspace");
    expect(story.editor.hand.preview.dots).toHaveLength(2);
    story.key("Enter");
    expect(story.editor.notice).toContain("at least three points");
    story.key("Backspace").key("Backspace");
    expect(story.path).toBe("scissors.ready");
    story.click(40, 20).click(80, 20).key("Escape");
    await answered();
    expect(story.annotations).toEqual([]);
    expect(story.path).toBe("scissors.ready");
  });

  test("close with a click on the first point, and can be cut out of what is selected", async () => {
    const story = withTool("S", { combine: "subtract" });
    story.editor.select([story.given({ segmentation: mask(rectangle(0, 0, 200, 100)) })]);
    story.click(20, 20).click(60, 20).click(60, 60).click(20, 60).click(20, 20);
    await answered();
    expect(story.path).toBe("scissors.ready");
    expect(story.annotations).toHaveLength(1);
    expect(areaOf(story.annotations[0])).toBeLessThan(20_000 - 1_000);
  });
});

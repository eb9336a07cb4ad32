import { expect, test, vi } from "vitest";

import { convertOne, type Converter } from "../../src/editor/converting";
import { WorkerConverter, type ConversionAnswer, type ConversionRequest } from "../../src/editor/worker-converter";
import { pack, unpacked } from "../../src/model/packed";
import type { Annotation } from "../../src/model/records";
import * as shapes from "../../src/shapes";
import { pixelsOf, readingOf } from "../../src/shapes/pixels";
import { Story } from "../story";

/** So many spikes over the whole image that it is left to a worker. */
const STAR = Array.from({ length: 1000 }, (_, i) => {
  const angle = (2 * Math.PI * i) / 1000;
  const radius = i % 2 === 0 ? 400 : 20;
  return [Math.round(100 + radius * Math.cos(angle)), Math.round(50 + radius * Math.sin(angle))];
}).flat();

function withStar(): { story: Story; answer: () => Promise<void>; stopped: ReturnType<typeof vi.fn> } {
  const story = new Story();
  let answer: () => void = () => undefined;
  const stopped = vi.fn();
  story.editor.converter = {
    convert: (annotations, size, to) =>
      new Promise((resolve) => (answer = () => resolve(annotations.map((each) => convertOne(each, size, to))))),
    stop: stopped,
  } satisfies Converter;
  story.editor.select([story.given({ segmentation: [STAR] })]);
  return { story, stopped, answer: async () => (answer(), new Promise((done) => setTimeout(done))) };
}

test("a large shape is converted elsewhere, and becomes the same in one step", async () => {
  const { story, answer } = withStar();
  const [before] = story.annotations;
  story.key("Shift+M");
  expect([story.path, story.editor.hand.busy, story.editor.hand.cursor]).toEqual(["select.waiting", true, "progress"]);
  expect(story.annotations).toEqual([before]);
  // What is pressed meanwhile means nothing.
  story.drag([100, 50], [120, 50]).key("Delete").key("Enter");
  await answer();
  expect(story.path).toBe("select.idle");
  expect(story.annotations[0]).toEqual(convertOne(before!, [100, 200], "mask"));
  story.key("Mod+Z");
  expect(story.annotations[0]).toBe(before);
});

test("another tool is in hand once it is done", async () => {
  const { story, answer } = withStar();
  const [before] = story.annotations;
  story.key("Shift+M").key("B");
  await answer();
  expect(story.annotations[0]).toEqual(convertOne(before!, [100, 200], "mask"));
  expect(story.path).toBe("box.ready");
});

test("Escape drops it, and so does undo: a late answer changes nothing", async () => {
  for (const drop of ["Escape", "Mod+Z"]) {
    const { story, answer, stopped } = withStar();
    const [before] = story.annotations;
    story.key("Shift+M").key(drop);
    expect(stopped, drop).toHaveBeenCalledOnce();
    expect(story.editor.hand.busy).toBe(false);
    await answer();
    expect(story.annotations[0]).toBe(before);
    expect(story.editor.history.depth).toBe(0);
  }
});

test("what somebody else changed meanwhile stays as it is", async () => {
  const { story, answer } = withStar();
  const [key] = story.selected;
  story.key("Shift+M");
  const theirs = { ...story.annotations[0]!, caption: "theirs" };
  story.editor.document.apply(new Map([[key!, theirs]]), "remote");
  await answer();
  expect(story.annotations).toEqual([theirs]);
  expect(story.editor.notice).toContain("stays as it is");
  expect(story.editor.hand.busy).toBe(false);
});

test("a worker that fails is told of", async () => {
  const { story } = withStar();
  story.editor.converter = { convert: () => Promise.reject(new Error("Out of memory.")), stop: () => undefined };
  story.key("Shift+M");
  await new Promise((done) => setTimeout(done));
  expect([story.editor.notice, story.path]).toEqual(["Out of memory.", "select.idle"]);
});

/** Answers as the worker's own file does, with what a message makes of both. */
class Answering {
  onmessage: ((event: { data: ConversionAnswer }) => void) | null = null;
  readonly terminate = vi.fn();

  postMessage(request: ConversionRequest): void {
    const { packed, size, to } = structuredClone(request);
    const made = [...unpacked(packed)].map((each) => each && convertOne(each, size, to));
    const answer = { packed: pack(made), readings: made.map((each) => each && readingOf(each, size)) };
    setTimeout(() => this.onmessage?.({ data: structuredClone(answer) }));
  }
}

test("what a worker gives is what would have been made here, with all that is known of it", async () => {
  const worker = new Answering();
  const converter = new WorkerConverter(() => worker as unknown as Worker);
  const size = [100, 200] as const;
  const star: Annotation = { ...withStar().story.annotations[0]!, attributes: { a: 1 } };
  const [made] = await converter.convert([star], size, "mask");
  const here = convertOne(star, size, "mask")!;
  expect(made).toEqual(here);
  expect(shapes.measures(made!)).toEqual(shapes.measures(here));
  expect(pixelsOf(made!, size)).toEqual(pixelsOf(here, size));
  expect(worker.terminate, "it holds the shape no longer").toHaveBeenCalled();
  const [back] = await converter.convert([made!], size, "polygons");
  expect(back).toEqual(convertOne(here, size, "polygons"));
});

test("one that was stopped gives no answer any more", async () => {
  const converter = new WorkerConverter(() => new Answering() as unknown as Worker);
  const answer = converter.convert(withStar().story.annotations, [100, 200], "mask");
  converter.stop();
  await expect(answer).rejects.toThrow("dropped");
});

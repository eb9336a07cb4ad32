import { expect, test, vi } from "vitest";

import { eachTold, Inspection, type InspectionRequest, type Inspector } from "../../src/editor/inspection";
import { crossesItself, findProblems, type Problem } from "../../src/editor/problems";
import { rleOf } from "../../src/geometry/runs";
import { EMPTY_ANNOTATION, type Annotation, type AnnotationKey } from "../../src/model/records";
import { CUP, PERSON, Story } from "../story";

const IMAGE = { width: 200, height: 100, categoryIds: new Set([7, 8]) };
const found = (...all: Partial<Annotation>[]) =>
  findProblems(
    all.map((each, i) => ({
      key: `k${i}` as AnnotationKey,
      annotation: { ...EMPTY_ANNOTATION, category_id: 7, ...each },
    })),
    IMAGE,
  ).map(({ key, kind, other }) => [key, kind, ...(other ? [other] : [])].join(" "));

test.each<[string, Partial<Annotation>, string[]]>([
  ["a good box", { bbox: [10, 10, 20, 20] }, []],
  ["a box up to the edges", { bbox: [0, 0, 200, 100] }, []],
  ["a box beyond the edge", { bbox: [190, 10, 20, 20] }, ["outside"]],
  ["rounding at the edge", { bbox: [180, 10, 20.3, 20] }, []],
  ["a sliver", { bbox: [10, 10, 50, 1.5] }, ["tiny"]],
  ["a category that is gone", { bbox: [10, 10, 20, 20], category_id: 99 }, ["no-category"]],
  ["a caption", { category_id: null, caption: "A street." }, []],
  ["one keypoint", { keypoints: [5, 5, 2] }, []],
  ["a bow tie", { segmentation: [[10, 10, 50, 50, 50, 10, 10, 50]] }, ["crossing"]],
  ["a mask", { segmentation: { size: [100, 200], counts: "0" } }, []],
])("%s", (_, annotation, kinds) => {
  expect(found(annotation)).toEqual(kinds.map((kind) => `k0 ${kind}`));
});

test("nearly the same of one category is told once, of another category or size not", () => {
  const box = { bbox: [10, 10, 50, 50] } as const;
  expect(found(box, { bbox: [11, 11, 50, 50] })).toEqual(["k1 duplicate k0"]);
  expect(found(box, { bbox: [11, 11, 50, 50], category_id: 8 })).toEqual([]);
  expect(found(box, { bbox: [20, 20, 50, 50] })).toEqual([]);
  expect(found(box, { bbox: [11, 11, 50, 50], iscrowd: 1 })).toEqual([]);
  expect(found(box, { segmentation: [[10, 10, 60, 10, 60, 60]] })).toEqual([]);
});

test("a ring crosses itself only where two edges pass through each other", () => {
  expect(crossesItself([0, 0, 10, 0, 10, 10, 0, 10])).toBe(false);
  // A point that touches an edge, and an edge that goes back on itself.
  expect(crossesItself([0, 0, 10, 0, 5, 0, 5, 10])).toBe(false);
  expect(crossesItself([0, 0, 10, 0, 10, 10, 5, 0, 0, 10])).toBe(false);
  expect(crossesItself([0, 0, 10, 10, 10, 0, 0, 9])).toBe(true);
});

test("10,000 objects are looked at in well under a second", () => {
  const all = Array.from({ length: 10_000 }, (_, i): Partial<Annotation> => {
    const [x, y] = [(i * 7919) % 190, (i * 104729) % 90];
    return { segmentation: [[x, y, x + 8, y, x + 8, y + 8, x, y + 8]], category_id: 7 + (i % 2) };
  });
  const start = performance.now();
  found(...all);
  // These lie on each other by the thousand: a worst case, some 300 ms on one core.
  expect(performance.now() - start).toBeLessThan(5_000);
});

/** A worker without a thread: it answers when told to. */
class Desk implements Inspector {
  onmessage: Inspector["onmessage"] = null;
  readonly requests: InspectionRequest[] = [];
  readonly #known = new Map<AnnotationKey, Annotation>();

  postMessage(request: InspectionRequest): void {
    this.requests.push(request);
    eachTold(request, (key, annotation) => annotation && this.#known.set(key, annotation));
  }

  answer(): void {
    const all = [...this.#known].map(([key, annotation]) => ({ key, annotation }));
    const data: readonly Problem[] = findProblems(all, this.requests.at(-1)!.image);
    this.onmessage?.({ data } as MessageEvent<readonly Problem[]>);
  }

  terminate(): void {
    this.requests.length = 0;
  }
}

test("problems are gone through in order, round and round, and only changes are sent", () => {
  const story = new Story();
  const sliver = story.given({ bbox: [10, 60, 50, 1] });
  const beyond = story.given({ bbox: [190, 10, 50, 20], category_id: CUP.id });
  story.given({ bbox: [60, 10, 20, 20], category_id: PERSON.id });
  const inspection = new Inspection(story.editor, () => new Map());
  const desk = new Desk();
  const stop = inspection.follow(() => desk);
  inspection.go(1);
  expect(story.editor.notice).toContain("No problems");
  desk.answer();
  inspection.go(1);
  expect(story.selected).toEqual([beyond]);
  inspection.go(1);
  expect(story.selected).toEqual([sliver]);
  inspection.go(1);
  expect(story.selected).toEqual([beyond]);
  inspection.go(-1);
  expect(story.selected).toEqual([sliver]);
  story.key("Delete");
  expect(inspection.problems.map(({ key }) => key)).toEqual([beyond]);
  expect(desk.requests.map(({ keys }) => keys.length)).toEqual([3, 1]);
  stop();
  story.key("Mod+Z");
  expect(desk.requests).toEqual([]);
});

test("of a mask it is told how large it is, and nothing of its pixels", () => {
  const story = new Story();
  const segmentation = rleOf(Uint32Array.of(1010, 1011), [100, 200]);
  const dot = story.given({ segmentation });
  const before = story.editor.document.get(dot);
  const inspection = new Inspection(story.editor, () => new Map());
  const desk = new Desk();
  const stop = inspection.follow(() => desk);
  const [{ packed, measures }] = desk.requests as [InspectionRequest];
  expect(packed.annotations[0]?.mask).toEqual({ size: [100, 200], counts: [] });
  expect(measures).toEqual([{ area: 1, bounds: { left: 10, top: 10, right: 11, bottom: 11 } }]);
  desk.answer();
  expect(inspection.problems).toEqual([{ key: dot, kind: "tiny" }]);
  expect(story.editor.document.get(dot)).toBe(before);
  expect(before?.segmentation).toBe(segmentation);
  stop();
});

test("who has nothing to look at goes, and whoever comes then is told everything", () => {
  vi.useFakeTimers();
  const story = new Story();
  const sliver = story.given({ bbox: [10, 60, 50, 1] });
  const beyond = story.given({ bbox: [190, 10, 50, 20], category_id: CUP.id });
  const desks: Desk[] = [];
  const inspection = new Inspection(story.editor, () => new Map());
  const stop = inspection.follow(() => {
    desks.push(new Desk());
    return desks.at(-1)!;
  });
  desks[0]!.answer();
  vi.advanceTimersByTime(50_000);
  story.click(190 + 5, 15);
  story.key("Delete");
  expect(desks[0]!.requests.map(({ keys }) => keys)).toEqual([[sliver, beyond], [beyond]]);
  desks[0]!.answer();
  const late = desks[0]!.onmessage;
  vi.advanceTimersByTime(60_000);
  expect([late === null, desks[0]!.onmessage]).toEqual([false, null]);
  expect(desks.map(({ requests }) => requests.length)).toEqual([0]);
  story.key("Mod+Z");
  expect(desks[1]!.requests.map(({ keys }) => [...keys].sort())).toEqual([[sliver, beyond].sort()]);
  desks[1]!.answer();
  expect(inspection.problems.map(({ key }) => key).sort()).toEqual([sliver, beyond].sort());
  stop();
  vi.useRealTimers();
});

test("very many are told bit by bit, and none of them during a gesture", () => {
  vi.useFakeTimers();
  const story = new Story();
  for (let i = 0; i < 600; i++) story.given({ bbox: [i % 190, 10, 5, 5] });
  const sliver = story.given({ bbox: [10, 60, 50, 1] });
  story.key("V").click(30, 60);
  const inspection = new Inspection(story.editor, () => new Map());
  const desk = new Desk();
  const stop = inspection.follow(() => desk);
  const sent = (): unknown => desk.requests.map(({ keys, more }) => [keys.length, more]);
  expect(sent()).toEqual([[250, true]]);
  story.press(30, 60).move(35, 65);
  const before = sent();
  vi.advanceTimersByTime(1_000);
  expect(sent()).toEqual(before);
  story.release();
  vi.advanceTimersByTime(1_000);
  const lengths = desk.requests.map(({ keys }) => keys.length);
  expect(desk.requests.map(({ more }) => more)).toEqual([true, true, false]);
  expect([Math.max(...lengths), lengths.reduce((a, b) => a + b)]).toEqual([250, 601]);
  desk.answer();
  expect(inspection.problems.map(({ key }) => key)).toContain(sliver);
  stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

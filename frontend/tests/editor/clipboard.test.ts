import { expect, test, vi } from "vitest";

import { Clipboard } from "../../src/editor/clipboard";
import { countsOf, type Rle } from "../../src/geometry/rle";
import { copiedFrom, EMPTY_ANNOTATION, keyOfId, type Annotation, type AnnotationKey } from "../../src/model/records";
import { CUP, PERSON, Story } from "../story";

/** The store of a browser, with room for so many characters. */
function shelf(room = 1_000_000) {
  const kept = new Map<string, string>();
  return {
    getItem: (name: string) => kept.get(name) ?? null,
    removeItem: (name: string) => void kept.delete(name),
    setItem: (name: string, text: string) => {
      if (text.length > room) throw new Error("QuotaExceededError");
      kept.set(name, text);
    },
  };
}

const WHOLE: Partial<Annotation> = {
  segmentation: [[20.125, 20, 60, 20, 60, 60, 20, 60]],
  holes: [[30, 30, 40, 30, 40, 40]],
  keypoints: [30, 30.5, 2, 0, 0, 0, 31, 31, 1],
  iscrowd: 1,
  attributes: { truncated: true, list: [1, "a", null] },
  score: 0.5,
};

/** The same annotation as the server has it, under its id. */
function saved(story: Story, id: number, annotation: Partial<Annotation>): AnnotationKey {
  const key = story.given(annotation);
  const known = keyOfId(id);
  const { document } = story.editor;
  document.apply(new Map([[known, document.get(key)], [key, null]]), "remote");
  document.setFacts(known, { id, other_keys: ["dp_I"] } as never);
  return known;
}

/** Another image of the same dataset, on a page that was loaded anew. */
function nextImage(store: ReturnType<typeof shelf>, options: ConstructorParameters<typeof Story>[0] = {}): Story {
  const story = new Story({ clipboard: new Clipboard(store), ...options });
  story.editor.image = { ...story.editor.image, id: 2 };
  return story;
}

test("what is copied on one image is pasted on the next, with all that belongs to it", () => {
  const store = shelf();
  const story = new Story({ clipboard: new Clipboard(store) });
  const key = saved(story, 17, WHOLE);
  const original = story.editor.document.get(key)!;
  story.click(50, 50).key("Mod+C");
  expect(story.editor.notice).toBe("1 object copied.");
  expect(story.editor.history.undoLabel).toBeNull();

  const next = nextImage(store).key("Mod+V");
  expect(next.annotations).toEqual([original]);
  expect(next.selected.map(copiedFrom)).toEqual([17]);
  expect(next.key("Mod+Z").annotations).toEqual([]);
  expect(next.key("Mod+Shift+Z").annotations).toEqual([original]);
});

test("cut takes away, and paste puts back in place; both are one step of undo each", () => {
  const story = new Story();
  const keys = [saved(story, 1, { bbox: [10, 10, 20, 20] }), story.given({ bbox: [50, 10, 20, 20] })];
  const before = story.annotations;
  story.drag([5, 5], [100, 50]).key("Mod+X");
  expect(story.annotations).toEqual([]);
  story.key("Mod+V");
  expect(story.annotations).toEqual(before);
  expect(story.selected).toHaveLength(2);
  expect(story.selected).not.toContain(keys[0]);
  expect(story.key("Mod+Z").annotations).toEqual([]);
  expect(story.key("Mod+Z").annotations).toEqual(before);
});

test("a duplicate lies on its original and is selected, so that a drag moves it away", () => {
  const story = new Story();
  const key = saved(story, 4, WHOLE);
  story.click(50, 50).key("Mod+D");
  expect(story.annotations[1]).toEqual(story.annotations[0]);
  expect(story.selected).not.toContain(key);
  story.drag([50, 50], [70, 50]);
  expect(story.annotations[0]?.segmentation).toEqual(WHOLE.segmentation);
  expect(story.annotations[1]?.segmentation).toEqual([[40.125, 20, 80, 20, 80, 60, 40, 60]]);
  // A duplicate of one that is not saved yet is a copy of the same original.
  story.key("Mod+D");
  expect(story.selected.map(copiedFrom)).toEqual([4]);
});

test("at the pointer the middle of all lies under it, by whole pixels where there is a mask", () => {
  const story = new Story();
  story.given({ bbox: [10, 10, 20, 20] });
  story.given({ bbox: [40, 10, 10, 10] });
  story.key("Mod+A").key("Mod+C").move(100.25, 60).key("Mod+Shift+V");
  expect(story.annotations.slice(2).map(({ bbox }) => bbox)).toEqual([
    [80.25, 50, 20, 20],
    [110.25, 50, 10, 10],
  ]);
  story.editor.pointerAt = null;
  story.key("Mod+Shift+V");
  expect([story.annotations.length, story.editor.notice]).toEqual([4, expect.stringContaining("Point at the place")]);
  const masked = new Story();
  // Rows 10 to 19 of the columns 10 and 11, and a box beside them.
  masked.given({ segmentation: { size: [100, 200], counts: [1010, 10, 90, 10, 18880] } });
  masked.given({ bbox: [12, 10, 2, 10] });
  masked.key("Mod+A").key("Mod+C").move(112.4, 65.3).key("Mod+Shift+V");
  expect(masked.annotations[3]?.bbox).toEqual([112, 60, 2, 10]);
  const counts = [11060, 10, 90, 10, 8830];
  expect([...countsOf(masked.annotations[2]?.segmentation as Rle)]).toEqual(counts);
});

test("what reaches beyond another image is told and kept, and cut only when asked", () => {
  const store = shelf();
  const story = new Story({ clipboard: new Clipboard(store) });
  story.given({ bbox: [150, 50, 40, 40] });
  story.given({ segmentation: [[150, 10, 190, 10, 190, 40]], keypoints: [150, 10, 2, 190, 10, 2, 0, 0, 0] });
  story.given({ segmentation: { size: [100, 200], counts: [19000, 100, 900] } });
  story.key("Mod+A").key("Mod+C");

  const small = nextImage(store);
  small.editor.image = { ...small.editor.image, width: 170, height: 80 };
  small.key("Mod+V");
  expect(small.annotations.map(({ bbox }) => bbox)).toEqual([[150, 50, 40, 40], null]);
  expect(small.editor.notice).toBe(
    "2 objects pasted. 1 not pasted: a mask cannot reach beyond its image; “Paste, cut off at the edges” " +
      "cuts it. 2 reach beyond the image and stay as drawn; undo and choose “Paste, cut off at the edges” to cut.",
  );
  small.key("Mod+Z").run("paste-clipped");
  const [box, polygon, ...rest] = small.annotations;
  expect(rest).toEqual([]);
  expect(box?.bbox).toEqual([150, 50, 20, 30]);
  expect(polygon?.segmentation).toEqual([[170, 25, 150, 10, 170, 10]]);
  expect(polygon?.keypoints).toEqual([150, 10, 2, 0, 0, 0, 0, 0, 0]);
  expect(small.editor.notice).toContain("1 not pasted: nothing of it");
});

test("in another dataset the category is found by its name, or the object is left out", () => {
  const store = shelf();
  const story = new Story({ clipboard: new Clipboard(store) });
  story.given({ bbox: [10, 10, 20, 20] });
  story.given({ bbox: [40, 10, 20, 20], keypoints: [41, 11, 2, 0, 0, 0, 0, 0, 0] });
  story.given({ bbox: [70, 10, 20, 20], category_id: CUP.id });
  story.key("Mod+A").key("Mod+C");
  const other = nextImage(store, { categories: [{ ...PERSON, id: 70, keypoints: ["head"] }] });
  other.editor.image = { ...other.editor.image, dataset_id: 2 };
  other.key("Mod+V");
  // Keypoints of other names would say something wrong.
  expect(other.annotations).toMatchObject([
    { category_id: 70, bbox: [10, 10, 20, 20] },
    { category_id: 70, bbox: [40, 10, 20, 20], keypoints: null },
  ]);
  expect(other.editor.notice).toContain("1 not pasted: this dataset has no category “cup”.");
});

test("a label that the image has already is not pasted twice, a caption is", () => {
  const story = new Story();
  story.given({ category_id: CUP.id });
  story.given({ category_id: null, caption: "A cup." });
  story.key("Mod+A").key("Mod+C").key("Mod+V");
  expect(story.annotations.map(({ caption }) => caption)).toEqual([null, "A cup.", "A cup."]);
  expect(story.editor.notice).toContain("1 not pasted: the image has this label already.");
});

test("too much for the browser's store is there until the page is closed, and told; never an older clip instead", () => {
  const store = shelf(1_000);
  const clipboard = new Clipboard(store);
  const story = new Story({ clipboard });
  const old = story.given({ bbox: [10, 10, 20, 20] });
  story.click(20, 20).key("Mod+C");
  story.editor.remove([old]);
  const attributes = { text: "a".repeat(1_000) };
  story.given({ bbox: [50, 10, 20, 20], attributes });
  story.click(60, 20).key("Mod+X");
  expect(story.editor.notice).toContain("until the page is closed");
  expect(story.annotations).toEqual([]);
  expect(nextImage(store, { clipboard }).key("Mod+V").annotations).toMatchObject([{ attributes }]);
  expect(nextImage(store).key("Mod+V").annotations).toEqual([]);
});

const ME = { id: 1, since: "2026-01-01T00:00:00.000001+00:00" };
const PLACE = "maskwright-clipboard-1-1";

/** Two tabs of mine, of which one hears what the other stores. */
function tabs(room?: number) {
  const store = shelf(room);
  const [mine, other] = [new Clipboard(store, ME), new Clipboard(store, ME)];
  const story = new Story({ clipboard: mine });
  story.given({ bbox: [10, 10, 20, 20] });
  story.click(20, 20).key("Mod+C");
  other.heard(PLACE);
  return { store, mine, other, story };
}

test("another tab of the same person pastes it once it hears of it; another person does not", () => {
  const { store, other } = tabs();
  const somebody = new Clipboard(store, { ...ME, id: 2 });
  somebody.heard(PLACE);
  expect(new Story({ clipboard: other }).key("Mod+V").annotations).toMatchObject([{ bbox: [10, 10, 20, 20] }]);
  expect(new Story({ clipboard: somebody }).key("Mod+V").annotations).toEqual([]);
  expect(new Clipboard(store, { ...ME, id: 2 }).get()).toBeNull();
});

test("an account of the same number on another server gets nothing of it", () => {
  const { store } = tabs();
  const elsewhere = new Clipboard(store, { ...ME, since: "2026-02-02T00:00:00.000002+00:00" });
  expect(elsewhere.get()).toBeNull();
  expect(new Clipboard(store, ME).get()).not.toBeNull();
});

test("a tab that hears of a copy that was too large pastes nothing older, and says why", () => {
  const { store, mine, other, story } = tabs(1_000);
  story.given({ bbox: [50, 10, 20, 20], attributes: { text: "a".repeat(1_000) } });
  story.click(60, 20).key("Mod+C");
  other.heard(PLACE);
  const there = new Story({ clipboard: other }).key("Mod+V");
  expect(there.annotations).toEqual([]);
  expect(there.editor.notice).toContain("too much to be kept");
  expect(nextImage(store, { clipboard: new Clipboard(store, ME) }).key("Mod+V").editor.notice).toContain("too much to be kept");
  expect(nextImage(store, { clipboard: mine }).key("Mod+V").annotations).toHaveLength(1);
  // The next copy is handed on again.
  story.click(20, 20).key("Mod+C");
  other.heard(PLACE);
  expect(new Story({ clipboard: other }).key("Mod+V").annotations).toMatchObject([{ bbox: [10, 10, 20, 20] }]);
});

test("what other things are stored is not looked at; an emptied store has no clip", () => {
  const { store, other } = tabs();
  const read = vi.spyOn(store, "getItem");
  other.heard("maskwright-display-1");
  expect(read).not.toHaveBeenCalled();
  store.removeItem(PLACE);
  other.heard(null);
  expect(other.get()).toBeNull();
});

const ITEM = {
  annotation: { ...EMPTY_ANNOTATION, ...WHOLE, category_id: 7 },
  of: 17,
  category: { name: "person", keypoints: ["nose"] },
};
const stored = (items: unknown, since = ME.since): string =>
  JSON.stringify({ since, clip: { imageId: 1, datasetId: 1, items } });
const withField = (field: string, value: unknown): string =>
  stored([ITEM, { ...ITEM, annotation: { ...ITEM.annotation, [field]: value } }]);

test("a whole clip in the store is read", () => {
  const store = shelf();
  const mask = { ...EMPTY_ANNOTATION, segmentation: { size: [2, 2], counts: "04" }, bbox: [0, 0, 2, 2] };
  const items = [ITEM, { annotation: mask, of: null, category: null }];
  store.setItem(PLACE, stored(items));
  expect(new Clipboard(store, ME).get()).toEqual({ imageId: 1, datasetId: 1, items });
});

test.each([
  ...["{", "7", "null", "[]", '"too large"', '{"imageId": 1, "datasetId": 1, "items": []}'],
  ...[stored({}), stored([null]), stored([ITEM, {}]), stored([{ ...ITEM, of: "17" }]), stored([ITEM], "")],
  ...[stored([{ ...ITEM, category: { name: "person" } }]), stored([{ ...ITEM, annotation: undefined }])],
  ...[withField("segmentation", "x"), withField("segmentation", [[1, "2"]]), withField("segmentation", { size: [2] })],
  ...[withField("holes", undefined), withField("holes", null), withField("keypoints", ["a"]), withField("bbox", [1, 2])],
  ...[withField("iscrowd", 2), withField("attributes", []), withField("caption", 1), withField("more", 1)],
])("%s in the store is no clip, and leaves the one that is there", (text) => {
  const store = shelf();
  const clipboard = new Clipboard(store, ME);
  const clip = { imageId: 1, datasetId: 1, items: [] };
  clipboard.put(clip);
  store.setItem(PLACE, text);
  clipboard.heard(PLACE);
  expect(clipboard.get()).toEqual(clip);
  expect(new Clipboard(store, ME).get()).toBeNull();
});

test("a viewer copies and pastes nothing; in the middle of a gesture nobody does", () => {
  const viewer = new Story({ readOnly: true });
  viewer.given({ bbox: [10, 10, 20, 20] });
  viewer.click(20, 20).key("Mod+C").key("Mod+V").key("Mod+D").key("Mod+X");
  expect(viewer.annotations).toHaveLength(1);
  const story = new Story();
  story.given({ bbox: [10, 10, 20, 20] });
  story.click(20, 20).key("Mod+C").press(20, 20).move(40, 20).key("Mod+V").key("Mod+D");
  expect(story.release(40, 20).annotations).toHaveLength(1);
});

import { expect, test } from "vitest";

import { COMMANDS } from "../src/editor/commands";
import { ends } from "../src/panels/text";
import { families, helpGroups, ranked, shortened, withRecent } from "../src/panels/command-list";
import { shownTools } from "../src/panels/rail";
import {
  categoryOrder,
  countsByCategory,
  grouped,
  keysBetween,
  objectFrom,
  objectRows,
  rowAfter,
  rowTip,
  type Sort,
} from "../src/panels/objects";
import { ago, areaText, boxText, initials } from "../src/panels/text";
import type { Category } from "../src/model/records";
import { CUP, PERSON, Story } from "./story";

test("rows are sorted as asked", () => {
  const story = new Story();
  story.given({ bbox: [0, 0, 10, 10], category_id: CUP.id });
  story.given({ bbox: [0, 0, 50, 50], category_id: PERSON.id });
  story.given({ bbox: [0, 0, 20, 20], category_id: CUP.id });
  const areas = (sort: Sort) => objectRows(story.editor, { sort }).map(({ area }) => area);
  expect(areas("area")).toEqual([2500, 400, 100]);
  expect(areas("newest")).toEqual([400, 2500, 100]);
  expect(areas("category")).toEqual([400, 100, 2500]);
  // A label says that there is one, and is none itself.
  story.given({ category_id: PERSON.id });
  expect(countsByCategory(story.editor)).toEqual(new Map([[CUP.id, 2], [PERSON.id, 1]]));
});

test("the help sheet tells what belongs together on one line, and finds words and keys", () => {
  const lines = helpGroups(COMMANDS).flatMap((group) => group.lines);
  expect(lines.find(({ label }) => label === "The first nine categories")?.keys).toHaveLength(9);
  expect(lines.filter(({ keys }) => keys.includes("1"))).toHaveLength(1);
  const found = (query: string) => helpGroups(COMMANDS, query).flatMap((group) => group.lines.map(({ label }) => label));
  expect(found("whole image")).toEqual(["Fit the image"]);
  expect(found("mod+z")).toEqual(["Undo"]);
  expect(found("no such thing")).toEqual([]);
  expect(shortened(["Shift+A", "Shift+B", "Shift++"])).toEqual(["Shift+A", "B", "+"]);
  expect(shortened(["+", "="])).toEqual(["+", "="]);
});

test("the list of keys has one line for what belongs together, in order", () => {
  const found = families(COMMANDS);
  expect(found.filter(({ members }) => members.some(({ id }) => id.startsWith("category-"))).map(({ name, members }) => [name, members.length])).toEqual([
    ["The first nine categories", 9],
  ]);
  expect(found.flatMap(({ members }) => members)).toHaveLength(COMMANDS.length);
});

test("the palette ranks a label's beginning above its words, letters in order and the help", () => {
  const entries = [
    ["Zoom in", ""],
    ["Invert the image", "Turns zooming upside down."],
    ["Keep zoom on the next image", ""],
    ["Zebra of old oaks, maybe", ""],
    ["Fit", ""],
  ].map(([label, help], i) => ({ id: `c${i}`, label: label!, help: help! }));
  const found = (query: string, recent: string[] = []) => ranked(entries, query, recent).map(({ id }) => id);
  expect(found("zoom")).toEqual(["c0", "c2", "c3", "c1"]);
  expect(found("image zoom")).toEqual(["c2", "c1"]);
  expect(found("kzi")).toEqual(["c2"]);
  expect(found("nothing such")).toEqual([]);
  expect(found("", ["c4", "c2"])).toEqual(["c4", "c2", "c0", "c1", "c3"]);
  expect(withRecent(["a", "b"], "b")).toEqual(["b", "a"]);
});

test("a rail without room for all tools keeps the one in hand in sight", () => {
  const tools = Array.from({ length: 12 }, (_, i) => ({
    id: `t${i}`,
    label: `T${i}`,
    icon: "",
    key: "",
    help: "",
    edits: true,
  }));
  const ids = (list: readonly { id: string }[]) => list.map(({ id }) => id);
  expect(shownTools(tools, "t0", 12).more).toEqual([]);
  const some = shownTools(tools, "t9", 5);
  expect(ids(some.shown)).toEqual(["t0", "t1", "t2", "t9"]);
  expect(ids(some.more)).toEqual(["t3", "t4", "t5", "t6", "t7", "t8", "t10", "t11"]);
  expect(ids(shownTools(tools, "t0", -3).shown)).toEqual(["t0"]);
});

test("rows are found by category, id, text and attributes, every word of them", () => {
  const story = new Story();
  const red = story.given({ bbox: [0, 0, 9, 9], category_id: CUP.id, attributes: { colour: "Red", worn: true } });
  const said = story.given({ category_id: null, caption: "A red car" });
  const found = (filter: string) => objectRows(story.editor, { sort: "order", filter }).map(({ key }) => key);
  expect(found("red")).toEqual([red, said]);
  expect(found("cup colour:red")).toEqual([red]);
  expect(found("worn:true")).toEqual([red]);
  expect(found("caption car")).toEqual([said]);
  expect(found("cup car")).toEqual([]);
});

test("a caption is listed by its text, and without an area", () => {
  const story = new Story();
  story.given({ category_id: null, bbox: null, caption: "a red car" });
  const [row] = objectRows(story.editor, { sort: "order" });
  expect(row).toMatchObject({ name: "caption", caption: "a red car", area: 0 });
  expect(rowTip(row!)).toBe("caption “a red car”, COCO id not there yet");
});

test("grouped rows stand under their category; folding leaves the line above them", () => {
  const story = new Story();
  const cup = story.given({ bbox: [0, 0, 10, 10], category_id: CUP.id });
  const person = story.given({ bbox: [0, 0, 50, 50], category_id: PERSON.id });
  const other = story.given({ bbox: [0, 0, 20, 20], category_id: CUP.id });
  const rows = objectRows(story.editor, { sort: "area" });
  const list = grouped(story.editor, rows, new Set());
  expect(list.map((row) => (row.kind === "group" ? `${row.name} ${row.count}` : row.key))).toEqual([
    "cup 2", other, cup, "person 1", person,
  ]);
  expect(keysBetween(list, 4, 1)).toEqual([other, cup, person]);
  expect([objectFrom(list, 3, 1), objectFrom(list, 3, -1), objectFrom(list, 0, -1)]).toEqual([4, 2, null]);
  expect(grouped(story.editor, rows, new Set([CUP.id])).map(({ kind }) => kind)).toEqual(["group", "group", "object"]);
});

test("a short list of categories keeps its order, a long one begins with those in use", () => {
  const many: Category[] = Array.from({ length: 12 }, (_, i) => ({ ...CUP, id: i + 1, name: `c${i + 1}` }));
  const long = new Story({ categories: many });
  long.given({ bbox: [0, 0, 1, 1], category_id: 11 });
  expect(categoryOrder(long.editor).map(({ id }) => id).slice(0, 3)).toEqual([11, 1, 2]);
  const short = new Story();
  short.given({ bbox: [0, 0, 1, 1], category_id: CUP.id });
  expect(categoryOrder(short.editor)).toEqual([PERSON, CUP]);
});

test.each([
  ["ArrowDown", -1, 0],
  ["ArrowDown", 1, 2],
  ["ArrowDown", 2, 2],
  ["ArrowUp", 1, 0],
  ["ArrowUp", -1, 0],
  ["Home", 2, 0],
  ["End", 0, 2],
  ["Enter", 1, null],
])("in a list of three, %s leads from row %s to row %s", (key, at, row) => {
  expect(rowAfter(key, at, 3)).toBe(row);
  expect(rowAfter(key, -1, 0)).toBeNull();
});

test("numbers, times and names read well", () => {
  expect(areaText(17376.91)).toBe("17,376.9 px");
  expect(boxText([388.66, 69.92, 109.41, 277.62])).toBe("388.7, 69.9, 109.4, 277.6");
  const now = Date.parse("2026-01-01T12:00:00Z");
  expect(ago("2026-01-01T11:59:58Z", now)).toBe("2 s ago");
  expect(ago("2026-01-01T11:30:00Z", now)).toBe("30 min ago");
  expect(initials({ name: "Ana Kovač", email: "a@b.c" })).toBe("AK");
  expect(initials({ name: "", email: "jo.doe@b.c" })).toBe("JD");
});

test("a long name is cut in the middle, and is the same name", () => {
  expect(ends("traffic light")).toEqual(["traffic light", ""]);
  expect(ends("صورة-المطبخ-الكبير-جدا.jpg")[1]).toBe("");
  const name = "vertebrates/mammals/felines (small)";
  const [front, end] = ends(name);
  expect([front + end, end]).toEqual([name, " (small)"]);
});

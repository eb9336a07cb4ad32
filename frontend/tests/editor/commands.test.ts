import { afterEach, expect, test, vi } from "vitest";

import { categoriesWhollyIn, COMMANDS, toggleCategory } from "../../src/editor/commands";
import { keyLabel, keyName } from "../../src/editor/keys";
import { toolCommands, TOOLS } from "../../src/tools";
import { CUP, Story } from "../story";

afterEach(() => vi.useRealTimers());

const press = (key: string, modifiers: Partial<Parameters<typeof keyName>[0]> = {}) => ({
  key,
  code: "",
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  altKey: false,
  ...modifiers,
});

test.each([
  [press("z", { ctrlKey: true }), false, "Mod+Z"],
  [press("Z", { metaKey: true, shiftKey: true }), true, "Mod+Shift+Z"],
  [press("z", { ctrlKey: true }), true, "Z"],
  [press("?", { shiftKey: true }), false, "?"],
  [press("+", { shiftKey: true }), false, "+"],
  [press("h", { shiftKey: true }), false, "Shift+H"],
  [press("Enter", { shiftKey: true }), false, "Shift+Enter"],
  [press("ф", { code: "KeyA" }), false, "A"],
  [press("й", { code: "KeyQ", ctrlKey: true }), false, "Mod+Q"],
  [press("é", { code: "Digit2" }), false, "É"],
  [press("Shift", { shiftKey: true }), false, null],
])("%o on a Mac: %s is %s", (event, mac, name) => {
  expect(keyName(event, mac)).toBe(name);
});

test("keys are written as people read them", () => {
  expect(keyLabel("Mod+Shift+Z", false)).toBe("Ctrl Shift Z");
  expect(keyLabel("Mod+Shift+Z", true)).toBe("⌘ ⇧ Z");
  expect(keyLabel("+", false)).toBe("+");
});

test("every command and tool has an id, a label and a key of its own", () => {
  const commands = [...COMMANDS, ...toolCommands(TOOLS.map(({ info }) => info))];
  expect(new Set(commands.map(({ id }) => id)).size).toBe(commands.length);
  expect(commands.every(({ label, help }) => label.length > 0 && help.endsWith("."))).toBe(true);
  const keys = commands.flatMap((command) => command.keys);
  const shared = keys.filter((key, i) => keys.indexOf(key) !== i);
  // Backspace drops a point while drawing, and deletes the selection otherwise.
  expect(shared).toEqual(["Backspace"]);
});

test("the default keys are those that are promised", () => {
  const commands = [...COMMANDS, ...toolCommands(TOOLS.map(({ info }) => info))];
  const byKey = Object.fromEntries(commands.flatMap(({ id, keys }) => keys.map((key) => [key, id])));
  expect(byKey).toMatchObject({
    V: "tool-select",
    B: "tool-box",
    P: "tool-polygon",
    Enter: "complete",
    Escape: "cancel",
    Delete: "delete",
    "Mod+Z": "undo",
    "Mod+Shift+Z": "redo",
    F: "fit",
    H: "hide-selection",
    "1": "category-1",
    "9": "category-9",
  });
});

test("with the select tool a digit gives the selection its category, undoably", () => {
  const story = new Story();
  story.given({ bbox: [10, 10, 30, 30] });
  story.click(20, 20).key("2");
  expect(story.annotations[0]?.category_id).toBe(CUP.id);
  expect(story.editor.categoryId).toBe(CUP.id);
  expect(story.key("Mod+Z").annotations[0]?.category_id).toBe(7);
});

test("H hides the selection and shows it again; Shift+H everything", () => {
  const story = new Story();
  const key = story.given({ bbox: [10, 10, 30, 30] });
  const other = story.given({ bbox: [100, 10, 30, 30] });
  story.click(20, 20).key("H");
  expect(story.editor.visible(key)).toBe(false);
  story.key("H");
  expect(story.editor.visible(key)).toBe(true);
  story.key("Shift+H");
  expect([key, other].some((each) => story.editor.visible(each))).toBe(false);
  story.key("Shift+H");
  expect([key, other].every((each) => story.editor.visible(each))).toBe(true);
});

test("every object of a category is hidden or locked at once, and shown again", () => {
  const story = new Story();
  const person = story.given({ bbox: [10, 10, 30, 30] });
  const cups = [1, 2].map((i) => story.given({ bbox: [60 * i, 10, 30, 30], category_id: CUP.id }));
  const { editor } = story;
  toggleCategory(editor, CUP.id, "hidden");
  expect([person, ...cups].map((key) => editor.visible(key))).toEqual([true, false, false]);
  expect(categoriesWhollyIn(editor, "hidden")).toEqual(new Set([CUP.id]));
  editor.view.hidden.delete(cups[0]!);
  toggleCategory(editor, CUP.id, "hidden");
  expect(cups.map((key) => editor.visible(key))).toEqual([false, false]);
  toggleCategory(editor, CUP.id, "hidden");
  expect(editor.view.hidden.size).toBe(0);
  toggleCategory(editor, CUP.id, "locked");
  expect(story.click(70, 20).selected).toEqual([]);
});

test("deleting takes the annotation out of the selection, undoing brings it back as it was", () => {
  const story = new Story();
  story.given({ bbox: [10, 10, 30, 30] });
  const before = story.annotations;
  story.click(20, 20).key("Delete");
  expect(story.annotations).toEqual([]);
  expect(story.selected).toEqual([]);
  expect(story.key("Mod+Z").annotations).toEqual(before);
});

test("what is locked is neither deleted nor cut, and that is said; the others are", () => {
  const story = new Story();
  const locked = story.given({ bbox: [10, 10, 30, 30] });
  story.given({ bbox: [100, 10, 30, 30] });
  story.key("Mod+A").editor.view.locked.add(locked);
  story.key("Delete");
  expect([...story.editor.document.entries()].map(([key]) => key)).toEqual([locked]);
  expect(story.editor.notice).toContain("not deleted");
  story.editor.select([locked]);
  story.key("Mod+X");
  expect([story.annotations.length, story.editor.history.depth]).toEqual([1, 1]);
  expect(story.key("L").key("Mod+X").annotations).toEqual([]);
});

test("what was said of a gesture goes with it, by Escape and by another tool", () => {
  for (const key of ["Escape", "B"]) {
    const story = new Story().key("P").click(20, 10).click(80, 10).key("Enter");
    expect(story.editor.notice).toContain("three points");
    expect(story.key(key).editor.notice).toBeNull();
  }
});

test("arrow keys move the selection; a burst of them is one step, saved at its end", () => {
  vi.useFakeTimers();
  const story = new Story();
  story.given({ bbox: [10, 10, 30, 30] });
  story.click(20, 20).key("ArrowRight").key("ArrowRight").key("Shift+ArrowDown");
  expect(story.annotations[0]?.bbox).toEqual([12, 20, 30, 30]);
  expect(story.editor.history.open).toBe(true);
  vi.advanceTimersByTime(1000);
  expect(story.editor.history.open).toBe(false);
  story.key("ArrowLeft");
  expect(story.key("Mod+Z").annotations[0]?.bbox).toEqual([12, 20, 30, 30]);
  expect(story.key("Mod+Z").annotations[0]?.bbox).toEqual([10, 10, 30, 30]);
});

test("a burst of arrow keys is over when the page is left", () => {
  vi.useFakeTimers();
  const story = new Story();
  story.given({ bbox: [10, 10, 30, 30] });
  story.click(20, 20).key("ArrowRight").key("ArrowRight");
  const settled = vi.fn();
  story.editor.signal.on(["settled"], settled);
  story.editor.settle();
  expect([story.editor.history.open, settled.mock.calls.length]).toEqual([false, 1]);
  vi.advanceTimersByTime(1000);
  story.editor.settle();
  expect(settled.mock.calls.length).toBe(1);
});

test("a drag that begins within a burst of arrow keys is a step of its own, and is not cut short", () => {
  vi.useFakeTimers();
  const story = new Story();
  story.given({ bbox: [10, 10, 30, 30] });
  story.click(20, 20).key("ArrowRight").press(21, 20).move(31, 20);
  vi.advanceTimersByTime(1000);
  expect(story.path).toBe("select.moving");
  expect(story.editor.history.open).toBe(true);
  story.release(31, 20).key("Mod+Z");
  expect(story.annotations[0]?.bbox).toEqual([11, 10, 30, 30]);
});

test("what is locked is not moved by arrow keys, and a viewer moves nothing", () => {
  for (const readOnly of [false, true]) {
    const story = new Story({ readOnly });
    story.given({ bbox: [10, 10, 30, 30] });
    story.click(20, 20);
    if (!readOnly) story.key("L");
    story.key("ArrowRight");
    expect(story.annotations[0]?.bbox).toEqual([10, 10, 30, 30]);
    expect(story.editor.history.open).toBe(false);
  }
});

test("fit follows the size of the stage until the person zooms", () => {
  const { editor } = new Story();
  editor.fit();
  editor.resize({ width: 648, height: 600 });
  expect(editor.camera.scale).toBe(3);
  editor.zoom(2);
  editor.resize({ width: 848, height: 600 });
  expect(editor.camera.scale).toBe(6);
});

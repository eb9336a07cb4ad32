import { expect, test } from "vitest";

import { COMMANDS, type Command } from "../../src/editor/commands";
import { assignable, clashes, keysChange, takeKey, withKeys } from "../../src/editor/keymap";
import { TOOLS, toolCommands } from "../../src/tools";

const command = (id: string, keys: string[], more: Partial<Command> = {}): Command => ({
  id,
  label: id,
  group: "Edit",
  help: "",
  keys,
  run: () => undefined,
  ...more,
});
const SOME = [
  command("step-back", ["Backspace"]),
  command("delete", ["Delete", "Backspace"]),
  command("undo-decision", ["Mod+Z"], { as: "undo" }),
  command("undo", ["Mod+Z"]),
  command("fit", ["F"]),
];
const keysOf = (commands: readonly Command[], id: string) =>
  commands.find((each) => each.id === id)?.keys;

test("changed keys are in force, also for what stands for another command", () => {
  const now = withKeys(SOME, { undo: ["U"], fit: [], gone: ["X"] });
  expect(keysOf(now, "undo")).toEqual(["U"]);
  expect(keysOf(now, "undo-decision")).toEqual(["U"]);
  expect(keysOf(now, "fit")).toEqual([]);
  expect(keysOf(now, "delete")).toEqual(["Delete", "Backspace"]);
});

test("two commands that share a key from the start do not clash; others do", () => {
  expect(clashes(SOME, {})).toEqual(new Map());
  expect(clashes(SOME, { fit: ["Delete"] })).toEqual(
    new Map([
      ["delete", ["Delete"]],
      ["fit", ["Delete"]],
    ]),
  );
  expect(clashes(COMMANDS, {})).toEqual(new Map());
});

test("a key that is taken leaves its old command, and nobody else", () => {
  const change = takeKey(SOME, {}, "fit", "Delete");
  expect(change).toEqual({ delete: ["Backspace"], fit: ["F", "Delete"] });
  expect(clashes(SOME, change as Record<string, string[]>)).toEqual(new Map());
});

test("own keys again are no change", () => {
  expect(keysChange(SOME, "fit", ["F"])).toEqual({ fit: null });
  expect(keysChange(SOME, "fit", [])).toEqual({ fit: [] });
});

test("Space, Tab and Escape keep their meaning", () => {
  expect([" ", "Tab", "Shift+Tab", "Escape"].some(assignable)).toBe(false);
  expect(assignable("Mod+Enter")).toBe(true);
});

test("scripts and trained hands find the keys that they were promised", () => {
  const all = [...COMMANDS, ...toolCommands(TOOLS.map(({ info }) => info))];
  const ids = (key: string) => all.filter(({ keys }) => keys.includes(key)).map(({ id }) => id);
  const tools = { V: "select", B: "box", P: "polygon", M: "brush", E: "eraser", W: "wand", S: "scissors", K: "keypoints" };
  for (const [key, tool] of Object.entries(tools)) expect(ids(key)).toEqual([`tool-${tool}`]);
  const promised = {
    ...{ "1": "category-1", "9": "category-9", F: "fit", H: "hide-selection", Enter: "complete", Escape: "cancel" },
    ...{ "Mod+Z": "undo", "Mod+Shift+Z": "redo", "Mod+C": "copy", "Mod+V": "paste", "Mod+D": "duplicate" },
    ...{ Backspace: "step-back", Delete: "delete" },
  };
  for (const [key, id] of Object.entries(promised)) expect(ids(key)).toContain(id);
});

import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { COMMANDS } from "../src/editor/commands";
import { keyLabel } from "../src/editor/keys";
import { optionCommands } from "../src/editor/options";
import { TOOLS } from "../src/tools";

const text = readFileSync(new URL("../../docs/howto/annotate.md", import.meta.url), "utf8");

test("every tool is documented with its key", () => {
  for (const { info } of TOOLS) expect(text).toContain(`| ${info.label} | \`${keyLabel(info.key, false)}\` |`);
});

test("every key is documented", () => {
  const documented = new Set([...text.matchAll(/`([^`]+)`/g)].map(([, key]) => key));
  const range = ["2", "3", "4", "5", "6", "7", "8"];
  const commands = [...COMMANDS, ...optionCommands(TOOLS.map(({ info }) => info))];
  const keys = commands.flatMap((command) => command.keys).map((key) => keyLabel(key, false));
  const spelled = keys.map((key) => (key === "Esc" ? "Escape" : key));
  expect(spelled.filter((key) => !documented.has(key) && !range.includes(key))).toEqual([]);
});

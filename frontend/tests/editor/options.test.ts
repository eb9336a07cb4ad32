import fc from "fast-check";
import { expect, test } from "vitest";

import { commandFor } from "../../src/editor/keys";
import {
  fromSlider,
  optionCommands,
  OptionValues,
  stepped,
  toSlider,
  type Choice,
  type Range,
  type Toggle,
} from "../../src/editor/options";
import type { ToolInfo } from "../../src/editor/hand";
import { TOOLS } from "../../src/tools";
import { Story } from "../story";

const form = {
  kind: "choice",
  id: "tip-form",
  label: "Form",
  help: "The form of the tip.",
  values: [
    { value: "round", label: "Round" },
    { value: "square", label: "Square" },
  ],
  initial: "round",
  key: "T",
} as const satisfies Choice;

const size: Range = {
  kind: "range",
  id: "tip-size",
  label: "Size",
  help: "How wide the tip is.",
  min: 1,
  max: 500,
  step: 1,
  geometric: true,
  unit: "px",
  initial: 20,
  keys: ["[", "]"],
};

const wet: Toggle = { kind: "toggle", id: "tip-wet", label: "Wet", help: "Wet or dry.", initial: false };

const values = (): OptionValues => new OptionValues(() => undefined);

test("an option has its initial value until somebody chooses another, and only values of its own", () => {
  const chosen = values();
  expect([form, size, wet].map((option) => chosen.get(option))).toEqual(["round", 20, false]);
  chosen.set(form, "square");
  chosen.set(size, 9000);
  chosen.set(wet, true);
  expect([form, size, wet].map((option) => chosen.get(option))).toEqual(["square", 500, true]);
});

test.each([null, "x", 7, [], { "tip-form": "oval", "tip-size": "big", "tip-wet": 1 }, { "tip-size": null }])(
  "what is kept and makes no sense, such as %j, changes nothing",
  (kept) => {
    const chosen = values();
    chosen.restore(kept);
    expect([form, size, wet].map((option) => chosen.get(option))).toEqual(["round", 20, false]);
  },
);

test("what was chosen is there again on the next visit", () => {
  const first = values();
  first.set(form, "square");
  first.set(size, 33);
  const next = values();
  next.restore(JSON.parse(JSON.stringify(first.chosen)));
  expect([next.get(form), next.get(size)]).toEqual(["square", 33]);
});

test("a key always changes a number, within its bounds", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.boolean(), (value, larger) => {
      const after = stepped(size, value, larger ? 1 : -1);
      expect(Number.isInteger(after)).toBe(true);
      if (larger) expect(after).toBe(Math.max(after, Math.min(value + 1, 500)));
      else expect(after).toBe(Math.min(after, Math.max(value - 1, 1)));
    }),
  );
});

test("the slider has a place for every small value and reaches both ends", () => {
  const plain: Range = { ...size, geometric: false, min: 0, max: 1, step: 0.05 };
  for (const value of [1, 2, 3, 10, 50, 500]) expect(fromSlider(size, toSlider(size, value))).toBe(value);
  for (const value of [0, 0.05, 0.5, 1]) expect(fromSlider(plain, toSlider(plain, value))).toBe(value);
});

test("keys of options work while a tool that has them is in hand", () => {
  const info: ToolInfo = { ...TOOLS[0]!.info, options: [form, size, wet] };
  const commands = optionCommands([info, { ...info, id: "other" }]);
  expect(commands.map(({ id, keys }) => [id, ...keys])).toEqual([
    ["tip-form", "T"],
    ["tip-size-smaller", "["],
    ["tip-size-larger", "]"],
    ["tip-wet"],
  ]);
  const { editor } = new Story();
  expect(commandFor(commands, "T", editor)).toBeNull();
  const inHand = Object.create(editor.hand, { options: { value: info.options } }) as typeof editor.hand;
  editor.takeUp(inHand);
  for (const key of ["T", "T", "T", "]", "]", "["]) commandFor(commands, key, editor)!.run(editor);
  commands.at(-1)!.run(editor);
  expect([form, size, wet].map((option) => editor.options.get(option))).toEqual(["square", 24, true]);
});

test("options that share a name are the same option, and keys are no one else's", () => {
  const declared = TOOLS.flatMap(({ info }) => info.options ?? []);
  for (const option of declared) {
    expect(declared.filter(({ id }) => id === option.id).every((other) => other === option)).toBe(true);
  }
});

import { readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

const css = readFileSync(new URL("../src/styles/tokens.css", import.meta.url), "utf8");

type Tokens = Record<string, string>;

function block(selector: string): Tokens {
  const start = css.indexOf(`${selector} {`);
  const body = css.slice(start, css.indexOf("}", start));
  return Object.fromEntries([...body.matchAll(/--([\w-]+):\s*([^;]+);/g)].map(([, name, value]) => [name!, value!]));
}

const light = block(":root");
const chosenDark = block(':root[data-theme="dark"]');
const systemDark = block(':root:not([data-theme="light"])');

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const share = parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high! + 0.05) / (low! + 0.05);
}

test("the dark theme is the same, chosen or the system's", () => {
  expect(systemDark).toEqual(chosenDark);
});

const PAIRS = [
  ...["text", "muted", "accent-text", "green", "amber", "red"].flatMap((text) =>
    ["bg", "surface", "raised"].map((ground) => [text, ground]),
  ),
  ...["green", "amber", "red"].map((state) => [state, `${state}-soft`]),
  ["text", "accent-soft"],
  ["muted", "accent-soft"],
  ["accent-text", "accent-soft"],
  ["on-accent", "accent"],
  ["on-accent", "accent-hover"],
  ["on-red", "red"],
] as [string, string][];

describe.each([
  ["light", light],
  ["dark", { ...light, ...chosenDark }],
])("in the %s theme", (_, tokens) => {
  test.each(PAIRS)("%s can be read on %s", (text, ground) => {
    expect(contrast(tokens[text]!, tokens[ground]!)).toBeGreaterThanOrEqual(4.5);
  });
});

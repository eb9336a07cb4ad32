import { readdirSync, readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

const SRC = fileURLToPath(new URL("../src", import.meta.url));
const LAYERS = ["geometry", "model", "shapes", "editor", "tools", "render", "api", "panels"];
/** Of these folders only the panels know the framework. */
const FRAMEWORK = /^(svelte(\/|$)|icon:)/;

interface Import {
  readonly from: string;
  readonly layer: string;
  readonly target: string;
}

const layerOf = (path: string): string => relative(SRC, path).split("/")[0]!;

function importsOf(file: string): Import[] {
  const text = readFileSync(file, "utf8");
  const found = text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g);
  return [...found].map(([, target]) => ({
    from: relative(SRC, file),
    layer: layerOf(file),
    target: target!.startsWith(".") ? layerOf(resolve(dirname(file), target!)) : target!,
  }));
}

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((path) => /\.(ts|svelte)$/.test(path) && LAYERS.includes(path.split("/")[0]!))
  .map((path) => resolve(SRC, path));
const imports = files.flatMap(importsOf);

test("every layer is there and is looked at", () => {
  expect(new Set(imports.map(({ layer }) => layer))).toEqual(new Set(LAYERS));
});

test("imports run one way: geometry, model, shapes, editor, tools, render, api, panels", () => {
  const backwards = imports.filter(
    ({ layer, target }) => LAYERS.includes(target) && LAYERS.indexOf(target) > LAYERS.indexOf(layer),
  );
  expect(backwards).toEqual([]);
});

test("only the panels import Svelte, or what puts the page together", () => {
  const wrong = imports.filter(
    ({ layer, target }) =>
      layer !== "panels" && (FRAMEWORK.test(target) || /^(session|workspace|view-preferences|remember|pages)(\.ts)?$/.test(target)),
  );
  expect(wrong).toEqual([]);
});

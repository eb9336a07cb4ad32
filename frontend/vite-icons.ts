import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import type { Plugin } from "vite";

/**
 * The icons that the server's templates draw. They come from the package
 * lucide-static (ISC) and are written to `icons.json` beside the manifest; the
 * server puts them inline, so that they show with the first paint and take the
 * colour of the text around them.
 */
export const ICONS = [
  "arrow-down",
  "arrow-up",
  "arrow-up-down",
  "ban",
  "braces",
  "chart-no-axes-column",
  "check",
  "chevron-down",
  "chevron-right",
  "circle",
  "circle-alert",
  "circle-check",
  "circle-dot",
  "circle-slash",
  "copy",
  "download",
  "ellipsis",
  "file-input",
  "folder-up",
  "image",
  "image-off",
  "images",
  "info",
  "key-round",
  "layers",
  "list-checks",
  "log-out",
  "monitor",
  "moon",
  "pencil",
  "play",
  "plus",
  "search",
  "settings",
  "shapes",
  "shield",
  "sun",
  "tag",
  "trash-2",
  "triangle-alert",
  "upload",
  "user-plus",
  "x",
] as const;

const require = createRequire(import.meta.url);

/** The drawing inside an icon file's <svg>, on one line. */
function drawing(name: string): string {
  const svg = readFileSync(require.resolve(`lucide-static/icons/${name}.svg`), "utf8");
  const inner = /<svg[^>]*>([\s\S]*)<\/svg>/.exec(svg)?.[1];
  if (inner === undefined) throw new Error(`${name}.svg is not an SVG file`);
  return inner.replace(/\s*\n\s*/g, "").trim();
}

/** Writes `icons.json`, a map of name to drawing, into the build. */
export function icons(): Plugin {
  return {
    name: "maskwright-icons",
    apply: "build",
    generateBundle(): void {
      const drawings = Object.fromEntries(ICONS.map((name) => [name, drawing(name)]));
      this.emitFile({
        type: "asset",
        fileName: "icons.json",
        source: `${JSON.stringify(drawings, null, 1)}\n`,
      });
    },
  };
}

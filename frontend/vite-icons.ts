import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { compile } from "svelte/compiler";
import type { Plugin } from "vite";

/**
 * The icons that the server's templates draw. They are written to `icons.json`
 * beside the manifest; the server puts them inline, so that they show with the
 * first paint and take the colour of the text around them.
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

// The package lucide-static (ISC) has each of Lucide's icons as a file.
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

const PREFIX = "icon:";

/**
 * `import Eye from "icon:eye"` gives a Svelte component. Its drawing stands in its template, which
 * the browser copies as a whole: a page of a hundred icons takes a millisecond or two for them, where
 * building each from data takes half a millisecond an icon.
 */
export function iconComponents(): Plugin {
  return {
    name: "maskwright-icon-components",
    resolveId: (id) => (id.startsWith(PREFIX) ? `\0${id}` : null),
    load(id) {
      if (!id.startsWith(`\0${PREFIX}`)) return null;
      const name = id.slice(PREFIX.length + 1);
      return compile(component(name), { filename: `${name}.svelte`, runes: true }).js.code;
    },
  };
}

const component = (name: string): string => `
<script>
  let { size, strokeWidth = 1.75 } = $props();
</script>

<svg
  width={size} height={size} viewBox="0 0 24 24" fill="none" aria-hidden="true"
  stroke="currentColor" stroke-width={strokeWidth} stroke-linecap="round" stroke-linejoin="round"
>${drawing(name)}</svg>
`;

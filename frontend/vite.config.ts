import { fileURLToPath } from "node:url";

import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

import { compressed } from "./vite-compress.ts";
import { iconComponents, icons } from "./vite-icons.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Clipper2 only defines things, but does not say so; most of it is not needed. */
const treeshake = { moduleSideEffects: [{ test: /clipper2-ts/, sideEffects: false }] };

/**
 * The editor page and all other pages. The server reads the manifest to find the
 * hashed names and serves the folder under /static/.
 */
export default defineConfig({
  base: "/static/",
  plugins: [svelte(), icons(), iconComponents(), compressed()],
  worker: { format: "es", rolldownOptions: { treeshake } },
  build: {
    outDir: here("../app/web/dist"),
    emptyOutDir: true,
    manifest: true,
    target: "es2023",
    sourcemap: false,
    rolldownOptions: {
      treeshake,
      input: {
        editor: here("src/editor.ts"),
        pages: here("src/pages.ts"),
      },
    },
  },
  test: {
    include: ["tests/**/*.test.ts"],
    environment: "node",
    // What comes true costs no more for it, and a machine may be busy with other things.
    testTimeout: 60_000,
  },
});

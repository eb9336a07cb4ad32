import { gzipSync } from "node:zlib";

import type { Plugin } from "vite";

/**
 * Writes each script and style sheet compressed, too, as `….gz` beside it: the server sends that to
 * whoever takes it and spends no time on it. gzip and not Brotli, which browsers take over HTTPS only.
 */
export function compressed(): Plugin {
  return {
    name: "maskwright-compressed",
    apply: "build",
    generateBundle: {
      order: "post",
      handler(_options, bundle): void {
        for (const file of Object.values(bundle)) {
          if (!/\.(js|css)$/.test(file.fileName)) continue;
          const text = file.type === "chunk" ? file.code : file.source;
          this.emitFile({ type: "asset", fileName: `${file.fileName}.gz`, source: gzipSync(text, { level: 9 }) });
        }
      },
    },
  };
}

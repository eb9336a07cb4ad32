/** The workers that tools and commands ask as long as their image is on the stage. */

import { isLarger, pictureAddresses, tilesAddress } from "./api/pictures";
import ConvertWorker from "./editor/convert.worker?worker";
import type { Editor } from "./editor/editor";
import { WorkerConverter } from "./editor/worker-converter";
import SightWorker from "./render/sight.worker?worker";
import { WorkerSight } from "./render/worker-sight";
import type { PageData } from "./session";

type Page = Pick<PageData, "image" | "tiled_from_pixels">;

/** The function that it gives takes them back. */
export function lendWorkers(editor: Editor, page: Page): () => void {
  const sight = sightOf(page);
  const converter = new WorkerConverter(() => new ConvertWorker());
  editor.sight = sight;
  editor.converter = converter;
  return () => {
    editor.sight = null;
    editor.converter = null;
    sight?.destroy();
    converter.stop();
  };
}

function sightOf({ image, tiled_from_pixels: tiledFrom }: Page): WorkerSight | null {
  const { id, width, height, has_file: hasFile } = image;
  if (!hasFile) return null;
  const tiles = isLarger(image, tiledFrom) ? tilesAddress(id) : null;
  return new WorkerSight({ addresses: pictureAddresses(id), tiles, width, height }, () => new SightWorker());
}

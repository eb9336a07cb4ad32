/** Cuts a big picture into tiles off the main thread. One picture, then the worker has done its work. */

import { cutPicture, type CutPicture } from "./picture";

export interface PictureAnswer {
  /** Null when the bytes are no picture that this browser can decode. */
  readonly cut: CutPicture | null;
}

self.onmessage = async ({ data }: MessageEvent<Blob>) => {
  const cut = await cutPicture(data).catch(() => null);
  const transfer = cut ? cut.levels.flatMap(({ tiles }) => tiles.map(({ bitmap }) => bitmap)) : [];
  self.postMessage({ cut } satisfies PictureAnswer, { transfer });
};

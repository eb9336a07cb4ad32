/** Cuts a big picture into tiles off the main thread. One picture, then the worker has done its work. */

import { cutPicture, type Cut } from "./picture";

/** Some levels; null when nothing follows, or when the bytes are no picture that this browser can decode. */
export type PictureAnswer = Cut | null;

function tell(answer: PictureAnswer): void {
  self.postMessage(answer, { transfer: answer?.levels.flatMap(([, bitmaps]) => bitmaps) ?? [] });
}

self.onmessage = async ({ data }: MessageEvent<Blob>) => {
  try {
    for await (const cut of cutPicture(data)) tell(cut);
  } catch {
    // Without a first answer it is no picture.
  }
  tell(null);
};

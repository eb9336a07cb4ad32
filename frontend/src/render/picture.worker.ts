/** Cuts a big picture into tiles off the main thread. One picture, then the worker has done its work. */

import { promised } from "../promised";
import { cutPicture, type Cut } from "./picture";

/** The bytes, and later that the finest level is wanted, too: it takes the longest. */
export type PictureRequest = Blob | "finest";

/** Some levels; null when nothing follows, or when the bytes are no picture that this browser can decode. */
export type PictureAnswer = Cut | null;

function tell(answer: PictureAnswer): void {
  self.postMessage(answer, { transfer: answer?.levels.flatMap(([, bitmaps]) => bitmaps) ?? [] });
}

const wanted = promised();

async function cutAll(blob: Blob): Promise<void> {
  try {
    for await (const cut of cutPicture(blob)) {
      tell(cut);
      await wanted.promise;
    }
  } catch {
    // Without a first answer it is no picture.
  }
  tell(null);
}

self.onmessage = ({ data }: MessageEvent<PictureRequest>) => {
  if (data === "finest") wanted.resolve();
  else void cutAll(data);
};

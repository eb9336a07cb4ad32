/** Looks at the picture, off the main thread. */

import type { Decoded } from "../geometry/flood";
import { PictureEye } from "./picture-eye";
import type { SightAnswer, SightPicture, SightQuestion } from "./sight-protocol";

let picture: PictureEye | null = null;

function pixelsOf(bitmap: ImageBitmap, width: number, height: number): Decoded {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return context.getImageData(0, 0, width, height);
}

async function answer({ id, name, values }: SightQuestion): Promise<SightAnswer> {
  try {
    const eye = await picture!.open();
    const look = eye[name] as (...values: readonly unknown[]) => unknown;
    return { id, value: await look.apply(eye, values as unknown[]) };
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) };
  }
}

self.onmessage = async ({ data }: MessageEvent<SightPicture | SightQuestion>) => {
  if ("addresses" in data) {
    picture = new PictureEye(data, pixelsOf);
    // It comes before it is asked for; whoever asks hears of a failure.
    picture.open().catch(() => undefined);
  } else self.postMessage(await answer(data));
};

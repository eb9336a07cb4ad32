/**
 * Looks at the picture, off the main thread. It is decoded at the first question,
 * at its full resolution, and kept for the next ones.
 */

import { Eye } from "../editor/sight";
import type { SightAnswer, SightPicture, SightQuestion } from "./sight-protocol";

/** Decoded, a picture takes four bytes a pixel. */
const MOST_PIXELS = 64_000_000;

let eye: Promise<Eye> | null = null;

async function open({ addresses, width, height }: SightPicture): Promise<Eye> {
  if (width * height > MOST_PIXELS) {
    throw new Error(`The image has more than ${MOST_PIXELS / 1e6} megapixels, too many to follow its colours.`);
  }
  for (const address of addresses) {
    const bitmap = await decoded(address);
    if (!bitmap) continue;
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d", { willReadFrequently: true })!;
    // A file of another size than the record fills the record's frame.
    context.drawImage(bitmap, 0, 0, width, height);
    bitmap.close();
    return new Eye(context.getImageData(0, 0, width, height));
  }
  throw new Error("The image cannot be shown, so there are no colours to follow.");
}

async function decoded(address: string): Promise<ImageBitmap | null> {
  try {
    const response = await fetch(address, { credentials: "same-origin" });
    if (!response.ok) return null;
    return await createImageBitmap(await response.blob(), { imageOrientation: "from-image" });
  } catch {
    // No answer, or nothing that this browser can decode.
    return null;
  }
}

async function answer({ id, name, values }: SightQuestion): Promise<SightAnswer> {
  try {
    const look = (await eye!)[name] as (...values: readonly unknown[]) => unknown;
    return { id, value: look.apply(await eye!, values as unknown[]) };
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) };
  }
}

self.onmessage = async ({ data }: MessageEvent<SightPicture | SightQuestion>) => {
  if ("addresses" in data) {
    eye = open(data);
    // Whoever asks hears of it.
    eye.catch(() => undefined);
  } else self.postMessage(await answer(data));
};

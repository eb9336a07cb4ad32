/**
 * Looks at the picture, off the main thread. It is decoded at the first question,
 * at its full resolution, and kept for the next ones; of one in tiles, those that
 * lie where one looks.
 */

import { Eye, WholeImage } from "../editor/sight";
import type { Decoded } from "../geometry/flood";
import type { SightAnswer, SightPicture, SightQuestion } from "./sight-protocol";
import { fetchTile, type TileLayout } from "./tiled-picture";
import { TiledPixels } from "./tiled-pixels";

/** Decoded, a picture takes four bytes a pixel. */
const MOST_PIXELS = 64_000_000;

let eye: Promise<Eye> | null = null;

async function open(picture: SightPicture): Promise<Eye> {
  const layout = picture.tiles && (await layoutOf(picture.tiles));
  if (!layout) return new Eye(new WholeImage(await whole(picture)));
  const load = async (place: Parameters<typeof fetchTile>[2]): Promise<Decoded> => {
    const bitmap = await fetchTile(picture.tiles!, layout, place);
    return pixelsOf(bitmap, bitmap.width, bitmap.height);
  };
  return new Eye(new TiledPixels({ layout, load, whole: () => whole(picture) }));
}

/** Null when the server has none. */
async function layoutOf(address: string): Promise<TileLayout | null> {
  const response = await fetch(address, { credentials: "same-origin" }).catch(() => null);
  return response?.ok ? ((await response.json()) as TileLayout) : null;
}

async function whole({ addresses, width, height }: SightPicture): Promise<Decoded> {
  if (width * height > MOST_PIXELS) {
    throw new Error(`The image has more than ${MOST_PIXELS / 1e6} megapixels, too many to look for a colour in all of it.`);
  }
  for (const address of addresses) {
    const bitmap = await decoded(address);
    // A file of another size than the record fills the record's frame.
    if (bitmap) return pixelsOf(bitmap, width, height);
  }
  throw new Error("The image cannot be shown, so there are no colours to follow.");
}

function pixelsOf(bitmap: ImageBitmap, width: number, height: number): Decoded {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return context.getImageData(0, 0, width, height);
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
    return { id, value: await look.apply(await eye!, values as unknown[]) };
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

/**
 * The picture of an image: what the browser can show of its file.
 *
 * A big one takes a while to decode, so a small one of the server's stands in
 * for it until it is there.
 */

import type { ImageRecord } from "../model/records";
import { cutPicture, pictureOf, type CutPicture, type Picture } from "../render/picture";
import type { PictureAnswer } from "../render/picture.worker";
import PictureWorker from "../render/picture.worker?worker";
import { firstFetch } from "../first-requests";
import { pathTo } from "./client";

/** Large enough for the stage, also in place of a file that no browser shows (TIFF). */
const SUBSTITUTE_PIXELS = 2048;
/** Decoded, a picture takes four bytes a pixel: larger ones are not made ready on suspicion. */
const MOST_PIXELS_AHEAD = 16_000_000;

/** Cutting a larger one into tiles would be felt; a worker does it. */
const MOST_PIXELS_HERE = 4_000_000;

export interface LoadedPicture {
  readonly picture: Picture;
  /** False while the small one stands in for the whole one. */
  readonly whole: boolean;
}

export const isBig = ({ width, height }: ImageRecord): boolean => width * height > MOST_PIXELS_AHEAD;

/** Where the picture is, and what the server makes of a file that cannot be shown. */
export function pictureAddresses(id: number): string[] {
  const small = `${pathTo("/api/images/{image_id}/thumbnail", id)}?size=${SUBSTITUTE_PIXELS}`;
  return [pathTo("/api/images/{image_id}/picture", id), small];
}

/** The whole picture, or what the server makes of a file that cannot be shown; null without either. */
export async function fetchWhole(image: ImageRecord, signal?: AbortSignal): Promise<Picture | null> {
  const path = pathTo("/api/images/{image_id}/picture", image.id);
  const apart = image.width * image.height > MOST_PIXELS_HERE;
  return (await fetchPicture(path, apart, signal)) ?? fetchSmall(image.id, signal);
}

/** The whole picture when it is small enough, else the small one of it. */
export async function fetchAhead(image: ImageRecord, signal?: AbortSignal): Promise<LoadedPicture | null> {
  if (!image.has_file) return null;
  const whole = !isBig(image);
  const picture = await (whole ? fetchWhole(image, signal) : fetchSmall(image.id, signal));
  return picture && { picture, whole };
}

function fetchSmall(id: number, signal?: AbortSignal): Promise<Picture | null> {
  const path = pathTo("/api/images/{image_id}/thumbnail", id);
  return fetchPicture(`${path}?size=${SUBSTITUTE_PIXELS}`, false, signal);
}

async function fetchPicture(path: string, apart: boolean, signal?: AbortSignal): Promise<Picture | null> {
  try {
    const response = await firstFetch(path, { credentials: "same-origin", signal: signal ?? null });
    if (!response.ok) return null;
    const cut = await read(await response.blob(), apart);
    return cut && pictureOf(cut);
  } catch {
    // No answer, or not a picture that this browser can decode.
    return null;
  }
}

function read(blob: Blob, apart: boolean): Promise<CutPicture | null> {
  if (!apart) return cutPicture(blob);
  const worker = new PictureWorker();
  return new Promise<CutPicture | null>((resolve) => {
    worker.onmessage = ({ data }: MessageEvent<PictureAnswer>) => resolve(data.cut);
    worker.onerror = () => resolve(null);
    worker.postMessage(blob);
  }).finally(() => worker.terminate());
}

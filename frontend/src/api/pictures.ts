/**
 * The picture of an image: what the browser can show of its file.
 *
 * A large one comes in tiles that the server makes. One in between takes a while
 * to decode. A small one of the server's stands in for both until they are there.
 */

import type { ImageRecord } from "../model/records";
import { canvasOf, CutPicture, cutPicture, empty, type Picture } from "../render/picture";
import type { PictureAnswer, PictureRequest } from "../render/picture.worker";
import PictureWorker from "../render/picture.worker?worker";
import { fetchTile, openTiled, type TileLayout, type TileOptions } from "../render/tiled-picture";
import { pathTo, type Schemas } from "./client";

/** Large enough for the stage, also in place of a file that no browser shows (TIFF). */
const SUBSTITUTE_PIXELS = 2048;
/** Decoded, a picture takes four bytes a pixel: larger ones are not made ready on suspicion. */
const MOST_PIXELS_AHEAD = 16_000_000;

/** Cutting a larger one into tiles would be felt; a worker does it. */
const MOST_PIXELS_HERE = 4_000_000;

/** What shows the whole of a picture is to be seen first, and the shapes on it, before its finest tiles are cut unasked. */
const FINEST_MS = 500;

export interface LoadedPicture {
  readonly picture: Picture;
  /** False while the small one stands in for the whole one. */
  readonly whole: boolean;
}

export const isLarger = ({ width, height }: ImageRecord, pixels: number): boolean => width * height > pixels;

/** Where the picture is, and what the server makes of a file that cannot be shown. */
export function pictureAddresses(id: number): string[] {
  const small = `${pathTo("/api/images/{image_id}/thumbnail", id)}?size=${SUBSTITUTE_PIXELS}`;
  return [pathTo("/api/images/{image_id}/picture", id), small];
}

export const tilesAddress = (id: number): string => pathTo("/api/images/{image_id}/tiles", id);

/**
 * The whole picture, in tiles from so many pixels on, or what the server makes of a
 * file that cannot be shown; null without any.
 */
export async function fetchWhole(image: ImageRecord, tiledFrom: number, signal: AbortSignal): Promise<Picture | null> {
  if (isLarger(image, tiledFrom)) return (await fetchTiled(image.id, signal)) ?? fetchSmall(image.id, signal);
  const path = pathTo("/api/images/{image_id}/picture", image.id);
  return (await fetchPicture(path, isLarger(image, MOST_PIXELS_HERE), signal)) ?? fetchSmall(image.id, signal);
}

/** What shows most of the picture for little memory: itself, its coarsest tile, or the small one of it. */
export async function fetchAhead(image: ImageRecord, tiledFrom: number, signal: AbortSignal): Promise<LoadedPicture | null> {
  if (!image.has_file) return null;
  const whole = isLarger(image, tiledFrom) || !isLarger(image, MOST_PIXELS_AHEAD);
  const picture = await (whole ? fetchWhole(image, tiledFrom, signal) : fetchSmall(image.id, signal));
  return picture && { picture, whole };
}

export function fetchSmall(id: number, signal: AbortSignal): Promise<Picture | null> {
  const path = pathTo("/api/images/{image_id}/thumbnail", id);
  return fetchPicture(`${path}?size=${SUBSTITUTE_PIXELS}`, false, signal);
}

async function fetchTiled(id: number, signal: AbortSignal): Promise<Picture | null> {
  const path = tilesAddress(id);
  try {
    const response = await fetch(path, { credentials: "same-origin", signal });
    if (!response.ok) return null;
    const layout = (await response.json()) as Schemas["TilesOut"];
    return await openTiled(layout, tileOptions(path, layout), signal);
  } catch {
    // No answer; it may still be that the server has a small picture.
    return null;
  }
}

function tileOptions(path: string, layout: TileLayout): TileOptions {
  return {
    load: async (place, signal) => canvasOf(await fetchTile(path, layout, place, signal)),
    free: (element) => empty(element as HTMLCanvasElement),
    missing: () => {
      const element = document.createElement("div");
      element.className = "stage-tile-missing";
      return element;
    },
  };
}

async function fetchPicture(path: string, apart: boolean, signal: AbortSignal): Promise<Picture | null> {
  // Started now, it is there when the bytes are.
  const worker = apart ? new PictureWorker() : null;
  try {
    const response = await fetch(path, { credentials: "same-origin", signal });
    if (!response.ok) throw new Error(response.statusText);
    const blob = await blobOf(response);
    return await (worker ? cutApart(worker, blob) : cutHere(blob));
  } catch {
    // No answer, or not a picture that this browser can decode.
    worker?.terminate();
    return null;
  }
}

/** `Response.blob` fails in Chromium while what a page preloads is still on its way. */
async function blobOf(response: Response): Promise<Blob> {
  return new Blob([await response.arrayBuffer()], { type: response.headers.get("Content-Type") ?? "" });
}

async function cutHere(blob: Blob): Promise<CutPicture | null> {
  let picture: CutPicture | null = null;
  for await (const cut of cutPicture(blob)) {
    picture ??= new CutPicture(cut.size);
    picture.fill(cut);
  }
  return picture;
}

function once(run: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) run();
    isDone = true;
  };
}

/** The picture as soon as the whole of it can be shown; finer tiles come when they are wanted, or a little later. */
function cutApart(worker: Worker, blob: Blob): Promise<CutPicture> {
  return new Promise((resolve, reject) => {
    const ask = (request: PictureRequest): void => worker.postMessage(request);
    // Each tile that is not there asks in each frame.
    const askFinest = once(() => ask("finest"));
    let picture: CutPicture | null = null;
    const end = (): void => {
      worker.terminate();
      reject(new Error("not a picture"));
    };
    worker.onerror = end;
    worker.onmessage = ({ data: cut }: MessageEvent<PictureAnswer>) => {
      if (!cut) return end();
      if (!picture) {
        picture = new CutPicture(cut.size, { wanted: askFinest, closed: () => worker.terminate() });
        setTimeout(askFinest, FINEST_MS);
      }
      picture.fill(cut);
      resolve(picture);
    };
    ask(blob);
  });
}

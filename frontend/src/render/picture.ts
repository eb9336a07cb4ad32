/**
 * A picture as tiles on several levels: the whole size, and halves of it down to
 * about the size of the stage. What is shown is a few tiles of the level that fits
 * the zoom, which the browser's compositor moves and scales by itself: painting 50
 * megapixels anew would cost several milliseconds a frame.
 */

import type { Bounds } from "../geometry/bounds";
import type { Size } from "../geometry/camera";

export interface Tile {
  /** Where it lies, in pixels of the picture. */
  readonly at: Bounds;
  /** What to put into the page; null while it is on its way. */
  element(): HTMLElement | null;
}

export interface Level {
  /** Its pixels per pixel of the picture: 1, 0.5, 0.25 … */
  readonly scale: number;
  readonly tiles: readonly Tile[];
}

export interface Picture {
  readonly size: Size;
  /** The finest first. */
  readonly levels: readonly Level[];
  /** Gives the memory back; nothing of it may be in the page any more. */
  close(): void;
}

const TILE_PIXELS = 1024;
const MOST_PIXELS_IN_ONE = 4_000_000;
/** A level that fits the stage needs no smaller one. */
const SMALL_PIXELS = 1600;

export interface CutTile {
  readonly bitmap: ImageBitmap;
  readonly at: Bounds;
}

export interface CutLevel {
  readonly scale: number;
  readonly tiles: readonly CutTile[];
}

export interface CutPicture {
  readonly size: Size;
  readonly levels: readonly CutLevel[];
}

/** From a file's bytes, turned as its EXIF orientation says. Throws when they are no picture. */
export async function cutPicture(blob: Blob): Promise<CutPicture> {
  const whole = await createImageBitmap(blob, { imageOrientation: "from-image" });
  const { width, height } = whole;
  const levels: CutLevel[] = [];
  let bitmap = whole;
  for (let scale = 1; ; scale /= 2) {
    const level: CutLevel = { scale, tiles: await cutLevel(bitmap, scale) };
    levels.push(level);
    const smaller = Math.max(bitmap.width, bitmap.height) > SMALL_PIXELS ? await halved(bitmap) : null;
    if (level.tiles[0]?.bitmap !== bitmap) bitmap.close();
    if (!smaller) return { size: { width, height }, levels };
    bitmap = smaller;
  }
}

function halved(bitmap: ImageBitmap): Promise<ImageBitmap> {
  const half = (side: number): number => Math.max(1, Math.round(side / 2));
  return createImageBitmap(bitmap, {
    resizeWidth: half(bitmap.width),
    resizeHeight: half(bitmap.height),
    resizeQuality: "medium",
  });
}

async function cutLevel(bitmap: ImageBitmap, scale: number): Promise<CutTile[]> {
  const { width, height } = bitmap;
  if (width * height <= MOST_PIXELS_IN_ONE) return [{ bitmap, at: inPicture(0, 0, width, height, scale) }];
  const tiles: CutTile[] = [];
  for (let top = 0; top < height; top += TILE_PIXELS) {
    for (let left = 0; left < width; left += TILE_PIXELS) {
      // One pixel of overlap, or smoothing would let the background through at the seams.
      const [w, h] = [Math.min(TILE_PIXELS + 1, width - left), Math.min(TILE_PIXELS + 1, height - top)];
      const cut = await createImageBitmap(bitmap, left, top, w, h);
      tiles.push({ bitmap: cut, at: inPicture(left, top, left + w, top + h, scale) });
    }
  }
  return tiles;
}

function inPicture(left: number, top: number, right: number, bottom: number, scale: number): Bounds {
  return { left: left / scale, top: top / scale, right: right / scale, bottom: bottom / scale };
}

/** A tile whose pixels are here: a canvas that shows a bitmap without painting it. */
class BitmapTile implements Tile {
  readonly at: Bounds;
  readonly #bitmap: ImageBitmap;
  #canvas: HTMLCanvasElement | null = null;

  constructor({ bitmap, at }: CutTile) {
    this.#bitmap = bitmap;
    this.at = at;
  }

  element(): HTMLElement {
    this.#canvas ??= canvasOf(this.#bitmap);
    return this.#canvas;
  }

  close(): void {
    this.#bitmap.close();
    if (!this.#canvas) return;
    this.#canvas.width = 0;
    this.#canvas.height = 0;
  }
}

/** The bitmap belongs to the canvas from now on. */
export function canvasOf(bitmap: ImageBitmap): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext("bitmaprenderer")!.transferFromImageBitmap(bitmap);
  return canvas;
}

export function pictureOf({ size, levels }: CutPicture): Picture {
  const all: BitmapTile[] = [];
  const tile = (cut: CutTile): BitmapTile => {
    const made = new BitmapTile(cut);
    all.push(made);
    return made;
  };
  return {
    size,
    levels: levels.map(({ scale, tiles }) => ({ scale, tiles: tiles.map(tile) })),
    close: () => all.forEach((each) => each.close()),
  };
}

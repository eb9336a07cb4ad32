/**
 * A picture as tiles on several levels: the whole size, and halves of it down to
 * about the size of the stage. A large one's come from the server (`tiled-picture`),
 * another is decoded and cut here. What is shown is a few tiles of the level that fits
 * the zoom, which the browser's compositor moves and scales by itself: painting 50
 * megapixels anew would cost several milliseconds a frame.
 */

import type { Bounds } from "../geometry/bounds";
import type { Size } from "../geometry/camera";

export interface Tile {
  /** Where it lies, in pixels of the picture. */
  readonly at: Bounds;
  /** What to put into the page; null while it is on its way, which it is from the first question on. */
  element(): HTMLElement | null;
  /** Nobody looks at it any more: it may give its memory back, and has to be asked for again. */
  release(): void;
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
  /** Its tiles have to be fetched, which is not worth it for what is passed by. */
  readonly remote: boolean;
  /** Called when a tile has come that was on its way. */
  onArrival: (() => void) | null;
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
    levels.push({ scale, tiles: cutLevel(bitmap, scale) });
    const smaller = Math.max(bitmap.width, bitmap.height) > SMALL_PIXELS ? halved(bitmap) : null;
    bitmap.close();
    if (!smaller) return { size: { width, height }, levels };
    bitmap = smaller;
  }
}

/**
 * A part of a bitmap, in another size. Painted, not copied: a copied bitmap still
 * has its orientation beside its pixels, and a canvas that just shows it ignores that.
 */
function painted(from: ImageBitmap, part: Bounds, width: number, height: number): ImageBitmap {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d")!;
  context.imageSmoothingQuality = "medium";
  const { left, top, right, bottom } = part;
  context.drawImage(from, left, top, right - left, bottom - top, 0, 0, width, height);
  return canvas.transferToImageBitmap();
}

function halved(bitmap: ImageBitmap): ImageBitmap {
  const { width, height } = bitmap;
  const half = (side: number): number => Math.max(1, Math.round(side / 2));
  return painted(bitmap, { left: 0, top: 0, right: width, bottom: height }, half(width), half(height));
}

function cutLevel(bitmap: ImageBitmap, scale: number): CutTile[] {
  const { width, height } = bitmap;
  const side = width * height <= MOST_PIXELS_IN_ONE ? Math.max(width, height) : TILE_PIXELS;
  const tiles: CutTile[] = [];
  for (let top = 0; top < height; top += side) {
    for (let left = 0; left < width; left += side) {
      // One pixel of overlap, or smoothing would let the background through at the seams.
      const [right, bottom] = [Math.min(left + side + 1, width), Math.min(top + side + 1, height)];
      const part = { left, top, right, bottom };
      tiles.push({
        bitmap: painted(bitmap, part, right - left, bottom - top),
        at: inPicture(left, top, right, bottom, scale),
      });
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

  release(): void {
    // Made from the whole picture, it would not come again.
  }

  close(): void {
    this.#bitmap.close();
    if (this.#canvas) empty(this.#canvas);
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

/** Gives the pixels back. Taking the bitmap away instead would put a transparent one in its place. */
export function empty(canvas: HTMLCanvasElement): void {
  canvas.width = 0;
  canvas.height = 0;
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
    remote: false,
    onArrival: null,
    levels: levels.map(({ scale, tiles }) => ({ scale, tiles: tiles.map(tile) })),
    close: () => all.forEach((each) => each.close()),
  };
}

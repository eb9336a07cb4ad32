/**
 * The image itself.
 *
 * A big image is cut into tiles, of which only the visible ones are drawn, and a
 * reduced overview for looking at all of it; drawing 50 megapixels whole would
 * cost several milliseconds a frame.
 */

import type { Editor } from "../editor/editor";
import { overlap, type Bounds } from "../geometry/bounds";
import { visible, type Size } from "../geometry/camera";
import { clear, newCanvas, sameFrame, useImageSpace, type Frame, type Layer } from "./layer";

const TILE_PIXELS = 1024;
const MOST_PIXELS_IN_ONE = 8_000_000;
const OVERVIEW_PIXELS = 2048;
/** From this zoom on single pixels are shown as squares. */
const SHARP_SCALE = 3;

interface Tile {
  readonly bitmap: ImageBitmap;
  /** Where it lies, in pixels of the file. */
  readonly at: Bounds;
}

export interface Picture {
  readonly size: Size;
  readonly tiles: readonly Tile[];
  /** Shares of the file's pixels; the overview is enough up to this scale. */
  readonly overview: { readonly bitmap: ImageBitmap; readonly scale: number } | null;
}

/** From a file's bytes, turned as its EXIF orientation says. */
export async function readPicture(blob: Blob): Promise<Picture> {
  const whole = await createImageBitmap(blob, { imageOrientation: "from-image" });
  const { width, height } = whole;
  const all = { left: 0, top: 0, right: width, bottom: height };
  if (width * height <= MOST_PIXELS_IN_ONE) {
    return { size: { width, height }, tiles: [{ bitmap: whole, at: all }], overview: null };
  }
  const scale = OVERVIEW_PIXELS / Math.max(width, height);
  const overview = await createImageBitmap(whole, {
    resizeWidth: Math.round(width * scale),
    resizeHeight: Math.round(height * scale),
    resizeQuality: "high",
  });
  const tiles = await Promise.all(places(width, height).map((at) => cutTile(whole, at)));
  whole.close();
  return { size: { width, height }, tiles, overview: { bitmap: overview, scale } };
}

export function closePicture({ tiles, overview }: Picture): void {
  for (const { bitmap } of tiles) bitmap.close();
  overview?.bitmap.close();
}

function places(width: number, height: number): Bounds[] {
  const found: Bounds[] = [];
  for (let top = 0; top < height; top += TILE_PIXELS) {
    for (let left = 0; left < width; left += TILE_PIXELS) {
      // One pixel of overlap, or smoothing would let the background through at the seams.
      const right = Math.min(left + TILE_PIXELS + 1, width);
      found.push({ left, top, right, bottom: Math.min(top + TILE_PIXELS + 1, height) });
    }
  }
  return found;
}

async function cutTile(whole: ImageBitmap, at: Bounds): Promise<Tile> {
  const { left, top, right, bottom } = at;
  return { bitmap: await createImageBitmap(whole, left, top, right - left, bottom - top), at };
}

export class ImageLayer implements Layer {
  readonly canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #editor: Editor;
  #picture: Picture | null = null;
  #drawn: Frame | null = null;

  constructor(editor: Editor) {
    ({ canvas: this.canvas, context: this.#context } = newCanvas());
    this.#editor = editor;
  }

  show(picture: Picture): void {
    this.#picture = picture;
    this.#drawn = null;
  }

  draw(frame: Frame): void {
    if (sameFrame(this.#drawn, frame)) return;
    this.#drawn = frame;
    clear(this.#context, frame);
    const picture = this.#picture;
    if (!picture) return;
    const { width, height } = this.#editor.image;
    useImageSpace(this.#context, frame);
    // A file of another size than the record fills the record's frame.
    this.#context.scale(width / picture.size.width, height / picture.size.height);
    this.#context.imageSmoothingEnabled = frame.camera.scale < SHARP_SCALE;
    this.#context.imageSmoothingQuality = "medium";
    const { overview } = picture;
    if (overview && frame.camera.scale * frame.ratio <= overview.scale) {
      this.#context.drawImage(overview.bitmap, 0, 0, picture.size.width, picture.size.height);
    } else this.#drawTiles(picture, frame);
  }

  #drawTiles({ tiles, size }: Picture, frame: Frame): void {
    const seen = visible(frame.camera, frame.size);
    const { width, height } = this.#editor.image;
    const [u, v] = [size.width / width, size.height / height];
    const inFile: Bounds = {
      left: seen.left * u,
      top: seen.top * v,
      right: seen.right * u,
      bottom: seen.bottom * v,
    };
    for (const { bitmap, at } of tiles) {
      if (overlap(at, inFile)) this.#context.drawImage(bitmap, at.left, at.top);
    }
  }
}

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

interface LevelPlan {
  readonly scale: number;
  readonly size: Size;
  /** What each tile takes of the level, in pixels of the level. */
  readonly parts: readonly Bounds[];
}

/** How a picture is cut, which its size alone says; the finest level first. */
function planOf(size: Size): LevelPlan[] {
  const plan: LevelPlan[] = [];
  const half = (side: number): number => Math.max(1, Math.round(side / 2));
  let { width, height } = size;
  for (let scale = 1; ; scale /= 2) {
    plan.push({ scale, size: { width, height }, parts: partsOf(width, height) });
    if (Math.max(width, height) <= SMALL_PIXELS) return plan;
    [width, height] = [half(width), half(height)];
  }
}

function partsOf(width: number, height: number): Bounds[] {
  const side = width * height <= MOST_PIXELS_IN_ONE ? Math.max(width, height) : TILE_PIXELS;
  const parts: Bounds[] = [];
  for (let top = 0; top < height; top += side) {
    for (let left = 0; left < width; left += side) {
      // One pixel of overlap, or smoothing would let the background through at the seams.
      parts.push({ left, top, right: Math.min(left + side + 1, width), bottom: Math.min(top + side + 1, height) });
    }
  }
  return parts;
}

/** The tiles of some levels, as bitmaps. */
export interface Cut {
  readonly size: Size;
  /** By their places in the plan. */
  readonly levels: readonly (readonly [place: number, bitmaps: readonly ImageBitmap[]])[];
}

/**
 * From a file's bytes, turned as its EXIF orientation says. What shows the whole of it comes first,
 * and the finest level, whose tiles take the longest, by itself. Throws when they are no picture.
 */
export async function* cutPicture(blob: Blob): AsyncGenerator<Cut, void> {
  const whole = await createImageBitmap(blob, { imageOrientation: "from-image" });
  const size = { width: whole.width, height: whole.height };
  const [finest, ...coarser] = planOf(size);
  if (coarser.length > 0) yield { size, levels: halves(whole, coarser) };
  const bitmaps = finest!.parts.map((part) => painted(whole, part));
  whole.close();
  yield { size, levels: [[0, bitmaps]] };
}

function halves(whole: ImageBitmap, plan: readonly LevelPlan[]): [number, ImageBitmap[]][] {
  let last = whole;
  return plan.map(({ size, parts }, i) => {
    const half = painted(last, everything(last), size);
    // One that is a tile as it is goes on to the page; its pixels were read before that.
    if (last !== whole && plan[i - 1]!.parts.length > 1) last.close();
    last = half;
    return [i + 1, parts.length === 1 ? [half] : parts.map((part) => painted(half, part))];
  });
}

const everything = ({ width, height }: Size): Bounds => ({ left: 0, top: 0, right: width, bottom: height });

/**
 * A part of a bitmap, maybe in half its size. Painted, not copied: a copied bitmap still
 * has its orientation beside its pixels, and a canvas that just shows it ignores that.
 */
function painted(from: ImageBitmap, part: Bounds, to?: Size): ImageBitmap {
  const { left, top, right, bottom } = part;
  const { width, height } = to ?? { width: right - left, height: bottom - top };
  const context = new OffscreenCanvas(width, height).getContext("2d")!;
  // In half the size, each pixel is the mean of four. What is meant for any size takes four times as long.
  context.imageSmoothingQuality = "low";
  context.drawImage(from, left, top, right - left, bottom - top, 0, 0, width, height);
  return context.canvas.transferToImageBitmap();
}

/** A tile whose pixels come from the picture's bytes: a canvas that shows a bitmap without painting it. */
class BitmapTile implements Tile {
  readonly at: Bounds;
  readonly #wanted: () => void;
  #bitmap: ImageBitmap | null = null;
  #canvas: HTMLCanvasElement | null = null;

  /** `wanted` is called when it is asked for and not filled yet. */
  constructor(at: Bounds, wanted: () => void) {
    this.at = at;
    this.#wanted = wanted;
  }

  fill(bitmap: ImageBitmap): void {
    this.#bitmap = bitmap;
  }

  element(): HTMLElement | null {
    if (!this.#bitmap) this.#wanted();
    else this.#canvas ??= canvasOf(this.#bitmap);
    return this.#canvas;
  }

  release(): void {
    // Made from the whole picture, it would not come again.
  }

  close(): void {
    this.#bitmap?.close();
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

/** Who cuts a picture that is shown already. */
export interface Cutting {
  /** A tile is to be seen that is not there yet. */
  readonly wanted: () => void;
  /** Nobody wants the picture any more. */
  readonly closed: () => void;
}

const ALL_CUT: Cutting = { wanted: () => undefined, closed: () => undefined };

/** A picture that is cut in this browser: its tiles are filled as they get ready. */
export class CutPicture implements Picture {
  readonly size: Size;
  readonly remote = false;
  readonly levels: readonly { readonly scale: number; readonly tiles: readonly BitmapTile[] }[];
  onArrival: (() => void) | null = null;
  readonly #cutting: Cutting;

  constructor(size: Size, cutting: Cutting = ALL_CUT) {
    this.size = size;
    this.#cutting = cutting;
    this.levels = planOf(size).map(({ scale, parts }) => ({
      scale,
      tiles: parts.map((part) => new BitmapTile(inPicture(part, scale), cutting.wanted)),
    }));
  }

  fill({ levels }: Cut): void {
    for (const [place, bitmaps] of levels) {
      this.levels[place]!.tiles.forEach((tile, i) => tile.fill(bitmaps[i]!));
    }
    this.onArrival?.();
  }

  close(): void {
    this.#cutting.closed();
    for (const { tiles } of this.levels) for (const tile of tiles) tile.close();
  }
}

function inPicture({ left, top, right, bottom }: Bounds, scale: number): Bounds {
  return { left: left / scale, top: top / scale, right: right / scale, bottom: bottom / scale };
}

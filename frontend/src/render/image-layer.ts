/**
 * The image itself: tiles of the picture in one element that is moved with the
 * camera. Nothing is painted while one pans or zooms.
 */

import type { Display } from "../editor/display";
import type { Editor } from "../editor/editor";
import { overlap, type Bounds } from "../geometry/bounds";
import { visible } from "../geometry/camera";
import { sameFrame, type Frame, type Layer } from "./layer";
import type { Level, Picture, Tile } from "./picture";
import { applyTones } from "./tones";

/** From this zoom on single pixels are shown as squares. */
const CRISP_SCALE = 2;
/** Giving a tile to the compositor copies it; more in one frame would be felt. */
const MOST_NEW_TILES_A_FRAME = 2;
/** Tiles this far outside the stage stay, in shares of what is seen. */
const SPARE_SHARE = 0.5;

export class ImageLayer implements Layer {
  readonly canvas = document.createElement("div");
  readonly #editor: Editor;
  readonly #again: () => void;
  readonly #shown = new Map<Tile, Level>();
  #picture: Picture | null = null;
  #drawn: Frame | null = null;
  #complete = false;
  #display: Display | null = null;
  #filter: Element | null = null;

  constructor(editor: Editor, again: () => void) {
    this.#editor = editor;
    this.#again = again;
    this.canvas.className = "stage-picture";
    this.canvas.setAttribute("aria-hidden", "true");
  }

  show(picture: Picture): void {
    this.#picture = picture;
    this.#drawn = null;
    this.#shown.clear();
    this.canvas.replaceChildren();
    this.canvas.style.width = `${picture.size.width}px`;
    this.canvas.style.height = `${picture.size.height}px`;
  }

  draw(frame: Frame): void {
    this.#showTones();
    const picture = this.#picture;
    if (!picture || (this.#complete && sameFrame(this.#drawn, frame))) return;
    this.#drawn = frame;
    const { x, y, scale } = frame.camera;
    // A file of another size than the record fills the record's frame.
    const u = (this.#editor.image.width / picture.size.width) * scale;
    const v = (this.#editor.image.height / picture.size.height) * scale;
    const { style } = this.canvas;
    style.transform = `matrix(${u}, 0, 0, ${v}, ${x}, ${y})`;
    const rendering = scale >= CRISP_SCALE ? "pixelated" : "auto";
    if (style.imageRendering !== rendering) style.imageRendering = rendering;
    this.#choose(picture, frame, Math.max(u, v) * frame.ratio);
  }

  #showTones(): void {
    const { display } = this.#editor.view;
    if (display === this.#display) return;
    this.#display = display;
    this.#filter?.remove();
    this.#filter = applyTones(this.canvas, display);
    if (this.#filter) this.canvas.before(this.#filter);
  }

  /** Brings the tiles of the level that fits, a few in each frame; coarser ones stay until all are there. */
  #choose(picture: Picture, frame: Frame, needed: number): void {
    const seen = this.#seen(picture, frame, 0);
    const level = picture.levels.findLast(({ scale }) => scale >= needed) ?? picture.levels[0]!;
    const coarsest = picture.levels.at(-1)!;
    let missing = this.#add(coarsest, seen, Infinity);
    if (level !== coarsest) missing = this.#add(level, seen, MOST_NEW_TILES_A_FRAME);
    this.#complete = missing === 0;
    if (!this.#complete) this.#again();
    const near = this.#seen(picture, frame, SPARE_SHARE);
    for (const [tile, its] of this.#shown) {
      const away = !overlap(tile.at, near);
      if (away || (this.#complete && its !== level && its !== coarsest)) this.#remove(tile);
    }
    this.canvas.dataset["complete"] = String(this.#complete);
  }

  #add(level: Level, seen: Bounds, most: number): number {
    let missing = 0;
    let added = 0;
    for (const tile of level.tiles) {
      if (this.#shown.has(tile) || !overlap(tile.at, seen)) continue;
      const element = added < most ? tile.element() : null;
      if (!element) {
        missing += 1;
        continue;
      }
      added += 1;
      this.#put(tile, level, element);
    }
    return missing;
  }

  #put(tile: Tile, level: Level, element: HTMLElement): void {
    const { left, top, right, bottom } = tile.at;
    Object.assign(element.style, {
      left: `${left}px`,
      top: `${top}px`,
      width: `${right - left}px`,
      height: `${bottom - top}px`,
      zIndex: String(Math.round(Math.log2(level.scale)) + 32),
    });
    this.#shown.set(tile, level);
    this.canvas.append(element);
  }

  #remove(tile: Tile): void {
    this.#shown.delete(tile);
    tile.element()?.remove();
  }

  /** What the stage shows, in pixels of the picture, and so much more on each side. */
  #seen({ size }: Picture, frame: Frame, more: number): Bounds {
    const { left, top, right, bottom } = visible(frame.camera, frame.size);
    const { width, height } = this.#editor.image;
    const [u, v] = [size.width / width, size.height / height];
    const [dx, dy] = [(right - left) * more, (bottom - top) * more];
    return { left: (left - dx) * u, top: (top - dy) * v, right: (right + dx) * u, bottom: (bottom + dy) * v };
  }
}

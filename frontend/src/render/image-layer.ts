/**
 * The image itself: tiles of the picture in one element that is moved with the
 * camera. Nothing is painted while one pans or zooms.
 */

import type { Display } from "../editor/display";
import type { Editor } from "../editor/editor";
import { overlap, type Bounds } from "../geometry/bounds";
import { visible } from "../geometry/camera";
import { sameFrame, type Frame, type Layer } from "./layer";
import { Mover } from "./mover";
import type { Level, Picture, Tile } from "./picture";
import { levelFor, spared, tilesIn } from "./tile-choice";
import { applyTones } from "./tones";

/** From this zoom on single pixels are shown as squares. */
const CRISP_SCALE = 2;
/** Giving a tile to the compositor copies it; more in one frame would be felt. */
const MOST_NEW_TILES_A_FRAME = 2;
/** A zoom that has not changed for so long is at rest. */
const REST_MS = 120;
/** Tiles out of sight stay, the nearest of them, as long as they have no more pixels. */
const SPARE_PIXELS = 8_000_000;

interface Shown {
  readonly level: Level;
  readonly element: HTMLElement;
}

export class ImageLayer implements Layer {
  readonly canvas = document.createElement("div");
  readonly #mover = new Mover(this.canvas);
  readonly #editor: Editor;
  readonly #again: () => void;
  readonly #shown = new Map<Tile, Shown>();
  /** What was asked for and is not there yet. */
  readonly #awaited = new Set<Tile>();
  #picture: Picture | null = null;
  #scale = 0;
  /** The clock that runs until the zoom is at rest; 0 while it is. */
  #zooming = 0;
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
    this.#letGo();
    this.#picture = picture;
    this.#complete = false;
    picture.onArrival = () => this.#arrive();
    this.canvas.style.width = `${picture.size.width}px`;
    this.canvas.style.height = `${picture.size.height}px`;
  }

  #arrive(): void {
    this.#complete = false;
    this.#again();
  }

  destroy(): void {
    this.#letGo();
    this.#mover.release();
  }

  /** Others may keep the picture. */
  #letGo(): void {
    if (this.#picture) this.#picture.onArrival = null;
    this.#picture = null;
    this.#drawn = null;
    clearTimeout(this.#zooming);
    this.#zooming = 0;
    for (const tile of this.#awaited) tile.release();
    this.#awaited.clear();
    for (const tile of [...this.#shown.keys()]) this.#remove(tile);
  }

  draw(frame: Frame): void {
    this.#showTones();
    const picture = this.#picture;
    if (!picture || (this.#complete && sameFrame(this.#drawn, frame))) return;
    this.#noteZoom(frame);
    this.#drawn = frame;
    this.#scale = frame.camera.scale;
    const { x, y, scale } = frame.camera;
    // A file of another size than the record fills the record's frame.
    const u = (this.#editor.image.width / picture.size.width) * scale;
    const v = (this.#editor.image.height / picture.size.height) * scale;
    const { style } = this.canvas;
    this.#mover.move(`matrix(${u}, 0, 0, ${v}, ${x}, ${y})`);
    const rendering = scale >= CRISP_SCALE ? "pixelated" : "auto";
    if (style.imageRendering !== rendering) style.imageRendering = rendering;
    this.#choose(picture, frame, Math.max(u, v) * frame.ratio);
  }

  /** While one zooms, tiles that would only be passed by are not fetched. */
  #noteZoom({ camera: { scale } }: Frame): void {
    if (!this.#picture?.remote || this.#drawn === null || this.#scale === scale) return;
    clearTimeout(this.#zooming);
    this.#zooming = window.setTimeout(() => {
      this.#zooming = 0;
      this.#arrive();
    }, REST_MS);
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
    const seen = this.#seen(picture, frame);
    const level = levelFor(picture, needed);
    const coarsest = picture.levels.at(-1)!;
    const wanted = tilesIn(level, seen);
    this.#giveUp(new Set(wanted));
    this.#add(coarsest, tilesIn(coarsest, seen), Infinity);
    const room = level === coarsest ? Infinity : MOST_NEW_TILES_A_FRAME;
    const late = !this.#zooming && this.#add(level, wanted, room);
    this.#complete = !late && wanted.every((tile) => this.#shown.has(tile));
    // What is on its way asks for a frame when it comes.
    if (late) this.#again();
    this.#clear(level, coarsest, seen);
    this.canvas.dataset["complete"] = String(this.#complete);
  }

  /** Ends the way of tiles that nobody waits for any more. */
  #giveUp(wanted: ReadonlySet<Tile>): void {
    for (const tile of this.#awaited) {
      if (wanted.has(tile)) continue;
      tile.release();
      this.#awaited.delete(tile);
    }
  }

  /** True when there are more than may come in this frame. */
  #add(level: Level, tiles: readonly Tile[], most: number): boolean {
    let added = 0;
    for (const tile of tiles) {
      const before = this.#shown.get(tile)?.element;
      if (added === most) {
        if (!before) return true;
        continue;
      }
      const element = tile.element();
      if (!element) this.#awaited.add(tile);
      else if (element !== before) {
        before?.remove();
        this.#awaited.delete(tile);
        this.#put(tile, level, element);
        added += 1;
      }
    }
    return false;
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
    this.#shown.set(tile, { level, element });
    this.canvas.append(element);
  }

  /** Takes away what is out of sight and too much to keep, and what finer tiles lie over. */
  #clear(level: Level, coarsest: Level, seen: Bounds): void {
    const unseen = [...this.#shown].filter(([tile, its]) => its.level === level && !overlap(tile.at, seen));
    const kept = spared(unseen.map(([tile]) => tile), level, seen, SPARE_PIXELS);
    for (const [tile, its] of this.#shown) {
      if (its.level === coarsest || kept.has(tile)) continue;
      if (!overlap(tile.at, seen) || (this.#complete && its.level !== level)) this.#remove(tile);
    }
  }

  #remove(tile: Tile): void {
    this.#shown.get(tile)?.element.remove();
    this.#shown.delete(tile);
    tile.release();
  }

  /** What the stage shows, in pixels of the picture. */
  #seen({ size }: Picture, frame: Frame): Bounds {
    const { left, top, right, bottom } = visible(frame.camera, frame.size);
    const { width, height } = this.#editor.image;
    const [u, v] = [size.width / width, size.height / height];
    return { left: left * u, top: top * v, right: right * u, bottom: bottom * v };
  }
}

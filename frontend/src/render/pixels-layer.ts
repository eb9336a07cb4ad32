/**
 * The pixels that a gesture is changing, on a canvas of their own.
 *
 * What has changed since the last frame is drawn anew, and nothing else. Pixels
 * are looked at as finely as the screen shows them: zoomed out, one in several,
 * so that a frame costs what it covers of the screen, however large the image is.
 */

import type { Editor } from "../editor/editor";
import { paintColumn, type PixelsInHand } from "../editor/pixels";
import { union, type Bounds } from "../geometry/bounds";
import { clear, clearPart, deviceArea, newCanvas, sameFrame, useImageSpace, type Frame, type Layer } from "./layer";
import { selectedStyle, type Style } from "./paint";
import type { ShapesLayer } from "./shapes-layer";

/** What the outline needs around what has changed. */
const MARGIN_CSS_PIXELS = 4;

/** Some cells of the image, column by column; a cell is one pixel, or stands for several. */
interface Cells {
  readonly side: number;
  readonly left: number;
  readonly top: number;
  readonly across: number;
  readonly down: number;
  readonly set: Uint8Array;
}

/** The pixels to be shown as such: of a gesture, or what it made until its outline is there. */
export function pixelsInHand(editor: Editor, shapes: ShapesLayer): PixelsInHand | null {
  const { pixels } = editor.hand.preview;
  if (!pixels) return null;
  const { key, finished } = pixels;
  if (!finished) return key === null || editor.visible(key) ? pixels : null;
  const stands = key !== null && editor.document.get(key) === finished && editor.visible(key);
  return stands && !shapes.inHand(key, finished) ? pixels : null;
}

export class PixelsLayer implements Layer {
  readonly canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #editor: Editor;
  readonly #shapes: ShapesLayer;
  readonly #scratch = newCanvas();
  #shown: { pixels: PixelsInHand; frame: Frame; changes: number } | null = null;

  constructor(editor: Editor, shapes: ShapesLayer) {
    ({ canvas: this.canvas, context: this.#context } = newCanvas());
    this.#editor = editor;
    this.#shapes = shapes;
  }

  draw(frame: Frame): void {
    const pixels = pixelsInHand(this.#editor, this.#shapes);
    const shown = this.#shown;
    if (!pixels) {
      if (shown) clear(this.#context, frame);
      this.#shown = null;
      return;
    }
    const goesOn = shown?.pixels === pixels && sameFrame(shown.frame, frame);
    if (!goesOn) clear(this.#context, frame);
    const everything = { left: 0, top: 0, right: this.#editor.image.width, bottom: this.#editor.image.height };
    const changed = goesOn ? together(pixels.changes.slice(shown.changes)) : [everything];
    for (const bounds of changed) this.#redraw(pixels, bounds, frame);
    this.#shown = { pixels, frame, changes: pixels.changes.length };
  }

  #redraw(pixels: PixelsInHand, changed: Bounds, frame: Frame): void {
    const scale = frame.camera.scale * frame.ratio;
    const area = deviceArea(changed, frame, MARGIN_CSS_PIXELS * frame.ratio);
    if (area.right <= area.left || area.bottom <= area.top) return;
    const context = this.#context;
    context.save();
    clearPart(context, area);
    // Outlines of what lies just outside reach into the area.
    const cells = lookAt(pixels, imageArea(area, frame, MARGIN_CSS_PIXELS), Math.max(1, Math.floor(1 / scale)));
    useImageSpace(context, frame);
    const { key, categoryId } = pixels;
    const color = key ? this.#editor.colorOf(key) : this.#editor.color(categoryId);
    const style = selectedStyle(color, this.#editor.view.look);
    this.#fill(cells, style);
    outline(context, cells, style, frame.camera.scale);
    context.restore();
  }

  #fill({ side, left, top, across, down, set }: Cells, { color, fillAlpha }: Style): void {
    if (across === 0 || down === 0) return;
    const { canvas, context } = this.#scratch;
    if (canvas.width < across || canvas.height < down) {
      canvas.width = Math.max(canvas.width, across);
      canvas.height = Math.max(canvas.height, down);
    }
    const image = new ImageData(across, down);
    const words = new Uint32Array(image.data.buffer);
    for (let c = 0; c < across; c++) {
      for (let r = 0; r < down; r++) if (set[c * down + r]) words[r * across + c] = 0xff000000;
    }
    context.clearRect(0, 0, across, down);
    context.putImageData(image, 0, 0);
    // Black becomes the colour, however the browser writes colours.
    context.globalCompositeOperation = "source-in";
    context.fillStyle = color;
    context.fillRect(0, 0, across, down);
    context.globalCompositeOperation = "source-over";
    this.#context.globalAlpha = fillAlpha;
    this.#context.imageSmoothingEnabled = false;
    this.#context.drawImage(canvas, 0, 0, across, down, left * side, top * side, across * side, down * side);
    this.#context.globalAlpha = 1;
  }
}

const areaOf = ({ left, top, right, bottom }: Bounds): number => (right - left) * (bottom - top);

/** Fewer bounds that hold the same: neighbours become one where that costs little. */
function together(changes: readonly Bounds[]): Bounds[] {
  const found: Bounds[] = [];
  for (const bounds of changes) {
    const last = found.at(-1);
    const both = last && union(last, bounds);
    if (both && areaOf(both) <= 1.2 * (areaOf(last) + areaOf(bounds))) found[found.length - 1] = both;
    else found.push(bounds);
  }
  return found;
}

function imageArea(area: Bounds, { camera, ratio }: Frame, margin: number): Bounds {
  const x = (value: number): number => (value / ratio - camera.x) / camera.scale;
  const y = (value: number): number => (value / ratio - camera.y) / camera.scale;
  const around = margin / camera.scale;
  return {
    left: x(area.left) - around,
    top: y(area.top) - around,
    right: x(area.right) + around,
    bottom: y(area.bottom) + around,
  };
}

/** Which cells are set, by the pixel in the middle of each. */
function lookAt(pixels: PixelsInHand, area: Bounds, side: number): Cells {
  const [height, width] = pixels.size;
  const left = Math.max(0, Math.floor(area.left / side));
  const top = Math.max(0, Math.floor(area.top / side));
  const across = Math.max(0, Math.min(Math.ceil(area.right / side), Math.ceil(width / side)) - left);
  const down = Math.max(0, Math.min(Math.ceil(area.bottom / side), Math.ceil(height / side)) - top);
  const set = new Uint8Array(across * down);
  const middle = side >> 1;
  const cell = (row: number): number => Math.min(down, Math.max(0, Math.ceil((row - middle) / side) - top));
  for (let c = 0; c < across; c++) {
    const column = Math.min(width - 1, (left + c) * side + middle);
    paintColumn(pixels, column, (from, to, value) => set.fill(value, c * down + cell(from), c * down + cell(to)));
  }
  return { side, left, top, across, down, set };
}

/** The borders between cells that are set and cells that are not. */
function outline(context: CanvasRenderingContext2D, cells: Cells, { strokes }: Style, scale: number): void {
  const path = borders(cells);
  context.lineCap = "square";
  for (const { color, width } of strokes) {
    context.strokeStyle = color;
    context.lineWidth = width / scale;
    context.stroke(path);
  }
  context.lineCap = "butt";
}

function borders({ side, left, top, across, down, set }: Cells): Path2D {
  const path = new Path2D();
  const at = (c: number, r: number): number =>
    c < 0 || r < 0 || c >= across || r >= down ? 0 : set[c * down + r]!;
  for (let c = 0; c <= across; c++) {
    const x = (left + c) * side;
    // Between this column and the one before, in lines as long as they are straight.
    let from = -1;
    for (let r = 0; r <= down; r++) {
      const border = r < down && at(c - 1, r) !== at(c, r);
      if (border && from < 0) from = r;
      else if (!border && from >= 0) {
        path.moveTo(x, (top + from) * side);
        path.lineTo(x, (top + r) * side);
        from = -1;
      }
    }
  }
  for (let r = 0; r <= down; r++) {
    const y = (top + r) * side;
    let from = -1;
    for (let c = 0; c <= across; c++) {
      const border = c < across && at(c, r - 1) !== at(c, r);
      if (border && from < 0) from = c;
      else if (!border && from >= 0) {
        path.moveTo((left + from) * side, y);
        path.lineTo((left + c) * side, y);
        from = -1;
      }
    }
  }
  return path;
}

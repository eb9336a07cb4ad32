/**
 * The pixels that a gesture is changing, and shapes that have no outline yet, on a canvas of their own.
 *
 * What has changed since the last frame is drawn anew, and nothing else. Pixels
 * are looked at as finely as the screen shows them: zoomed out, one in several,
 * so that a frame costs what it covers of the screen, however large the image is.
 */

import type { Editor } from "../editor/editor";
import type { Look } from "../editor/look";
import { paintColumn, type PixelsInHand } from "../editor/pixels";
import { union, type Bounds } from "../geometry/bounds";
import { runsBounds } from "../geometry/runs";
import {
  clear,
  clearPart,
  deviceArea,
  newCanvas,
  sameFrame,
  setBlank,
  useImageSpace,
  type Frame,
  type Layer,
} from "./layer";
import { normalStyle, selectedStyle, type Style } from "./paint";
import type { ShapesLedger } from "./shapes-ledger";
import { shownAsPixels, type ShownPixels } from "./shown-pixels";

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

export class PixelsLayer implements Layer {
  readonly canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #editor: Editor;
  readonly #ledger: ShapesLedger;
  readonly #scratch = newCanvas();
  #shown: { all: readonly ShownPixels[]; frame: Frame; look: Look; changes: readonly number[] } | null = null;

  constructor(editor: Editor, ledger: ShapesLedger) {
    ({ canvas: this.canvas, context: this.#context } = newCanvas());
    this.#editor = editor;
    this.#ledger = ledger;
  }

  draw(frame: Frame): void {
    const shown = this.#shown;
    const all = shownAsPixels(this.#editor, this.#ledger, shown?.all.at(-1)?.pixels ?? null);
    if (setBlank(this.canvas, all.length === 0)) {
      this.#shown = null;
      return;
    }
    const { look } = this.#editor.view;
    const goesOn = shown?.look === look && sameFrame(shown.frame, frame) && samePixels(shown.all, all);
    if (!goesOn) clear(this.#context, frame);
    const changed = goesOn
      ? together(all.flatMap(({ pixels }, i) => pixels.changes.slice(shown.changes[i])))
      : extentOf(all);
    for (const bounds of changed) this.#redraw(all, bounds, frame);
    this.#shown = { all, frame, look, changes: all.map(({ pixels }) => pixels.changes.length) };
  }

  #redraw(all: readonly ShownPixels[], changed: Bounds, frame: Frame): void {
    const area = deviceArea(changed, frame, MARGIN_CSS_PIXELS * frame.ratio);
    if (area.right <= area.left || area.bottom <= area.top) return;
    this.#context.save();
    clearPart(this.#context, area);
    useImageSpace(this.#context, frame);
    // Outlines of what lies just outside reach into the area.
    const seen = imageArea(area, frame, MARGIN_CSS_PIXELS);
    for (const each of all) this.#paint(each, seen, frame);
    this.#context.restore();
  }

  #paint({ pixels, selected, extent }: ShownPixels, seen: Bounds, { camera, ratio }: Frame): void {
    const looked = extent ? common(extent, seen) : seen;
    if (!looked) return;
    const cells = lookAt(pixels, looked, Math.max(1, Math.floor(1 / (camera.scale * ratio))));
    const { key, categoryId } = pixels;
    const color = key ? this.#editor.colorOf(key) : this.#editor.color(categoryId);
    const style = (selected ? selectedStyle : normalStyle)(color, this.#editor.view.look);
    this.#fill(cells, style);
    outline(this.#context, cells, style, camera.scale);
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

function samePixels(before: readonly ShownPixels[], after: readonly ShownPixels[]): boolean {
  return (
    before.length === after.length &&
    before.every(({ pixels, selected }, i) => pixels === after[i]!.pixels && selected === after[i]!.selected)
  );
}

function common(a: Bounds, b: Bounds): Bounds | null {
  const left = Math.max(a.left, b.left);
  const top = Math.max(a.top, b.top);
  const right = Math.min(a.right, b.right);
  const bottom = Math.min(a.bottom, b.bottom);
  return left < right && top < bottom ? { left, top, right, bottom } : null;
}

/** Around all that is set by now, if anything is. */
function extentOf(all: readonly ShownPixels[]): Bounds[] {
  const extents = all.flatMap(({ pixels: { before, changes, size } }) => [runsBounds(before, size[0]), ...changes]);
  const bounds = extents.reduce<Bounds | null>(union, null);
  return bounds ? [bounds] : [];
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

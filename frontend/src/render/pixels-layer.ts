/**
 * The pixels that a gesture is changing, and shapes that have no outline yet, on a canvas of their own.
 *
 * What has changed since the last frame is drawn anew, and nothing else. Pixels
 * are looked at as finely as the screen shows them: zoomed out, one in several,
 * so that a frame costs what it covers of the screen, however large the image is.
 */

import type { Editor } from "../editor/editor";
import type { Look } from "../editor/look";
import { union, type Bounds } from "../geometry/bounds";
import { runsBounds } from "../geometry/runs";
import { common } from "./cells";
import {
  clear,
  clearPart,
  deviceArea,
  imageArea,
  newCanvas,
  sameFrame,
  setBlank,
  useImageSpace,
  type Frame,
  type Layer,
} from "./layer";
import { hoverStyle, normalStyle, selectedStyle } from "./paint";
import { paintPixels } from "./paint-pixels";
import type { ShapesLedger } from "./shapes-ledger";
import { looksSame, shownAsPixels, type ShownPixels } from "./shown-pixels";

/** What the outline needs around what has changed. */
const MARGIN_CSS_PIXELS = 4;

const STYLES = { late: normalStyle, hovered: hoverStyle, selected: selectedStyle } as const;

export class PixelsLayer implements Layer {
  readonly canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #editor: Editor;
  readonly #ledger: ShapesLedger;
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
    const goesOn = shown?.look === look && sameFrame(shown.frame, frame) && looksSame(shown.all, all);
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

  #paint({ pixels, as, color, extent }: ShownPixels, seen: Bounds, { camera, ratio }: Frame): void {
    const style = STYLES[as](color, this.#editor.view.look);
    paintPixels(this.#context, pixels, extent ? common(extent, seen) : seen, style, { scale: camera.scale, ratio });
  }
}

/** Around all that is set by now, if anything is. */
function extentOf(all: readonly ShownPixels[]): Bounds[] {
  const extents = all.flatMap(({ pixels: { before, changes, size }, extent }) =>
    extent ? [extent] : [runsBounds(before, size[0]), ...changes],
  );
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

/**
 * The pixels that a gesture is changing, and shapes that have no outline yet, on a canvas of their own.
 *
 * What has changed since the last frame is drawn anew, and nothing else. Pixels
 * are looked at as finely as the screen shows them: zoomed out, one in several,
 * so that a frame costs what it covers of the screen, however large the image is.
 * While the camera moves and nothing else changes, what was drawn is moved by the
 * compositor, as the bitmap of all other shapes is.
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
  servesMoved,
  setBlank,
  shiftBetween,
  useImageSpace,
  widened,
  type Frame,
  type Layer,
} from "./layer";
import { Mover } from "./mover";
import { hoverStyle, normalStyle, selectedStyle } from "./paint";
import { paintPixels } from "./paint-pixels";
import type { ShapesLedger } from "./shapes-ledger";
import { looksSame, shownAsPixels, type ShownPixels } from "./shown-pixels";
import { Travel } from "./travel";

/** What the outline needs around what has changed. */
const MARGIN_CSS_PIXELS = 4;
/**
 * Drawn beyond each edge of the stage, so that panning shows no gap at once; not during a gesture, in each frame of which
 * all of the canvas is copied.
 */
const BEYOND_CSS_PIXELS = 192;
/** While it moves all is drawn anew so often at most. */
const PAUSE_MS = 400;

const STYLES = { late: normalStyle, hovered: hoverStyle, selected: selectedStyle } as const;

interface Drawn {
  readonly all: readonly ShownPixels[];
  readonly frame: Frame;
  /** What lies beyond each edge of the stage, in CSS pixels. */
  readonly beyond: number;
  readonly look: Look;
  readonly changes: readonly number[];
}

export class PixelsLayer implements Layer {
  readonly canvas: HTMLCanvasElement;
  readonly #mover: Mover;
  readonly #context: CanvasRenderingContext2D;
  readonly #editor: Editor;
  readonly #ledger: ShapesLedger;
  #shown: Drawn | null = null;
  /** When all was drawn last. */
  #drawnAt = -Infinity;
  readonly #travel: Travel;

  constructor(editor: Editor, ledger: ShapesLedger, again: () => void) {
    ({ canvas: this.canvas, context: this.#context } = newCanvas());
    this.canvas.className = "stage-pixels";
    this.#mover = new Mover(this.canvas);
    this.#editor = editor;
    this.#ledger = ledger;
    this.#travel = new Travel(again);
  }

  draw(frame: Frame): void {
    const shown = this.#shown;
    const all = shownAsPixels(this.#editor, this.#ledger, shown?.all.at(-1)?.pixels ?? null);
    if (setBlank(this.canvas, all.length === 0)) {
      this.#shown = null;
      return;
    }
    const { look } = this.#editor.view;
    const isSame = shown?.look === look && looksSame(shown.all, all);
    this.#travel.note(frame.camera);
    if (isSame && this.#isServed(shown, all, frame)) {
      this.#mover.move(shiftBetween(shown.frame, frame, shown.beyond));
      return;
    }
    const goesOn = isSame && sameFrame(shown.frame, frame);
    // What a gesture has made may stay as it is on the canvas.
    const beyond = goesOn ? shown.beyond : hasGesture(all) ? 0 : BEYOND_CSS_PIXELS;
    const wide = widened(frame, beyond);
    if (!goesOn) this.#begin(frame, wide, beyond);
    const changed = goesOn
      ? together(all.flatMap(({ pixels }, i) => pixels.changes.slice(shown.changes[i])))
      : extentOf(all);
    for (const bounds of changed) this.#redraw(all, bounds, wide);
    this.#shown = { all, frame, beyond, look, changes: all.map(({ pixels }) => pixels.changes.length) };
  }

  destroy(): void {
    this.#travel.stop();
    this.#mover.release();
  }

  /** Whether what is on the canvas will do in another place: for good, or for as long as the camera moves. */
  #isServed({ frame: before, beyond }: Drawn, all: readonly ShownPixels[], frame: Frame): boolean {
    // What a gesture changes has to be seen at once.
    if (sameFrame(before, frame) || hasGesture(all)) return false;
    if (servesMoved(before, frame, beyond)) return true;
    return this.#travel.isUnderWay && performance.now() - this.#drawnAt < PAUSE_MS;
  }

  #begin(frame: Frame, wide: Frame, beyond: number): void {
    clear(this.#context, wide);
    this.canvas.style.width = `${wide.size.width}px`;
    this.canvas.style.height = `${wide.size.height}px`;
    this.#mover.move(shiftBetween(frame, frame, beyond));
    this.#drawnAt = performance.now();
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

/** Nothing else has no extent. */
const hasGesture = (all: readonly ShownPixels[]): boolean => all.some(({ extent }) => extent === null);

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

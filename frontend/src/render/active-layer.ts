/**
 * What is in hand: the selection with its handles, what the pointer is over, the
 * gesture's preview, and whatever the bitmap below does not show yet. Drawn anew
 * in every frame; there is never much of it. Of one outline whose points are being
 * moved, which may have thousands, only the part that changes is. What is under the
 * pointer is not marked while the image moves: that would often be all there is to paint.
 */

import type { Editor } from "../editor/editor";
import { NO_PREVIEW, type Marquee, type Preview } from "../editor/hand";
import type { Look } from "../editor/look";
import { selectedPoints, type PointSelection } from "../editor/points";
import { groupHandles, selectedGroup } from "../editor/resizing";
import { union, type Bounds } from "../geometry/bounds";
import { toScreen, type Camera } from "../geometry/camera";
import { imagePoint, type ImagePoint } from "../geometry/point";
import type { AnnotationKey } from "../model/records";
import * as shapes from "../shapes";
import type { Handle, Outline } from "../shapes/shape";
import { drawHandles, drawLabel, drawMark, drawSquare, isKeypoint } from "./handles";
import {
  clear,
  clearPart,
  deviceArea,
  newCanvas,
  sameFrame,
  setBlank,
  useImageSpace,
  useScreenSpace,
  type Frame,
  type Layer,
} from "./layer";
import { hoverStyle, normalStyle, paint, refusedStyle, selectedStyle, type Style } from "./paint";
import { changedExtent } from "./repaint";
import type { ShapesLedger } from "./shapes-ledger";
import { gesturePixels } from "./shown-pixels";
import { drawTip } from "./tip";

/** A camera that has not moved for so long is at rest. */
const REST_MS = 120;
/** Of the border of what is cut away, in CSS pixels. */
const CUT_DASH = [6, 5];

/** Of no category: the frame is around objects of several. */
const FRAME = "#1d2733";
const FRAME_DASH = [3, 4];

type Line = Pick<Preview, "closed" | "filled" | "subtracts"> & { readonly color: string };

/** Handles and marks reach so far beyond the points that they are drawn at. */
const REACH_CSS_PIXELS = 12;

const NOTHING = "nothing";

/** An outline with a gesture at its points, and all else that decides how that looks. */
interface Moving {
  readonly key: AnnotationKey;
  readonly outline: Outline;
  readonly frame: Frame;
  readonly look: Look;
  readonly color: string;
  readonly hoveredHandle: Handle | null;
  readonly points: PointSelection | null;
  readonly mark: Preview["mark"];
}

export class ActiveLayer implements Layer {
  readonly canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #editor: Editor;
  readonly #ledger: ShapesLedger;
  readonly #refused: () => ReadonlyMap<AnnotationKey, string>;
  readonly #again: () => void;
  #camera: Camera | null = null;
  /** The clock that runs until the camera is at rest; 0 while it is. */
  #travelling = 0;
  /** As it is on the canvas. */
  #moving: Moving | null = null;

  constructor(
    editor: Editor,
    ledger: ShapesLedger,
    refused: () => ReadonlyMap<AnnotationKey, string>,
    again: () => void,
  ) {
    ({ canvas: this.canvas, context: this.#context } = newCanvas());
    this.#editor = editor;
    this.#ledger = ledger;
    this.#refused = refused;
    this.#again = again;
  }

  draw(frame: Frame): void {
    this.#noteCamera(frame.camera);
    const { view, hand } = this.#editor;
    const late = this.#ledger.late();
    const refused = this.#refused();
    const hovered = this.#travelling ? null : view.hovered;
    const blank = late.size + view.selection.size + refused.size === 0 && !hovered && isBlank(hand.preview);
    if (setBlank(this.canvas, blank)) {
      this.#moving = null;
      return;
    }
    const moving = late.size + refused.size === 0 ? this.#pointsOnTheMove(frame) : null;
    const part = moving && this.#moving && changedArea(this.#moving, moving);
    this.#moving = moving;
    if (part === NOTHING) return;
    this.#context.save();
    if (part) clearPart(this.#context, part);
    else clear(this.#context, frame);
    useImageSpace(this.#context, frame);
    for (const key of late) this.#shape(key, normalStyle, frame);
    if (hovered && !view.selection.has(hovered)) this.#shape(hovered, hoverStyle, frame);
    for (const key of view.selection) this.#shape(key, selectedStyle, frame);
    for (const key of refused.keys()) this.#shape(key, refusedStyle, frame);
    useScreenSpace(this.#context, frame);
    this.#handles(frame);
    this.#preview(hand.preview, frame);
    this.#context.restore();
  }

  destroy(): void {
    clearTimeout(this.#travelling);
  }

  #noteCamera(camera: Camera): void {
    const before = this.#camera;
    this.#camera = camera;
    if (!before || before === camera) return;
    clearTimeout(this.#travelling);
    this.#travelling = window.setTimeout(() => {
      this.#travelling = 0;
      this.#again();
    }, REST_MS);
  }

  /** When all that there is to be drawn is one outline with a gesture at its points; else null. */
  #pointsOnTheMove(frame: Frame): Moving | null {
    const { view, hand, document, history } = this.#editor;
    const { only: key, look, hovered, hoveredHandle, points } = view;
    const annotation = key && document.get(key);
    if (!annotation || !history.open || hand.toolId !== "select") return null;
    if ((hovered && hovered !== key) || !this.#editor.visible(key)) return null;
    const { mark } = hand.preview;
    if (!isBlank({ ...hand.preview, mark: null })) return null;
    const outline = this.#ledger.outline(key, annotation);
    return outline && { key, outline, frame, look, color: this.#color(key), hoveredHandle, points, mark };
  }

  #color(key: AnnotationKey): string {
    return this.#editor.colorOf(key);
  }

  #shape(key: AnnotationKey, style: (color: string, look: Look) => Style, frame: Frame): void {
    const annotation = this.#editor.document.get(key);
    if (!annotation || !this.#editor.visible(key)) return;
    if (gesturePixels(this.#editor)?.key === key) return;
    const outline = this.#ledger.outline(key, annotation);
    if (outline) paint(this.#context, outline, style(this.#color(key), this.#editor.view.look), frame.camera.scale);
  }

  #handles(frame: Frame): void {
    const { view, document, readOnly } = this.#editor;
    const key = view.only;
    const annotation = key && document.get(key);
    const { toolId } = this.#editor.hand;
    if (toolId === "select" && view.selection.size > 1) return this.#group(frame);
    if (!annotation || readOnly || (toolId !== "select" && toolId !== "keypoints")) return;
    if (view.hidden.has(key) || view.locked.has(key)) return;
    const context = this.#editor.context(annotation);
    const mine = (handle: Handle): boolean => toolId === "select" || isKeypoint(handle);
    const { hoveredHandle } = view;
    const chosen = view.keypoint === null ? [] : shapes.handles(annotation, context).filter(isKeypoint);
    drawHandles(this.#context, frame, {
      // While one of thousands is dragged, the others are neither drawn nor listed.
      handles: this.#editor.history.open ? [] : shapes.handles(annotation, context).filter(mine),
      selected: selectedPoints(this.#editor),
      hovered: hoveredHandle && mine(hoveredHandle) ? shapes.handleNow(annotation, hoveredHandle, context) : null,
      chosen: chosen.find(({ index }) => index === view.keypoint) ?? null,
      color: this.#color(key),
    });
  }

  /** The frame around several selected ones that can be resized. */
  #group(frame: Frame): void {
    const group = selectedGroup(this.#editor);
    if (!group) return;
    this.#path(corners(group.bounds), frame);
    this.#context.closePath();
    this.#stroke(FRAME, FRAME_DASH);
    drawHandles(this.#context, frame, {
      handles: groupHandles(group.bounds),
      selected: [],
      hovered: null,
      chosen: null,
      color: FRAME,
    });
  }

  #square(x: number, y: number, side: number, color: string, filled: boolean): void {
    drawSquare(this.#context, x, y, side, color, filled);
  }

  #preview(preview: Preview, frame: Frame): void {
    const { line, closed, filled, subtracts, gone, dots, ghost, mark, marquee, limbs, label, tip } = preview;
    if (tip) drawTip(this.#context, tip, frame);
    if (marquee) this.#marquee(marquee, frame);
    const color = this.#editor.color(this.#editor.categoryId);
    const selected = this.#editor.view.only;
    if (gone.length > 1) this.#gone(gone, frame);
    if (line.length > 1) this.#line(line, { closed, filled, subtracts, color }, frame);
    if (limbs.length > 0) this.#limbs(limbs, color, frame);
    this.#context.lineWidth = 1.5;
    dots.forEach((dot, i) => {
      const { x, y } = toScreen(frame.camera, dot);
      this.#square(x, y, i === 0 ? 9 : 6, color, false);
    });
    if (mark) drawMark(this.#context, toScreen(frame.camera, mark.at), mark.kind);
    if (ghost) {
      const { x, y } = toScreen(frame.camera, ghost);
      this.#square(x, y, 9, line.length > 0 || !selected ? color : this.#color(selected), true);
    }
    if (label) drawLabel(this.#context, frame, label.text, toScreen(frame.camera, label.at));
  }

  #limbs(limbs: Preview["limbs"], color: string, { camera }: Frame): void {
    const context = this.#context;
    context.beginPath();
    for (const [from, to] of limbs) {
      const [a, b] = [toScreen(camera, from), toScreen(camera, to)];
      context.moveTo(a.x, a.y);
      context.lineTo(b.x, b.y);
    }
    this.#stroke(color);
  }

  /** Without a colour of its own: white on black is seen on every image. */
  #marquee({ bounds, touching }: Marquee, { camera }: Frame): void {
    const context = this.#context;
    const { x, y } = toScreen(camera, imagePoint(bounds.left, bounds.top));
    const width = (bounds.right - bounds.left) * camera.scale;
    const height = (bounds.bottom - bounds.top) * camera.scale;
    context.fillStyle = "rgb(255 255 255 / 12%)";
    context.fillRect(x, y, width, height);
    context.setLineDash(touching ? [5, 4] : []);
    for (const [style, line] of [["rgb(0 0 0 / 70%)", 3], ["#ffffff", 1.5]] as const) {
      context.strokeStyle = style;
      context.lineWidth = line;
      context.strokeRect(x, y, width, height);
    }
    context.setLineDash([]);
  }

  #line(line: readonly ImagePoint[], { closed, filled, subtracts, color }: Line, frame: Frame): void {
    const context = this.#context;
    this.#path(line, frame);
    if (closed) context.closePath();
    if (filled) {
      context.fillStyle = subtracts ? "#000000" : color;
      context.globalAlpha = subtracts ? 0.5 : 0.2;
      context.fill("evenodd");
      context.globalAlpha = 1;
    }
    // What is cut away is dark with a broken border, whatever its colour is.
    this.#stroke(subtracts ? "#000000" : color, subtracts ? CUT_DASH : []);
  }

  #gone(way: readonly ImagePoint[], frame: Frame): void {
    this.#path(way, frame);
    this.#stroke("#000000", CUT_DASH);
  }

  #path(line: readonly ImagePoint[], { camera }: Frame): void {
    this.#context.beginPath();
    for (const point of line) {
      const { x, y } = toScreen(camera, point);
      this.#context.lineTo(x, y);
    }
  }

  /** The path at hand, seen on every image. */
  #stroke(color: string, dash: readonly number[] = []): void {
    const context = this.#context;
    context.lineJoin = "round";
    context.lineCap = "butt";
    for (const [style, width] of [
      ["rgb(0 0 0 / 55%)", 4],
      ["#ffffff", 2.5],
      [color, dash.length > 0 ? 2.5 : 1.5],
    ] as const) {
      context.strokeStyle = style;
      context.lineWidth = width;
      // White below, so that the gaps are seen, too.
      if (style === color) context.setLineDash(dash);
      context.stroke();
    }
    context.setLineDash([]);
  }
}

/** The part of the canvas where the two look different, in device pixels; null for all of it. */
function changedArea(before: Moving, after: Moving): Bounds | typeof NOTHING | null {
  const same = (["key", "look", "color", "hoveredHandle", "points"] as const).every((name) => before[name] === after[name]);
  if (!same || !sameFrame(before.frame, after.frame)) return null;
  const extent = changedExtent(before.outline, after.outline);
  if (!extent) return null;
  const marks = before.mark === after.mark ? [] : [before.mark, after.mark];
  const points = marks.flatMap((mark) => (mark ? [mark.at] : []));
  const all = [...extent, ...points.map(({ x, y }) => ({ left: x, top: y, right: x, bottom: y }))];
  const bounds = all.reduce<Bounds | null>(union, null);
  if (!bounds) return NOTHING;
  return deviceArea(bounds, after.frame, REACH_CSS_PIXELS * after.frame.ratio);
}

const corners = ({ left, top, right, bottom }: Bounds): ImagePoint[] => [
  imagePoint(left, top),
  imagePoint(right, top),
  imagePoint(right, bottom),
  imagePoint(left, bottom),
];

function isBlank(preview: Preview): boolean {
  return Object.entries(NO_PREVIEW).every(([name, nothing]) => {
    const value: unknown = preview[name as keyof Preview];
    return Array.isArray(value) ? value.length === 0 : value === nothing;
  });
}

/**
 * Handles of what is selected, and the preview of the gesture in hand: the uppermost canvas, drawn anew
 * in every frame. There is never much of it.
 */

import type { Editor } from "../editor/editor";
import { NO_PREVIEW, type Marquee, type Preview } from "../editor/hand";
import { selectedPoints } from "../editor/points";
import { groupHandles, selectedGroup } from "../editor/resizing";
import type { Bounds } from "../geometry/bounds";
import { toScreen } from "../geometry/camera";
import { imagePoint, type ImagePoint } from "../geometry/point";
import * as shapes from "../shapes";
import type { Handle } from "../shapes/shape";
import { drawHandles, drawLabel, drawMark, drawSquare, handlesInSight, isKeypoint } from "./handles";
import { clear, newCanvas, setBlank, useScreenSpace, type Frame, type Layer } from "./layer";
import { drawTip } from "./tip";

/** Of the border of what is cut away, in CSS pixels. */
const CUT_DASH = [6, 5];

/** Of no category: the frame is around objects of several. */
const FRAME = "#1d2733";
const FRAME_DASH = [3, 4];

type Line = Pick<Preview, "closed" | "filled" | "subtracts"> & { readonly color: string };

export class ActiveLayer implements Layer {
  readonly canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #editor: Editor;

  constructor(editor: Editor) {
    ({ canvas: this.canvas, context: this.#context } = newCanvas());
    this.#editor = editor;
  }

  draw(frame: Frame): void {
    const { view, hand } = this.#editor;
    if (setBlank(this.canvas, view.selection.size === 0 && isBlank(hand.preview))) return;
    clear(this.#context, frame);
    useScreenSpace(this.#context, frame);
    this.#handles(frame);
    this.#preview(hand.preview, frame);
  }

  #handles(frame: Frame): void {
    const { view, document, readOnly } = this.#editor;
    const key = view.only;
    const annotation = key && document.get(key);
    const { handles } = this.#editor.hand;
    if (handles === "all" && view.selection.size > 1) return this.#group(frame);
    if (!annotation || readOnly || !handles) return;
    if (view.hidden.has(key) || view.locked.has(key)) return;
    const context = this.#editor.context(annotation);
    const mine = (handle: Handle): boolean => handles === "all" || isKeypoint(handle);
    const { hoveredHandle } = view;
    drawHandles(this.#context, frame, {
      // While one of thousands is dragged, the others are neither drawn nor listed.
      handles: this.#editor.history.open ? [] : handlesInSight(annotation, context, frame).filter(mine),
      selected: selectedPoints(this.#editor),
      hovered: hoveredHandle && mine(hoveredHandle) ? shapes.handleNow(annotation, hoveredHandle, context) : null,
      chosen: view.keypoint === null ? null : shapes.handleNow(annotation, { shape: "keypoints", part: 0, index: view.keypoint }, context),
      color: this.#editor.colorOf(key),
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
      this.#square(x, y, 9, line.length > 0 || !selected ? color : this.#editor.colorOf(selected), true);
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

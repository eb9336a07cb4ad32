/** One canvas of the stack, from the image at the bottom to the gesture in hand on top. */

import type { Bounds } from "../geometry/bounds";
import type { Camera, Size } from "../geometry/camera";
import type { Shown } from "./paint";

export interface Frame {
  readonly camera: Camera;
  /** The stage in CSS pixels. */
  readonly size: Size;
  /** Device pixels per CSS pixel. */
  readonly ratio: number;
}

export interface Layer {
  /** Its place in the stack: a canvas, or an element with what the browser moves by itself. */
  readonly canvas: HTMLElement;
  /** Draws when the frame or what the layer shows has changed since last time. */
  draw(frame: Frame): void;
}

export type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

export function newCanvas(): { canvas: HTMLCanvasElement; context: CanvasRenderingContext2D } {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser draws no canvas.");
  canvas.setAttribute("aria-hidden", "true");
  return { canvas, context };
}

/** A canvas with nothing on it is taken out of the picture: blending it costs as much as any other. */
export function setBlank(canvas: HTMLElement, blank: boolean): boolean {
  if (canvas.hidden !== blank) canvas.hidden = blank;
  return blank;
}

/** Empties the canvas, in device pixels of the frame's size. */
export function clear(context: Context, { size, ratio }: Frame): void {
  const width = Math.round(size.width * ratio);
  const height = Math.round(size.height * ratio);
  const { canvas } = context;
  context.setTransform(1, 0, 0, 1, 0, 0);
  // Setting the size empties it too, but allocates anew.
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  } else context.clearRect(0, 0, width, height);
}

/** The part of the canvas, in whole device pixels, that these bounds can be seen in. */
export function deviceArea(bounds: Bounds, { camera, size, ratio }: Frame, margin: number): Bounds {
  const scale = camera.scale * ratio;
  return {
    left: Math.max(0, Math.floor(bounds.left * scale + camera.x * ratio - margin)),
    top: Math.max(0, Math.floor(bounds.top * scale + camera.y * ratio - margin)),
    right: Math.min(Math.round(size.width * ratio), Math.ceil(bounds.right * scale + camera.x * ratio + margin)),
    bottom: Math.min(Math.round(size.height * ratio), Math.ceil(bounds.bottom * scale + camera.y * ratio + margin)),
  };
}

/** What of the image is seen there, and so much around it, in CSS pixels. */
export function imageArea(area: Bounds, { camera, ratio }: Frame, margin: number): Bounds {
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

/** Empties a part of the canvas, in whole device pixels; until `restore` nothing else can be painted. */
export function clearPart(context: Context, { left, top, right, bottom }: Bounds): void {
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.beginPath();
  context.rect(left, top, right - left, bottom - top);
  context.clip();
  context.clearRect(left, top, right - left, bottom - top);
}

/** What is to be painted of the image in this area of the canvas. */
export const shownIn = (area: Bounds, frame: Frame): Shown => ({
  scale: frame.camera.scale,
  ratio: frame.ratio,
  within: imageArea(area, frame, 0),
});

/** All of the canvas, in device pixels. */
export const wholeArea = ({ size, ratio }: Frame): Bounds => ({
  left: 0,
  top: 0,
  right: Math.round(size.width * ratio),
  bottom: Math.round(size.height * ratio),
});

/** From here on the context takes image coordinates. */
export function useImageSpace(context: Context, { camera, ratio }: Frame, margin = 0): void {
  const scale = camera.scale * ratio;
  context.setTransform(scale, 0, 0, scale, (camera.x + margin) * ratio, (camera.y + margin) * ratio);
}

/** From here on the context takes CSS pixels of the stage. */
export function useScreenSpace(context: Context, { ratio }: Frame): void {
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
}

/** So much more on each side. */
export const widened = ({ camera, size, ratio }: Frame, margin: number): Frame => ({
  camera: { ...camera, x: camera.x + margin, y: camera.y + margin },
  size: { width: size.width + 2 * margin, height: size.height + 2 * margin },
  ratio,
});

/** What moves that which was painted for one frame to its place in another one of the same size. */
export function shiftBetween({ camera: from }: Frame, { camera: to }: Frame, margin: number): string {
  const zoom = to.scale / from.scale;
  const x = to.x - (from.x + margin) * zoom;
  const y = to.y - (from.y + margin) * zoom;
  return `matrix(${zoom}, 0, 0, ${zoom}, ${x}, ${y})`;
}

/** Whether what was painted for one frame is as good for another: it is moved by whole device pixels, and so far at most. */
export function servesMoved(painted: Frame, frame: Frame, most: number): boolean {
  const { size, ratio } = painted;
  if (ratio !== frame.ratio || size.width !== frame.size.width || size.height !== frame.size.height) return false;
  if (painted.camera.scale !== frame.camera.scale) return false;
  const [dx, dy] = [frame.camera.x - painted.camera.x, frame.camera.y - painted.camera.y];
  const whole = (shift: number): boolean => Math.abs(shift * ratio - Math.round(shift * ratio)) < 0.01;
  return Math.abs(dx) <= most && Math.abs(dy) <= most && whole(dx) && whole(dy);
}

export function sameFrame(a: Frame | null, b: Frame): boolean {
  return (
    a !== null &&
    a.camera === b.camera &&
    a.ratio === b.ratio &&
    a.size.width === b.size.width &&
    a.size.height === b.size.height
  );
}

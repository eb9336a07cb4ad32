/**
 * The handles of the annotation in hand.
 *
 * Outlines may have thousands of points. Handles that would cover one another on
 * the screen are drawn once, as plain rectangles, and while one is dragged only that
 * one is: they took most of the time of a frame.
 */

import { grown } from "../geometry/bounds";
import { toScreen, visible } from "../geometry/camera";
import type { ScreenPoint } from "../geometry/point";
import type { Annotation } from "../model/records";
import * as shapes from "../shapes";
import type { Handle, ShapeContext } from "../shapes/shape";
import type { Frame } from "./layer";

const HANDLE_CSS_PIXELS = 7;
const SMALLEST_HANDLE_CSS_PIXELS = 3;
const SELECTED_HANDLE_CSS_PIXELS = 9;
const HOVERED_HANDLE_CSS_PIXELS = 10;
const KEYPOINT_RING_CSS_PIXELS = 7;
const LINE_CSS_PIXELS = 1.5;
const MARK_CSS_RADIUS = 8;

/** More handles than this would hide the outline. */
const MOST_HANDLES = 6000;
/** So far a handle reaches beyond its point. */
const HANDLE_REACH_CSS_PIXELS = 8;

export interface Handles {
  readonly handles: readonly Handle[];
  readonly selected: readonly Handle[];
  /** As it is now, like those before. */
  readonly hovered: Handle | null;
  /** A keypoint that was chosen by its name. */
  readonly chosen: Handle | null;
  readonly color: string;
}

/** None where there are more than could be told apart: one zooms in for them, and can take hold of them all the same. */
export function handlesInSight(annotation: Annotation, context: ShapeContext, frame: Frame): readonly Handle[] {
  const bounds = grown(visible(frame.camera, frame.size), HANDLE_REACH_CSS_PIXELS / frame.camera.scale);
  const handles = shapes.handlesWithin(annotation, bounds, context, MOST_HANDLES + 1);
  return handles.length > MOST_HANDLES ? [] : handles;
}

export function drawHandles(
  context: CanvasRenderingContext2D,
  frame: Frame,
  { handles, selected, hovered, chosen, color }: Handles,
): void {
  context.lineWidth = LINE_CSS_PIXELS;
  drawAll(context, frame, handles, color);
  for (const { at } of selected) {
    const { x, y } = toScreen(frame.camera, at);
    if (onStage(x, y, frame)) drawSquare(context, x, y, SELECTED_HANDLE_CSS_PIXELS, color, true);
  }
  if (chosen) drawRing(context, toScreen(frame.camera, chosen.at), color);
  if (!hovered) return;
  const { x, y } = toScreen(frame.camera, hovered.at);
  if (isKeypoint(hovered)) drawRing(context, { x, y }, color);
  else drawSquare(context, x, y, HOVERED_HANDLE_CSS_PIXELS, color, true);
  if (hovered.label) drawLabel(context, frame, hovered.label, { x, y });
}

/** Keypoints are drawn as dots already; a handle would hide whether they are seen. */
export const isKeypoint = ({ shape }: Handle): boolean => shape === "keypoints";

function drawRing(context: CanvasRenderingContext2D, { x, y }: ScreenPoint, color: string): void {
  for (const [style, width] of [["#ffffff", 4], [color, 2]] as const) {
    context.beginPath();
    context.arc(x, y, KEYPOINT_RING_CSS_PIXELS, 0, 2 * Math.PI);
    context.strokeStyle = style;
    context.lineWidth = width;
    context.stroke();
  }
  context.lineWidth = LINE_CSS_PIXELS;
}

function drawAll(
  context: CanvasRenderingContext2D,
  frame: Frame,
  handles: readonly Handle[],
  color: string,
): void {
  const side = sideOf(handles, frame);
  const places = apart(handles, side, frame);
  const square = (size: number): void => {
    for (const { x, y } of places) context.fillRect(x - size / 2, y - size / 2, size, size);
  };
  context.fillStyle = color;
  square(side + LINE_CSS_PIXELS);
  context.fillStyle = "#ffffff";
  square(side - LINE_CSS_PIXELS);
}

export function drawSquare(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  side: number,
  color: string,
  filled: boolean,
): void {
  context.fillStyle = filled ? color : "#ffffff";
  context.strokeStyle = filled ? "#ffffff" : color;
  context.fillRect(x - side / 2, y - side / 2, side, side);
  context.strokeRect(x - side / 2, y - side / 2, side, side);
}

/** On another outline: a circle around a point of it, a rhombus on an edge; seen on every image. */
export function drawMark(
  context: CanvasRenderingContext2D,
  { x, y }: ScreenPoint,
  kind: "point" | "edge",
): void {
  context.beginPath();
  if (kind === "point") context.arc(x, y, MARK_CSS_RADIUS, 0, 2 * Math.PI);
  else {
    for (const [u, v] of [[0, -1], [1, 0], [0, 1], [-1, 0]] as const) {
      context.lineTo(x + u * MARK_CSS_RADIUS, y + v * MARK_CSS_RADIUS);
    }
    context.closePath();
  }
  for (const [style, width] of [["rgb(0 0 0 / 65%)", 4], ["#ffffff", 2]] as const) {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.stroke();
  }
}

/** Where points lie close together, handles of the usual size would hide the shape. */
function sideOf(handles: readonly Handle[], { camera }: Frame): number {
  if (handles.length < 2) return HANDLE_CSS_PIXELS;
  let length = 0;
  for (let i = 1; i < handles.length; i++) {
    const [a, b] = [handles[i - 1]!, handles[i]!];
    if (a.part === b.part && b.index === a.index + 1) length += Math.abs(a.at.x - b.at.x) + Math.abs(a.at.y - b.at.y);
  }
  const spacing = (length * camera.scale) / handles.length;
  return Math.min(HANDLE_CSS_PIXELS, Math.max(SMALLEST_HANDLE_CSS_PIXELS, spacing * 0.7));
}

/** Where handles are on the stage, of those in the same cell only the first. */
function apart(handles: readonly Handle[], side: number, frame: Frame): ScreenPoint[] {
  const { camera, size } = frame;
  const places: ScreenPoint[] = [];
  const columns = Math.ceil(size.width / side) + 2;
  const taken = new Set<number>();
  for (const handle of handles) {
    if (isKeypoint(handle)) continue;
    const { at } = handle;
    const x = at.x * camera.scale + camera.x;
    const y = at.y * camera.scale + camera.y;
    if (!onStage(x, y, frame)) continue;
    const cell = Math.floor(y / side) * columns + Math.floor(x / side);
    if (taken.has(cell)) continue;
    taken.add(cell);
    places.push({ x, y });
  }
  return places;
}

function onStage(x: number, y: number, { size }: Frame): boolean {
  return x >= -8 && y >= -8 && x <= size.width + 8 && y <= size.height + 8;
}

/** A name beside a point of the stage. */
export function drawLabel(context: CanvasRenderingContext2D, { size }: Frame, text: string, { x, y }: ScreenPoint): void {
  context.font = "12px system-ui, sans-serif";
  const width = context.measureText(text).width + 12;
  const left = x + 10 + width > size.width ? x - 10 - width : x + 10;
  const top = Math.max(0, y - 22);
  context.fillStyle = "rgb(15 18 22 / 85%)";
  context.fillRect(left, top, width, 20);
  context.fillStyle = "#ffffff";
  context.fillText(text, left + 6, top + 14);
}

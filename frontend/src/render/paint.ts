/**
 * Draws an outline with a style, in image coordinates. The worker and the main
 * thread use the same code, so that a shape looks the same on either.
 */

import { luminance, type Look } from "../editor/look";
import { boundsOfNumbers, type Bounds } from "../geometry/bounds";
import { apart } from "../geometry/ring";
import type { Outline } from "../shapes/shape";
import { DenseOutline } from "./dense-outline";
import type { Context } from "./layer";
import { addRings, everywhereBut, HALO, strokePaths } from "./paths";

export interface Style {
  readonly color: string;
  readonly fillAlpha: number;
  /** Strokes from the bottom up, in CSS pixels. */
  readonly strokes: readonly { readonly color: string; readonly width: number }[];
  readonly dashed: boolean;
}

/** What of the image is to be seen, and how large. */
export interface Shown {
  /** CSS pixels per pixel of the image. */
  readonly scale: number;
  /** Device pixels per CSS pixel. */
  readonly ratio: number;
  /** In pixels of the image; what lies beyond need not be painted. */
  readonly within: Bounds;
}

/** What an outline is drawn from. It does without the numbers of the outline, but where it is dense. */
export interface Drawing {
  readonly areas: readonly { readonly fill: Path2D; readonly keep: readonly Path2D[] }[];
  readonly strokes: readonly Path2D[];
  /** In place of both, where there are so many points that they decide how long a frame takes. */
  readonly dense: DenseOutline | null;
  readonly dots: Outline["dots"];
  /** How far the dots reach, in pixels of the image; infinite for one alone. */
  readonly reach: number;
}

/** An outline of more points is dense. */
const DENSE = 1000;

/**
 * How edges are joined is seen on lines of so many CSS pixels only, and arcs take a quarter of the time of a stroke.
 * Below that corners are pointed, up to a right angle and a little beyond; where points lie close, they are cut.
 */
const THICK = 2;
const MITER = 1.5;

const DOT_CSS_RADIUS = 4;
const LEAST_DOT_CSS_RADIUS = 1.5;
/** The dots of a pose that is small on the screen are no larger than this part of it, or they hide it. */
const DOT_SHARE = 1 / 45;

const drawings = new WeakMap<Outline, Drawing>();

/** Darker than this a line is lost on a dark photograph, and gets a light one around it. */
const DARK = 0.12;

export const normalStyle = (color: string, { fillOpacity, outlineOnly }: Look): Style => ({
  color,
  fillAlpha: outlineOnly ? 0 : fillOpacity,
  strokes: [...(luminance(color) < DARK ? [{ color: HALO, width: 3.5 }] : []), { color, width: 1.5 }],
  dashed: false,
});

export const hoverStyle = (color: string, { outlineOnly }: Look): Style => ({
  color,
  fillAlpha: outlineOnly ? 0 : 0.2,
  strokes: [{ color, width: 2.5 }],
  dashed: false,
});

/** White on the category's colour, so that it stands out from bright images too. */
export const selectedStyle = (color: string, { fillOpacity, outlineOnly }: Look): Style => ({
  color,
  fillAlpha: outlineOnly ? 0 : Math.min(1, fillOpacity + 0.06),
  strokes: [
    { color, width: 4 },
    { color: "#ffffff", width: 1.5 },
  ],
  dashed: false,
});

export const refusedStyle = (color: string): Style => ({
  color,
  fillAlpha: 0.2,
  strokes: [
    { color: "#ffffff", width: 4 },
    { color: "#e5484d", width: 2.5 },
  ],
  dashed: true,
});

export function paint(context: Context, drawing: Drawing, style: Style, shown: Shown): void {
  const { scale, ratio } = shown;
  context.setLineDash(style.dashed ? [6 / scale, 4 / scale] : []);
  if (drawing.dense) drawing.dense.paint(context, style, shown);
  else paintAreas(context, drawing, style);
  context.miterLimit = MITER;
  for (const { color, width } of style.strokes) {
    context.lineJoin = width < THICK ? "miter" : "round";
    strokePaths(context, drawing.strokes, color, width * ratio, scale * ratio, style.dashed);
  }
  context.setLineDash([]);
  if (drawing.dots.length === 0) return;
  const radius = dotRadius(drawing.reach * scale) / scale;
  for (const { at, hidden } of drawing.dots) paintDot(context, at, radius, hidden, style, scale);
}

function paintAreas(context: Context, { areas }: Drawing, { color, fillAlpha }: Style): void {
  // Without a fill there is nothing to see of what costs most.
  if (fillAlpha === 0) return;
  context.fillStyle = color;
  context.globalAlpha = fillAlpha;
  for (const { fill, keep } of areas) fillArea(context, fill, keep);
  context.globalAlpha = 1;
}

function fillArea(context: Context, fill: Path2D, keep: readonly Path2D[]): void {
  if (keep.length === 0) return context.fill(fill, "evenodd");
  context.save();
  for (const each of keep) context.clip(each, "evenodd");
  context.fill(fill, "evenodd");
  context.restore();
}

/** In CSS pixels, as is how far the dots reach. */
export const dotRadius = (reach: number): number =>
  Math.min(DOT_CSS_RADIUS, Math.max(LEAST_DOT_CSS_RADIUS, reach * DOT_SHARE));

function paintDot(
  context: Context,
  at: { readonly x: number; readonly y: number },
  radius: number,
  hidden: boolean,
  { color, strokes }: Style,
  scale: number,
): void {
  context.beginPath();
  context.arc(at.x, at.y, radius, 0, 2 * Math.PI);
  context.fillStyle = hidden ? "#ffffff" : color;
  context.fill();
  context.strokeStyle = hidden ? color : (strokes.at(-1)?.color ?? color);
  context.lineWidth = 1.5 / scale;
  context.stroke();
}

/** Made once for each outline. */
export function drawingOf(outline: Outline): Drawing {
  let drawing = drawings.get(outline);
  if (!drawing) {
    drawing = newDrawing(outline);
    drawings.set(outline, drawing);
  }
  return drawing;
}

/** What is drawn in another way beside what has moved, in image pixels: empty for nothing, null for all of it. */
export function changedAround(before: Drawing, after: Drawing, shown: Shown): readonly [] | readonly [Bounds] | null {
  if (!before.dense || !after.dense) return [];
  return after.dense.changedAround(before.dense, shown);
}

export function newDrawing(outline: Outline): Drawing {
  return { ...areaPaths(outline), dots: outline.dots, reach: reachOf(outline.dots) };
}

function areaPaths(outline: Outline): Pick<Drawing, "areas" | "strokes" | "dense"> {
  const rings = outline.areas.flatMap((area) => [...area.rings, ...area.cut]);
  const lines = outline.lines.length > 0 ? [linesOf(outline.lines)] : [];
  if (rings.reduce((sum, ring) => sum + ring.length / 2, 0) > DENSE) {
    return { areas: [], strokes: lines, dense: new DenseOutline(outline) };
  }
  const areas = outline.areas.map(({ rings, cut }) => ({
    fill: addRings(new Path2D(), rings),
    keep: apart(cut).map(everywhereBut),
  }));
  // A path takes memory, and most shapes are one area without holes, whose path serves for both.
  const [only] = areas.length === 1 && areas[0]!.keep.length === 0 ? areas : [];
  return { areas, strokes: [only?.fill ?? addRings(new Path2D(), rings), ...lines], dense: null };
}

function reachOf(dots: Outline["dots"]): number {
  const bounds = boundsOfNumbers(dots.flatMap(({ at }) => [at.x, at.y]));
  if (!bounds || dots.length === 1) return Infinity;
  return Math.max(bounds.right - bounds.left, bounds.bottom - bounds.top);
}

function linesOf(lines: Outline["lines"]): Path2D {
  const path = new Path2D();
  for (const [from, to] of lines) {
    path.moveTo(from.x, from.y);
    path.lineTo(to.x, to.y);
  }
  return path;
}

/**
 * Draws an outline with a style, in image coordinates. The worker and the main
 * thread use the same code, so that a shape looks the same on either.
 */

import { luminance, type Look } from "../editor/look";
import { boundsOfNumbers } from "../geometry/bounds";
import { anyOverlap, type Ring } from "../geometry/ring";
import type { Outline } from "../shapes/shape";
import type { Context, Frame } from "./layer";

export interface Style {
  readonly color: string;
  readonly fillAlpha: number;
  /** Strokes from the bottom up, in CSS pixels. */
  readonly strokes: readonly { readonly color: string; readonly width: number }[];
  readonly dashed: boolean;
}

/** What an outline is drawn from. It does without the numbers of the outline. */
export interface Drawing {
  readonly areas: readonly { readonly fill: Path2D; readonly keep: readonly Path2D[] }[];
  readonly strokes: readonly Path2D[];
  /** So many points that how a stroke is drawn decides how long a frame takes. */
  readonly dense: boolean;
  readonly dots: Outline["dots"];
  /** How far the dots reach, in pixels of the image; infinite for one alone. */
  readonly reach: number;
}

/** An outline of more points is dense. */
const DENSE = 1000;
/** A dense outline is stroked in pieces of so many points, which takes a third of the time. */
const PIECE = 50;

/**
 * How edges are joined is seen on lines of so many CSS pixels only, and arcs take a quarter of the time of a stroke.
 * Below that corners are pointed, up to a right angle and a little beyond; where points lie close, they are cut.
 */
const THICK = 2;
const MITER = 1.5;

/**
 * A line of one device pixel takes a small part of the time of a wider one, which has to be made an area first. So one
 * that is hardly wider is drawn as three of these around its middle. A little less, since with more it is an area.
 */
const HAIRLINE = 0.99;
const FINE = 2;
const AROUND = [
  [0, -1],
  [Math.sqrt(3) / 2, 0.5],
  [-Math.sqrt(3) / 2, 0.5],
] as const;

const DOT_CSS_RADIUS = 4;
const LEAST_DOT_CSS_RADIUS = 1.5;
/** The dots of a pose that is small on the screen are no larger than this part of it, or they hide it. */
const DOT_SHARE = 1 / 45;
/** Larger than any image, and small enough for exact arithmetic in the rasteriser. */
const EVERYWHERE = 1e6;

const drawings = new WeakMap<Outline, Drawing>();

/** Darker than this a line is lost on a dark photograph, and gets a light one around it. */
const DARK = 0.12;
const HALO = "rgb(255 255 255 / 65%)";

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

export function paint(context: Context, drawing: Drawing, style: Style, { camera: { scale }, ratio }: Frame): void {
  context.fillStyle = style.color;
  context.globalAlpha = style.fillAlpha;
  // Without a fill there is nothing to see of what costs most.
  if (style.fillAlpha > 0) for (const { fill, keep } of drawing.areas) fillArea(context, fill, keep);
  context.globalAlpha = 1;
  context.setLineDash(style.dashed ? [6 / scale, 4 / scale] : []);
  style.strokes.forEach(({ color, width }, i) => {
    context.strokeStyle = color;
    context.lineJoin = drawing.dense ? "bevel" : width < THICK ? "miter" : "round";
    context.miterLimit = MITER;
    // Below the topmost line of a dense outline lies a wide one.
    const pixels = (drawing.dense && i > 0 ? Math.min(width, 1) : width) * ratio;
    const isSolid = !style.dashed && color !== HALO;
    if (pixels > 1 && pixels < FINE && isSolid) strokeFine(context, drawing.strokes, pixels, scale * ratio);
    else strokeAll(context, drawing.strokes, (pixels === 1 ? HAIRLINE : pixels) / (scale * ratio));
  });
  context.setLineDash([]);
  if (drawing.dots.length === 0) return;
  const radius = dotRadius(drawing.reach * scale) / scale;
  for (const { at, hidden } of drawing.dots) paintDot(context, at, radius, hidden, style, scale);
}

function strokeAll(context: Context, paths: readonly Path2D[], width: number): void {
  context.lineWidth = width;
  for (const path of paths) context.stroke(path);
}

/** An opaque line, not dashed, of so many device pixels, of which one of the context's units has `scale`. */
function strokeFine(context: Context, paths: readonly Path2D[], pixels: number, scale: number): void {
  const apart = (pixels - 1) / 2 / scale;
  for (const [x, y] of AROUND) {
    context.translate(apart * x, apart * y);
    strokeAll(context, paths, HAIRLINE / scale);
    context.translate(-apart * x, -apart * y);
  }
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

export function newDrawing(outline: Outline): Drawing {
  const rings = outline.areas.flatMap((area) => [...area.rings, ...area.cut]);
  const dense = rings.reduce((sum, ring) => sum + ring.length / 2, 0) > DENSE;
  const areas = outline.areas.map(({ rings, cut }) => ({
    fill: addRings(new Path2D(), rings),
    keep: separately(cut).map(everywhereBut),
  }));
  // A path takes memory, and most shapes are one area without holes, whose path serves for both.
  const [only] = areas.length === 1 && areas[0]!.keep.length === 0 ? areas : [];
  const around = only?.fill ?? addRings(new Path2D(), rings);
  const strokes = dense ? rings.flatMap(inPieces) : [around];
  if (outline.lines.length > 0) strokes.push(linesOf(outline.lines));
  return { areas, strokes, dense, dots: outline.dots, reach: reachOf(outline.dots) };
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

/** Holes that overlap are cut out one by one, or their common part would be filled again. */
function separately(cut: readonly Ring[]): (readonly Ring[])[] {
  if (cut.length === 0) return [];
  return anyOverlap(cut) ? cut.map((ring) => [ring]) : [cut];
}

function everywhereBut(cut: readonly Ring[]): Path2D {
  const path = new Path2D();
  path.rect(-EVERYWHERE, -EVERYWHERE, 2 * EVERYWHERE, 2 * EVERYWHERE);
  return addRings(path, cut);
}

/** Each piece goes one edge into the next, so that the place where they meet is joined, too. */
function inPieces(ring: Ring): Path2D[] {
  const points = ring.length / 2;
  const pieces: Path2D[] = [];
  for (let start = 0; start < points; start += PIECE) {
    const piece = new Path2D();
    for (let i = start; i <= Math.min(start + PIECE + 1, points + 1); i++) {
      const at = 2 * (i % points);
      if (i === start) piece.moveTo(ring[at]!, ring[at + 1]!);
      else piece.lineTo(ring[at]!, ring[at + 1]!);
    }
    pieces.push(piece);
  }
  return pieces;
}

function addRings(path: Path2D, rings: readonly Ring[]): Path2D {
  for (const ring of rings) {
    for (let i = 0; i + 1 < ring.length; i += 2) {
      if (i === 0) path.moveTo(ring[0]!, ring[1]!);
      else path.lineTo(ring[i]!, ring[i + 1]!);
    }
    path.closePath();
  }
  return path;
}

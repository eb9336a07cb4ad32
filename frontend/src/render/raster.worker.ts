/**
 * Rasterises all shapes that are not being worked on to one bitmap, off the main
 * thread. The answer to a request is a bitmap for its frame; the main thread
 * moves it with the camera until the next one is there. Outlines of what is being
 * worked on are found here, too.
 */

import { grown, overlap } from "../geometry/bounds";
import { visible } from "../geometry/camera";
import { instanceColor, sameLook, type Look } from "../editor/look";
import { finishedPixels, type PixelsInHand } from "../editor/pixels";
import { zOrder } from "../editor/stacking";
import type { Rle } from "../geometry/rle";
import { unpacked } from "../model/packed";
import type { Annotation, AnnotationKey } from "../model/records";
import * as shapes from "../shapes";
import type { Outline } from "../shapes/shape";
import { common } from "./cells";
import { useImageSpace } from "./layer";
import { newDrawing, normalStyle, paint, type Drawing, type Style } from "./paint";
import { paintPixels } from "./paint-pixels";
import type { RasterAnswer, RasterRequest, ShapeUpdate } from "./raster-protocol";

interface Entry extends shapes.Measures {
  readonly key: AnnotationKey;
  readonly color: string;
  readonly z: number;
  /** Of what is too ragged for an outline. */
  readonly pixels: PixelsInHand | null;
  /** Where that takes long and the main thread may ask for the outline; of others only the drawing stays. */
  readonly trace: (() => Outline) | null;
  outline: Outline | null;
  drawing: Drawing | null;
}

const entries = new Map<AnnotationKey, Entry>();
let inOrder: Entry[] | null = null;
let surface = new OffscreenCanvas(1, 1);

function update({ key, color, context }: ShapeUpdate, annotation: Annotation | null): void {
  inOrder = null;
  if (!annotation) {
    entries.delete(key);
    return;
  }
  if (shapes.isMask(annotation.segmentation)) shapes.unfold(annotation.segmentation);
  const heavy = shapes.isHeavy(annotation);
  const pixels = shapes.isRagged(annotation) ? allPixels(key, annotation) : null;
  entries.set(key, {
    ...shapes.measures(annotation),
    key,
    color,
    z: zOrder(annotation),
    pixels,
    // Whoever draws pixels needs nothing else of it: a mask may be a megabyte of text.
    trace: heavy && !pixels ? () => shapes.outline(annotation, context) : null,
    outline: null,
    drawing: heavy ? null : newDrawing(shapes.outline(annotation, context)),
  });
}

function allPixels(key: AnnotationKey, annotation: Annotation): PixelsInHand {
  const mask = annotation.segmentation as Rle;
  // Of the mask only its pixels stay, and not its text.
  return finishedPixels(key, { ...annotation, segmentation: null }, shapes.runsIn(mask), mask.size);
}

/** Few colours, or one for each object: either way each style is made once per look. */
const styles = new Map<string, Style>();
let stylesOf: Look | null = null;

function styleOf({ key, color }: Entry, look: Look): Style {
  if (!stylesOf || !sameLook(stylesOf, look)) styles.clear();
  stylesOf = look;
  const name = look.colorBy === "instance" ? key : color;
  let style = styles.get(name);
  if (!style) {
    style = normalStyle(look.colorBy === "instance" ? instanceColor(key) : color, look);
    styles.set(name, style);
  }
  return style;
}

/** Small things are drawn above big ones, unless they were sent back. */
function drawingOrder(): Entry[] {
  inOrder ??= [...entries.values()].sort((a, b) => a.z - b.z || b.area - a.area);
  return inOrder;
}

/** Outlines that the main thread leaves to this thread. */
type Outlines = [AnnotationKey, Outline | null][];

function traced(entry: Entry): Outline {
  entry.outline ??= entry.trace!();
  return entry.outline;
}

function drawingFor(entry: Entry, outlines: Outlines): Drawing {
  if (!entry.drawing) {
    if (!entry.outline) outlines.push([entry.key, traced(entry)]);
    entry.drawing = newDrawing(traced(entry));
  }
  return entry.drawing;
}

function tracedOf(wanted: readonly AnnotationKey[]): Outlines {
  const found = wanted.flatMap((key) => entries.get(key) ?? []);
  return found.map((entry) => [entry.key, entry.pixels ? null : traced(entry)]);
}

function raster({ frame, margin, without, look }: RasterRequest, outlines: Outlines): ImageBitmap {
  const width = Math.max(1, Math.round((frame.size.width + 2 * margin) * frame.ratio));
  const height = Math.max(1, Math.round((frame.size.height + 2 * margin) * frame.ratio));
  if (surface.width !== width || surface.height !== height) {
    surface = new OffscreenCanvas(width, height);
  }
  const context = surface.getContext("2d")!;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, width, height);
  useImageSpace(context, frame, margin);
  const shown = visible(
    { ...frame.camera, x: frame.camera.x + margin, y: frame.camera.y + margin },
    { width: frame.size.width + 2 * margin, height: frame.size.height + 2 * margin },
  );
  // What goes on outside has no border at the edge of the bitmap.
  const beyond = grown(shown, 4 / frame.camera.scale);
  for (const entry of drawingOrder()) {
    // A straight line or a single point has bounds without area.
    const { bounds } = entry;
    if (!bounds || without.has(entry.key)) continue;
    if (!overlap(grown(bounds, 1), shown)) continue;
    const style = styleOf(entry, look);
    if (entry.pixels) {
      paintPixels(context, entry.pixels, common(bounds, beyond), style, { scale: frame.camera.scale, ratio: frame.ratio });
      continue;
    }
    paint(context, drawingFor(entry, outlines), style, { scale: frame.camera.scale, ratio: frame.ratio, within: beyond });
  }
  return surface.transferToImageBitmap();
}

self.onmessage = ({ data }: MessageEvent<RasterRequest>) => {
  let i = 0;
  for (const annotation of unpacked(data.packed)) update(data.updates[i++]!, annotation);
  const outlines = tracedOf(data.wanted);
  const bitmap = data.draws ? raster(data, outlines) : null;
  const answer: RasterAnswer = { bitmap, outlines };
  self.postMessage(answer, { transfer: bitmap ? [bitmap] : [] });
};

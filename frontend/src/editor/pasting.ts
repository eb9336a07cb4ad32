/** What comes of a clip on an image: data in, plan out. */

import { boundsOfBox, encloses, union, type Bounds } from "../geometry/bounds";
import { clipBox, clipRing, placeMask } from "../geometry/clip";
import type { ImagePoint } from "../geometry/point";
import type { Ring } from "../geometry/ring";
import { sameValue, type Annotation, type Category } from "../model/records";
import * as shapes from "../shapes";
import type { Clip, ClipItem } from "./clipboard";

export interface Target {
  readonly image: { readonly width: number; readonly height: number; readonly dataset_id: number };
  readonly categories: readonly Category[];
  /** Labels are of the whole image: a second one of the same category says nothing. */
  readonly labels: ReadonlySet<number>;
}

export interface PasteOptions {
  /** Where the middle of the clip shall be; at its own place when left out. */
  readonly at?: ImagePoint | null;
  /** Cut off what would lie outside of the image. */
  readonly clipped: boolean;
}

export interface Pasted {
  readonly annotation: Annotation;
  readonly of: number | null;
}

export interface PastePlan {
  readonly pasted: readonly Pasted[];
  /** One sentence each about what a person should know. */
  readonly told: readonly string[];
}

type Refusal = "category" | "mask" | "label" | "empty";

export function planPaste(clip: Clip, target: Target, options: PasteOptions): PastePlan {
  const shift = shiftTo(clip, options.at ?? null);
  const pasted: Pasted[] = [];
  const refused: Refusal[] = [];
  const unknown = new Set<string>();
  for (const item of clip.items) {
    const category = categoryFor(clip, item, target);
    const placed = category === undefined ? "category" : place(item, category, target, shift, options);
    if (typeof placed !== "string") pasted.push({ annotation: placed, of: item.of });
    else refused.push(placed);
    if (placed === "category" && item.category) unknown.add(item.category.name);
  }
  return { pasted, told: [...tellRefused(refused, unknown), ...tellOutside(pasted, target)] };
}

/** By id in the same dataset, by name in another one; undefined when there is none. */
function categoryFor(
  { datasetId }: Clip,
  { annotation: { category_id: id }, category }: ClipItem,
  target: Target,
): Category | null | undefined {
  if (id === null) return null;
  const here = datasetId === target.image.dataset_id;
  return target.categories.find((each) => (here ? each.id === id : each.name === category?.name));
}

function place(
  { annotation, category: from }: ClipItem,
  category: Category | null,
  target: Target,
  [dx, dy]: readonly [number, number],
  { clipped }: PasteOptions,
): Annotation | Refusal {
  const sameKeypoints = sameValue(from?.keypoints ?? [], category?.keypoints ?? []);
  const own = {
    ...annotation,
    category_id: category?.id ?? null,
    // Points that mean something else there would be wrong.
    keypoints: sameKeypoints ? annotation.keypoints : null,
  };
  const wasLabel = shapes.isLabel(annotation);
  if (wasLabel && category && target.labels.has(category.id)) return "label";
  const { segmentation } = own;
  let moved: Annotation | null = own;
  if (shapes.isMask(segmentation)) {
    const { width, height } = target.image;
    const { mask, lost, kept } = placeMask(segmentation, [height, width], dx, dy);
    if (lost > 0 && !clipped) return "mask";
    if (lost > 0 && kept === 0) return "empty";
    const rest = shapes.move({ ...own, segmentation: null }, dx, dy);
    moved = rest && { ...rest, segmentation: mask };
  } else if (dx !== 0 || dy !== 0) moved = shapes.move(own, dx, dy);
  const result = moved && clipped ? clippedTo(moved, boundsOf(target)) : moved;
  if (!result || (!wasLabel && shapes.isLabel(result))) return "empty";
  return result;
}

const boundsOf = ({ image }: Target): Bounds => boundsOfBox([0, 0, image.width, image.height]);

/** Without what lies outside; the same object when nothing does. */
function clippedTo(annotation: Annotation, bounds: Bounds): Annotation {
  const { bounds: extent } = shapes.measures(annotation);
  if (!extent || encloses(bounds, extent)) return annotation;
  const { segmentation, holes, bbox, keypoints } = annotation;
  const within = (rings: readonly Ring[]): Ring[] =>
    rings.map((ring) => clipRing(ring, bounds)).filter((ring) => ring !== null);
  const rings = shapes.isPolygons(segmentation) ? within(segmentation) : [];
  return {
    ...annotation,
    segmentation: shapes.isMask(segmentation) ? segmentation : rings.length > 0 ? rings : null,
    holes: rings.length > 0 ? within(holes) : [],
    bbox: bbox && clipBox(bbox, bounds),
    keypoints: keypoints && shapes.keypointsWithin(keypoints, bounds),
  };
}

function shiftTo({ items }: Clip, at: ImagePoint | null): readonly [number, number] {
  const all = items.map(({ annotation }) => shapes.measures(annotation).bounds);
  const bounds = all.reduce<Bounds | null>(union, null);
  if (!bounds || !at) return [0, 0];
  // Masks move by whole pixels, and everything with them.
  const whole = items.some(({ annotation: { segmentation } }) => shapes.isMask(segmentation));
  const round = (value: number): number => (whole ? Math.round(value) : Math.round(value * 100) / 100);
  return [
    round(at.x - (bounds.left + bounds.right) / 2),
    round(at.y - (bounds.top + bounds.bottom) / 2),
  ];
}

function tellRefused(refused: readonly Refusal[], unknown: ReadonlySet<string>): string[] {
  const count = (kind: Refusal): number => refused.filter((each) => each === kind).length;
  const names = [...unknown].map((name) => `“${name}”`).join(", ");
  const told: [number, string][] = [
    [count("category"), `not pasted: this dataset has no category ${names}`],
    [count("mask"), "not pasted: a mask cannot reach beyond its image; “Paste, cut off at the edges” cuts it"],
    [count("label"), "not pasted: the image has this label already"],
    [count("empty"), "not pasted: nothing of it would be in the image, or it means nothing here"],
  ];
  return told.filter(([n]) => n > 0).map(([n, text]) => `${n} ${text}.`);
}

function tellOutside(pasted: readonly Pasted[], target: Target): string[] {
  const bounds = boundsOf(target);
  const outside = pasted.filter(({ annotation }) => {
    const { bounds: extent } = shapes.measures(annotation);
    return extent !== null && !encloses(bounds, extent);
  }).length;
  if (outside === 0) return [];
  const reach = outside === 1 ? "reaches beyond the image and stays" : "reach beyond the image and stay";
  return [`${outside} ${reach} as drawn; undo and choose “Paste, cut off at the edges” to cut.`];
}

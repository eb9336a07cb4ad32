/** Between the API's annotations and the editor's two halves of one. */

import { boundsOfBox, boxOfBounds, type Box } from "../geometry/bounds";
import type { Prediction } from "../model/predictions";
import {
  ANNOTATION_FIELDS,
  changedFields,
  EMPTY_ANNOTATION,
  sameValue,
  type Annotation,
  type AnnotationField,
  type Category,
  type Segmentation,
  type ServerFacts,
} from "../model/records";
import { isLabel, measures } from "../shapes";
import type { Schemas } from "./client";

export type WireAnnotation = Schemas["AnnotationOut"];

export interface Known {
  readonly annotation: Annotation;
  readonly facts: ServerFacts;
}

export const read = (wire: WireAnnotation): Known => readAnswer(wire, null);

/** Where its shape is the one that was sent it is the same object, of which much is known that takes long to find. */
export function readAnswer(wire: WireAnnotation, sent: Annotation | null): Known {
  const isSent = sent !== null && sameValue(wire.segmentation, sent.segmentation);
  // Every mask has two sides and every box four numbers: the server answers for it.
  const segmentation = isSent ? sent.segmentation : (wire.segmentation as Segmentation);
  return {
    annotation: {
      category_id: wire.category_id,
      segmentation,
      holes: wire.holes,
      bbox: ownBox(wire, segmentation),
      keypoints: wire.keypoints,
      iscrowd: wire.iscrowd,
      attributes: wire.attributes,
      score: wire.score,
      caption: wire.caption,
    },
    facts: {
      id: wire.id,
      coco_id: wire.coco_id,
      version: wire.version,
      task: wire.task,
      area: wire.area,
      bbox: wire.bbox as readonly number[] as Box,
      num_keypoints: wire.num_keypoints,
      other_keys: wire.other_keys,
      client_key: wire.client_key,
      created_by: wire.created_by,
      updated_by: wire.updated_by,
      created_at: wire.created_at,
      updated_at: wire.updated_at,
    },
  };
}

/** Boxes in files are often rounded, or count their last pixel in. */
const FOLLOWS_PIXELS = 1;

/**
 * The box, where it stands for itself. Captions and labels have zeros for one. The box of a segmentation
 * is its own where it is more than a pixel from the extent, that of bare keypoints where it differs at all.
 */
function ownBox({ keypoints, bbox }: WireAnnotation, segmentation: Segmentation): Box | null {
  if (bbox.every((number) => number === 0)) return null;
  const empty = segmentation === null || (Array.isArray(segmentation) && segmentation.length === 0);
  const shape = empty ? { keypoints } : { segmentation };
  const { bounds } = measures({ ...EMPTY_ANNOTATION, ...shape });
  const box = bbox as readonly number[] as Box;
  if (!bounds) return empty ? box : null;
  if (empty) return sameValue(boxOfBounds(bounds), bbox) ? null : box;
  const own = boundsOfBox(box);
  const apart = (["left", "top", "right", "bottom"] as const).map((side) => Math.abs(own[side] - bounds[side]));
  return Math.max(...apart) > FOLLOWS_PIXELS ? box : null;
}

/**
 * The same reading as before: a box that one of these states named and that is still there is its
 * own, however near to the extent it lies.
 */
export function asNamed(known: Known, ...before: readonly (Annotation | null)[]): Known {
  if (known.annotation.bbox) return known;
  const named = before.find((each) => each?.bbox && sameValue(each.bbox, known.facts.bbox));
  return named ? { ...known, annotation: { ...known.annotation, bbox: named.bbox } } : known;
}

/** What to draw of a prediction: a bare box is one, not the four corners that it is shown with. */
export function readPrediction(wire: Schemas["PredictionOut"]): Prediction {
  const box = wire.bbox as readonly number[] as Box;
  const bare = wire.kind === "bbox" && isCorners(wire.segmentation, box);
  return {
    id: wire.id,
    setId: wire.set_id,
    kind: wire.kind,
    score: wire.score,
    shape: {
      ...EMPTY_ANNOTATION,
      category_id: wire.category_id,
      segmentation: bare ? null : (wire.segmentation as Segmentation),
      holes: wire.holes,
      bbox: bare ? box : null,
      keypoints: wire.keypoints && labelled(wire.keypoints),
      attributes: wire.attributes,
      score: wire.score,
      caption: wire.caption,
    },
  };
}

/** A v that is none of 0, 1 and 2 is a model's confidence: more than 0 is accepted as visible. */
function labelled(keypoints: readonly number[]): readonly number[] {
  return keypoints.map((value, i) => (i % 3 < 2 || [0, 1, 2].includes(value) ? value : value > 0 ? 2 : 0));
}

function isCorners(segmentation: Schemas["PredictionOut"]["segmentation"], box: Box): boolean {
  const [x, y, width, height] = box;
  const [right, bottom] = [x + width, y + height];
  return sameValue(segmentation, [[x, y, x, bottom, right, bottom, right, y]]);
}

export function readCategory(wire: Omit<Schemas["CategoryOut"], "annotation_count">): Category {
  return { ...wire, skeleton: wire.skeleton as Category["skeleton"] };
}

/** The annotation as the API shows it; what the server has not told yet is null. */
export function write(annotation: Annotation, facts: ServerFacts | null, imageId: number): object {
  return structuredClone({
    id: facts?.id ?? null,
    coco_id: facts?.coco_id ?? null,
    image_id: imageId,
    version: facts?.version ?? 0,
    task: facts?.task ?? null,
    ...annotation,
    bbox: annotation.bbox ?? facts?.bbox ?? null,
    area: facts?.area ?? null,
    num_keypoints: facts?.num_keypoints ?? null,
    other_keys: facts?.other_keys ?? [],
    client_key: facts?.client_key ?? null,
    created_by: facts?.created_by ?? null,
    updated_by: facts?.updated_by ?? null,
    created_at: facts?.created_at ?? null,
    updated_at: facts?.updated_at ?? null,
  });
}

/** What a new annotation has, and nothing that it has not. */
export function createBody(annotation: Annotation): Schemas["NewAnnotation"] {
  const told = ANNOTATION_FIELDS.filter((field) => {
    const value = annotation[field];
    if (field === "holes") return annotation.holes.length > 0;
    if (field === "attributes") return Object.keys(annotation.attributes).length > 0;
    return value !== null;
  });
  if (!isLabel(annotation)) return pick(annotation, told);
  return { ...pick(annotation, told.filter((field) => field !== "iscrowd")), task: "labels" };
}

/** Only what changed, down to the single attribute. Rings and holes make one shape, so they go together. */
export function changeBody(from: Annotation, to: Annotation): Schemas["AnnotationChange"] {
  const fields = new Set(changedFields(from, to));
  const pierced = from.holes.length > 0 || to.holes.length > 0;
  if (pierced && (fields.has("segmentation") || fields.has("holes"))) {
    fields.add("segmentation").add("holes");
  }
  const patch = fields.delete("attributes") ? attributesPatch(from.attributes, to.attributes) : {};
  return { ...pick(to, [...fields]), ...patch };
}

/**
 * The attributes that differ, null for those that are gone, and apart from them those that become null
 * themselves: the server keeps the numbers of the others that JavaScript cannot hold.
 */
function attributesPatch(from: Attributes, to: Attributes): Schemas["AnnotationChange"] {
  const changed = Object.entries(to).filter(([name, value]) => !(name in from && sameValue(from[name], value)));
  const nulls = changed.filter(([, value]) => value === null).map(([name]) => name);
  const gone = Object.keys(from).filter((name) => !(name in to));
  const patch = [...changed.filter(([, value]) => value !== null), ...gone.map((name) => [name, null] as const)];
  return {
    ...(patch.length > 0 && { attributes_patch: Object.fromEntries(patch) }),
    ...(nulls.length > 0 && { attributes_null: nulls }),
  };
}

type Attributes = Annotation["attributes"];

function pick(annotation: Annotation, fields: readonly AnnotationField[]): Partial<Annotation> {
  return Object.fromEntries(fields.map((field) => [field, annotation[field]]));
}

/** Between the API's annotations and the editor's two halves of one. */

import type { Box } from "../geometry/bounds";
import {
  ANNOTATION_FIELDS,
  changedFields,
  type Annotation,
  type AnnotationField,
  type Segmentation,
  type ServerFacts,
} from "../model/records";

export interface WireAnnotation extends Omit<Annotation, "holes" | "attributes">, ServerFacts {
  readonly image_id: number;
  readonly holes?: Annotation["holes"] | null;
  readonly attributes?: Annotation["attributes"] | null;
}

export interface Known {
  readonly annotation: Annotation;
  readonly facts: ServerFacts;
}

export function read(wire: WireAnnotation): Known {
  return {
    annotation: {
      category_id: wire.category_id ?? null,
      segmentation: wire.segmentation ?? null,
      holes: wire.holes ?? [],
      bbox: ownBox(wire),
      keypoints: wire.keypoints ?? null,
      iscrowd: wire.iscrowd ? 1 : 0,
      attributes: wire.attributes ?? {},
      score: wire.score ?? null,
      caption: wire.caption ?? null,
    },
    facts: {
      id: wire.id,
      coco_id: wire.coco_id,
      version: wire.version,
      area: wire.area,
      bbox: wire.bbox ?? null,
      num_keypoints: wire.num_keypoints ?? null,
      created_by: wire.created_by ?? null,
      updated_by: wire.updated_by ?? null,
      created_at: wire.created_at ?? null,
      updated_at: wire.updated_at ?? null,
    },
  };
}

const isEmpty = (segmentation: Segmentation | undefined): boolean =>
  !segmentation || (Array.isArray(segmentation) && segmentation.length === 0);

/** The box, where it stands for itself. Captions and bare keypoints get zeros for want of one. */
function ownBox({ segmentation, bbox, caption, keypoints }: WireAnnotation): Box | null {
  if (!isEmpty(segmentation) || !bbox) return null;
  const zeros = bbox.every((number) => number === 0);
  return zeros && (caption || keypoints) ? null : bbox;
}

/** The annotation as the API shows it; what the server has not told yet is null. */
export function write(annotation: Annotation, facts: ServerFacts | null, imageId: number): object {
  return structuredClone({
    id: facts?.id ?? null,
    coco_id: facts?.coco_id ?? null,
    image_id: imageId,
    version: facts?.version ?? 0,
    ...annotation,
    bbox: annotation.bbox ?? facts?.bbox ?? null,
    area: facts?.area ?? null,
    num_keypoints: facts?.num_keypoints ?? null,
    created_by: facts?.created_by ?? null,
    updated_by: facts?.updated_by ?? null,
    created_at: facts?.created_at ?? null,
    updated_at: facts?.updated_at ?? null,
  });
}

/** What a new annotation has, and nothing that it has not. */
export function createBody(annotation: Annotation): Record<string, unknown> {
  const told = ANNOTATION_FIELDS.filter((field) => {
    const value = annotation[field];
    if (field === "holes") return annotation.holes.length > 0;
    if (field === "attributes") return Object.keys(annotation.attributes).length > 0;
    return value !== null;
  });
  return pick(annotation, told);
}

/** Only what changed. Rings and holes make one shape, so they go together. */
export function changeBody(from: Annotation, to: Annotation): Record<string, unknown> {
  const fields = new Set(changedFields(from, to));
  const pierced = from.holes.length > 0 || to.holes.length > 0;
  if (pierced && (fields.has("segmentation") || fields.has("holes"))) {
    fields.add("segmentation").add("holes");
  }
  return pick(to, [...fields]);
}

function pick(annotation: Annotation, fields: readonly AnnotationField[]): Record<string, unknown> {
  return Object.fromEntries(fields.map((field) => [field, annotation[field]]));
}

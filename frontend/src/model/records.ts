/**
 * An annotation, in two halves that never mix.
 *
 * `Annotation` is what a person edits. It is immutable, its members have the
 * names of the API, and it alone is what the document, undo and the save queue
 * compare. `ServerFacts` is what the server says about it: id, version, computed
 * area. Facts change with every answer and are no part of undo, so an undo
 * never brings back an old version number.
 *
 * `bbox` in an `Annotation` is a box that stands for itself. Where it follows a
 * segmentation it is null, and the box is a fact. A change of the segmentation
 * makes it follow.
 */

import type { Box } from "../geometry/bounds";
import type { Ring } from "../geometry/ring";
import type { Rle } from "../geometry/rle";

declare const keyBrand: unique symbol;

/** Names an annotation inside the editor, from before the server knew it until it is gone. */
export type AnnotationKey = string & { readonly [keyBrand]: true };

export type Segmentation = readonly Ring[] | Rle | null;

export interface Annotation {
  readonly category_id: number | null;
  readonly segmentation: Segmentation;
  readonly holes: readonly Ring[];
  readonly bbox: Box | null;
  readonly keypoints: readonly number[] | null;
  readonly iscrowd: 0 | 1;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly score: number | null;
  readonly caption: string | null;
}

export interface ServerFacts {
  readonly id: number;
  readonly coco_id: unknown;
  readonly version: number;
  readonly task: string;
  readonly area: number;
  readonly bbox: Box;
  readonly num_keypoints: number | null;
  /** Members of the COCO record that are shown nowhere and stay as they are, such as DensePose's. */
  readonly other_keys: readonly string[];
  /** What the client that made it called it: the queue knows by it what it has made. */
  readonly client_key: string | null;
  readonly created_by: number | null;
  readonly updated_by: number | null;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface Category {
  readonly id: number;
  readonly name: string;
  readonly supercategory: string | null;
  readonly color: string;
  readonly keypoints: readonly string[];
  /** Pairs of 1-based places in `keypoints`, as in COCO. */
  readonly skeleton: readonly (readonly [number, number])[];
}

export type ImageStatus = "new" | "in_progress" | "done" | "empty";

export interface ImageRecord {
  readonly id: number;
  readonly dataset_id: number;
  readonly file_name: string;
  readonly width: number;
  readonly height: number;
  readonly status: ImageStatus;
  readonly has_file: boolean;
  /** Grows with every change of its annotations or pixels. */
  readonly revision: number;
  /** When anything else of it changed. */
  readonly updated_at: string;
}

/** Whether a record tells how an image was before what the other one tells. */
export function isOlder(record: ImageRecord, than: ImageRecord): boolean {
  if (record.revision !== than.revision) return record.revision < than.revision;
  return Date.parse(record.updated_at) < Date.parse(than.updated_at);
}

export const ANNOTATION_FIELDS = [
  "category_id",
  "segmentation",
  "holes",
  "bbox",
  "keypoints",
  "iscrowd",
  "attributes",
  "score",
  "caption",
] as const satisfies readonly (keyof Annotation)[];

export type AnnotationField = (typeof ANNOTATION_FIELDS)[number];

export const EMPTY_ANNOTATION: Annotation = {
  category_id: null,
  segmentation: null,
  holes: [],
  bbox: null,
  keypoints: null,
  iscrowd: 0,
  attributes: {},
  score: null,
  caption: null,
};

let lastKey = 0;

export function newKey(): AnnotationKey {
  // The random part keeps keys of two visits apart when both wait in the browser's store.
  lastKey += 1;
  return `new-${lastKey}-${Math.random().toString(36).slice(2, 10)}` as AnnotationKey;
}

/**
 * A new annotation that is a copy of one that the server knows. The key says of which, so that
 * this outlives an undo, a lost connection and a closed tab as the annotation itself does.
 */
export const newCopyKey = (of: number): AnnotationKey => `copy-${of}-${newKey()}` as AnnotationKey;

/** The id that a key of a copy names; null for any other key. */
export function copiedFrom(key: AnnotationKey): number | null {
  const id = /^copy-(\d+)-/.exec(key)?.[1];
  return id === undefined ? null : Number(id);
}

export const keyOfId = (id: number): AnnotationKey => `id-${id}` as AnnotationKey;

/** Equality of JSON values. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((value, i) => sameValue(value, b[i]));
  }
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => key in right && sameValue(left[key], right[key]))
  );
}

export function changedFields(from: Annotation, to: Annotation): AnnotationField[] {
  return ANNOTATION_FIELDS.filter((field) => !sameValue(from[field], to[field]));
}

export function sameAnnotation(a: Annotation | null, b: Annotation | null): boolean {
  if (a === b) return true;
  return a !== null && b !== null && changedFields(a, b).length === 0;
}

/** `to` with the named fields taken from `from`; `to` itself when nothing differs. */
export function withFields(
  to: Annotation,
  from: Annotation,
  fields: readonly AnnotationField[],
): Annotation {
  if (fields.length === 0) return to;
  return { ...to, ...Object.fromEntries(fields.map((field) => [field, from[field]])) };
}

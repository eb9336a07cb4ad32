/**
 * A clip as a store of the browser has it. Anything may stand there: what another version
 * wrote, or a person by hand. It is a clip as a whole or not at all.
 */

import { ANNOTATION_FIELDS, type Annotation, type AnnotationField } from "../model/records";
import type { Clip, ClipItem } from "./clipboard";

type Check = (value: unknown) => boolean;

const isNumber: Check = (value) => Number.isFinite(value);
const isText: Check = (value) => typeof value === "string";
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const orNull = (check: Check): Check => (value) => value === null || check(value);
const listOf = (check: Check): Check => (value) => Array.isArray(value) && value.every(check);
const numbers = listOf(isNumber);
const exactly = (length: number): Check => (value) => numbers(value) && (value as unknown[]).length === length;
const rings = listOf(numbers);

const isMask: Check = (value) =>
  isRecord(value) && exactly(2)(value.size) && (isText(value.counts) || numbers(value.counts));

const FIELDS: Readonly<Record<AnnotationField, Check>> = {
  category_id: orNull(Number.isInteger),
  segmentation: orNull((value) => rings(value) || isMask(value)),
  holes: rings,
  bbox: orNull(exactly(4)),
  keypoints: orNull(numbers),
  iscrowd: (value) => value === 0 || value === 1,
  attributes: isRecord,
  score: orNull(isNumber),
  caption: orNull(isText),
};

const isAnnotation = (value: unknown): value is Annotation =>
  isRecord(value) &&
  Object.keys(value).length === ANNOTATION_FIELDS.length &&
  ANNOTATION_FIELDS.every((field) => FIELDS[field](value[field]));

const isCategory: Check = (value) => isRecord(value) && isText(value.name) && listOf(isText)(value.keypoints);

const isItem = (value: unknown): value is ClipItem =>
  isRecord(value) &&
  isAnnotation(value.annotation) &&
  orNull(Number.isInteger)(value.of) &&
  orNull(isCategory)(value.category);

/** The clip that was stored; null for anything else. */
export function readClip(value: unknown): Clip | null {
  if (!isRecord(value)) return null;
  const { imageId, datasetId, items } = value;
  if (!Number.isInteger(imageId) || !Number.isInteger(datasetId)) return null;
  if (!Array.isArray(items) || !items.every(isItem)) return null;
  return { imageId: imageId as number, datasetId: datasetId as number, items };
}

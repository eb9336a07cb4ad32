/**
 * What of an annotation can be changed by one person and kept as another one made it: each field and,
 * of the attributes, each one for itself. A part is named by its field; an attribute by `attributes/`
 * and its name.
 */

import { ANNOTATION_FIELDS, sameValue, type Annotation, type AnnotationField } from "./records";

export type Part = Exclude<AnnotationField, "attributes"> | `attributes/${string}`;

/** What goes as a whole: half of one shape and half of another are no shape, and keypoints are those of a category. */
const TOGETHER: readonly (readonly Part[])[] = [
  ["segmentation", "holes", "bbox", "keypoints"],
  ["category_id", "keypoints"],
];

const ATTRIBUTE = "attributes/";

export function changedParts(from: Annotation, to: Annotation): Part[] {
  return ANNOTATION_FIELDS.flatMap((field): readonly Part[] => {
    if (sameValue(from[field], to[field])) return [];
    return field === "attributes" ? changedAttributes(from, to) : [field];
  });
}

/** `to` with these parts taken from `from`. */
export function withParts(to: Annotation, from: Annotation, parts: readonly Part[]): Annotation {
  if (parts.length === 0) return to;
  const fields = parts.filter((part) => !part.startsWith(ATTRIBUTE)) as AnnotationField[];
  const taken = Object.fromEntries(fields.map((field) => [field, from[field]]));
  const isTaken = ([name]: [string, unknown]): boolean => parts.includes(`${ATTRIBUTE}${name}`);
  const kept = Object.entries(to.attributes).filter((each) => !isTaken(each));
  const named = Object.entries(from.attributes).filter(isTaken);
  const attributes = fields.length === parts.length ? to.attributes : Object.fromEntries([...kept, ...named]);
  return { ...to, ...taken, attributes };
}

/** Those that can be set without making anything of these others. */
export function apartFrom(parts: readonly Part[], others: ReadonlySet<string>): Part[] {
  const touched = TOGETHER.filter((group) => group.some((part) => others.has(part)));
  return parts.filter((part) => !others.has(part) && !touched.some((group) => group.includes(part)));
}

/** What `mine` changed of `base`, made of `theirs`; null where both changed the same otherwise. */
export function merged(base: Annotation, mine: Annotation, theirs: Annotation): Annotation | null {
  const differing = new Set<Part>(changedParts(mine, theirs));
  const ofMine = changedParts(base, mine).filter((part) => differing.has(part));
  const ofTheirs = new Set<Part>(changedParts(base, theirs).filter((part) => differing.has(part)));
  return apartFrom(ofMine, ofTheirs).length === ofMine.length ? withParts(theirs, mine, ofMine) : null;
}

/** Whether all that was made of `base` is to be found in `found`, whatever else is. */
export const isPartOf = (base: Annotation, made: Annotation, found: Annotation): boolean => {
  const differing = new Set<Part>(changedParts(made, found));
  return changedParts(base, made).every((part) => !differing.has(part));
};

function changedAttributes({ attributes: from }: Annotation, { attributes: to }: Annotation): Part[] {
  const names = new Set([...Object.keys(from), ...Object.keys(to)]);
  const changed = [...names].filter((name) => name in from !== name in to || !sameValue(from[name], to[name]));
  return changed.map((name): Part => `${ATTRIBUTE}${name}`);
}

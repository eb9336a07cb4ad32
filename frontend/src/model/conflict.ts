/** Two people's versions of one annotation, field by field: data in, differences out. */

import { ANNOTATION_FIELDS, sameValue, type Annotation, type AnnotationField } from "./records";

/** What people take for one thing. */
const SUBJECTS = ["category", "shape", "keypoints", "crowd", "attributes", "score", "caption"] as const;

export type Subject = (typeof SUBJECTS)[number];

export interface Difference {
  readonly subject: Subject;
  /** Who changed it since the version that both began with. */
  readonly mine: boolean;
  readonly theirs: boolean;
}

const SUBJECT_OF: Readonly<Record<AnnotationField, Subject>> = {
  category_id: "category",
  segmentation: "shape",
  holes: "shape",
  bbox: "shape",
  keypoints: "keypoints",
  iscrowd: "crowd",
  attributes: "attributes",
  score: "score",
  caption: "caption",
};

/** Where the versions differ. Without the version that both began with, everything counts as changed by both. */
export function differences(base: Annotation | null, mine: Annotation, theirs: Annotation): Difference[] {
  return SUBJECTS.flatMap((subject) => {
    const fields = ANNOTATION_FIELDS.filter((field) => SUBJECT_OF[field] === subject);
    const differ = (a: Annotation, b: Annotation): boolean =>
      fields.some((field) => !sameValue(a[field], b[field]));
    if (!differ(mine, theirs)) return [];
    return [{ subject, mine: !base || differ(base, mine), theirs: !base || differ(base, theirs) }];
  });
}

/** Whether both changed the same thing, so that only one of them can stay. */
export const collide = (found: readonly Difference[]): boolean =>
  found.some(({ mine, theirs }) => mine && theirs);

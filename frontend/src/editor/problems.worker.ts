/** Looks for problems off the main thread. It is told what changed, and knows the rest from before. */

import type { Annotation, AnnotationKey } from "../model/records";
import { eachTold, type InspectionRequest } from "./inspection";
import { findProblems, type Problem } from "./problems";

const known = new Map<AnnotationKey, Annotation>();

self.onmessage = ({ data }: MessageEvent<InspectionRequest>) => {
  eachTold(data, (key, annotation) => {
    if (annotation) known.set(key, annotation);
    else known.delete(key);
  });
  if (data.more) return;
  const all = [...known].map(([key, annotation]) => ({ key, annotation }));
  const answer: readonly Problem[] = findProblems(all, data.image);
  self.postMessage(answer);
};

/** Looks for problems off the main thread. It is told what changed, and knows the rest from before. */

import type { Annotation, AnnotationKey } from "../model/records";
import type { InspectionRequest } from "./inspection";
import { findProblems, type Problem } from "./problems";

const known = new Map<AnnotationKey, Annotation>();

self.onmessage = ({ data }: MessageEvent<InspectionRequest>) => {
  for (const [key, annotation] of data.updates) {
    if (annotation) known.set(key, annotation);
    else known.delete(key);
  }
  const all = [...known].map(([key, annotation]) => ({ key, annotation }));
  const answer: readonly Problem[] = findProblems(all, data.image);
  self.postMessage(answer);
};

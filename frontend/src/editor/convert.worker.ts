/** Converts shapes off the main thread. */

import { pack, unpacked } from "../model/packed";
import { readingOf } from "../shapes/pixels";
import { convertOne } from "./converting";
import { buffersOf, type ConversionAnswer, type ConversionRequest } from "./worker-converter";

self.onmessage = ({ data: { packed, size, to } }: MessageEvent<ConversionRequest>) => {
  const made = [...unpacked(packed)].map((annotation) => annotation && convertOne(annotation, size, to));
  const answer: ConversionAnswer = {
    packed: pack(made),
    readings: made.map((annotation) => annotation && readingOf(annotation, size)),
  };
  self.postMessage(answer, { transfer: buffersOf(answer) });
};

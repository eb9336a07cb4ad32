/**
 * Annotations on their way to a worker.
 *
 * A message copies numbers one by one and makes an object of each, which takes a tenth of a second for
 * 2,000 outlines. So all rings lie in one block, which changes hands as a whole, and annotations have
 * the lengths of their rings instead.
 */

import type { Ring } from "../geometry/ring";
import type { Rle } from "../geometry/rle";
import type { Annotation } from "./records";

interface Ringless extends Omit<Annotation, "segmentation" | "holes"> {
  readonly mask: Rle | null;
  readonly rings: readonly number[] | null;
  readonly holes: readonly number[];
}

export interface Packed {
  readonly annotations: readonly (Ringless | null)[];
  /** Its buffer is what a message transfers. */
  readonly numbers: Float64Array<ArrayBuffer>;
}

/** Those that are gone are null, here and when they are unpacked. */
export function pack(annotations: readonly (Annotation | null)[]): Packed {
  const rings: Ring[] = [];
  const lengths = (all: readonly Ring[]): number[] => {
    for (const ring of all) rings.push(ring);
    return all.map(({ length }) => length);
  };
  const ringless = annotations.map((annotation) => {
    if (!annotation) return null;
    const { segmentation, holes, ...rest } = annotation;
    const isMask = segmentation !== null && "counts" in segmentation;
    return {
      ...rest,
      mask: isMask ? segmentation : null,
      rings: segmentation && !isMask ? lengths(segmentation) : null,
      holes: lengths(holes),
    };
  });
  const numbers = new Float64Array(rings.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const ring of rings) {
    numbers.set(ring, at);
    at += ring.length;
  }
  return { annotations: ringless, numbers };
}

/**
 * One by one: who keeps less of each than its rings leaves young garbage, which costs nothing. A worker at rest would
 * never give back what was all there at once.
 */
export function* unpacked({ annotations, numbers }: Packed): Generator<Annotation | null, void> {
  let at = 0;
  const ringOf = (length: number): Ring => {
    // Faster than any way of copying a part of the block that makes an array.
    const ring = new Array<number>(length);
    for (let i = 0; i < length; i++) ring[i] = numbers[at + i]!;
    at += length;
    return ring;
  };
  for (const annotation of annotations) {
    if (!annotation) yield null;
    else {
      const { mask, rings, holes, ...rest } = annotation;
      yield { ...rest, segmentation: rings ? rings.map(ringOf) : mask, holes: holes.map(ringOf) };
    }
  }
}

/** What others changed of the annotations, and when: nothing from before that is ours to take back. */

import type { Diff } from "./document";
import { changedParts, type Part } from "./parts";
import type { AnnotationKey } from "./records";

/** `whole` for one that was deleted, or brought back. */
type Touched = Part | "whole";

const NOTHING: ReadonlySet<Touched> = new Set();

export class OthersChanges {
  /** Counts their changes. */
  #time = 0;
  readonly #changed = new Map<AnnotationKey, Map<Touched, number>>();

  get time(): number {
    return this.#time;
  }

  note(diff: Diff): void {
    this.#time += 1;
    for (const { key, before, after } of diff) {
      const parts = this.#changed.get(key) ?? new Map<Touched, number>();
      this.#changed.set(key, parts);
      const touched: readonly Touched[] = before && after ? changedParts(before, after) : ["whole"];
      for (const part of touched) parts.set(part, this.#time);
    }
  }

  /** They deleted it, or made it anew, in whatever way. */
  overtake(key: AnnotationKey): void {
    this.#time += 1;
    this.#changed.set(key, new Map([["whole", this.#time]]));
  }

  /** What they changed of one after that time. */
  since(key: AnnotationKey, time: number): ReadonlySet<Touched> {
    const parts = this.#changed.get(key);
    if (!parts) return NOTHING;
    return new Set([...parts].filter(([, at]) => at > time).map(([part]) => part));
  }
}

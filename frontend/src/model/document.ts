/**
 * The annotations of one image.
 *
 * A change says what each named annotation shall be (null: absent). Applying it
 * gives the diff: what really changed, with both states. A diff can be turned
 * round, which is all that undo needs, and says whether a person here (`local`)
 * or the server (`remote`) caused it.
 */

import type { Annotation, AnnotationKey, ServerFacts } from "./records";
import { changedFields, sameAnnotation, withFields } from "./records";

export type Origin = "local" | "remote";

export type Change = ReadonlyMap<AnnotationKey, Annotation | null>;

export interface DiffEntry {
  readonly key: AnnotationKey;
  readonly before: Annotation | null;
  readonly after: Annotation | null;
}

export type Diff = readonly DiffEntry[];

export type DiffListener = (diff: Diff, origin: Origin) => void;

export class AnnotationDocument {
  /** Null marks the place of a removed one, so that an undone removal changes no order. */
  readonly #annotations = new Map<AnnotationKey, Annotation | null>();
  readonly #facts = new Map<AnnotationKey, ServerFacts>();
  readonly #listeners = new Set<DiffListener>();

  get(key: AnnotationKey): Annotation | null {
    return this.#annotations.get(key) ?? null;
  }

  get size(): number {
    let count = 0;
    for (const annotation of this.#annotations.values()) if (annotation) count += 1;
    return count;
  }

  *entries(): Generator<[AnnotationKey, Annotation]> {
    for (const [key, annotation] of this.#annotations) if (annotation) yield [key, annotation];
  }

  apply(change: Change, origin: Origin): Diff {
    const diff: DiffEntry[] = [];
    for (const [key, after] of change) {
      const before = this.get(key);
      if (before === after) continue;
      this.#annotations.set(key, after);
      diff.push({ key, before, after });
    }
    if (diff.length > 0) for (const listener of this.#listeners) listener(diff, origin);
    return diff;
  }

  /** Facts outlive their annotation: an undone deletion needs its id again. */
  facts(key: AnnotationKey): ServerFacts | null {
    return this.#facts.get(key) ?? null;
  }

  setFacts(key: AnnotationKey, facts: ServerFacts | null): void {
    if (facts) this.#facts.set(key, facts);
    else this.#facts.delete(key);
  }

  subscribe(listener: DiffListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

export function invert(diff: Diff): Diff {
  return diff.map(({ key, before, after }) => ({ key, before: after, after: before })).reverse();
}

/** One entry per annotation, from its first state to its last. */
export function joined(diff: Diff): Diff {
  const entries = new Map<AnnotationKey, DiffEntry>();
  for (const { key, before, after } of diff) {
    const first = entries.get(key);
    entries.set(key, { key, before: first ? first.before : before, after });
  }
  return [...entries.values()];
}

/** The same without annotations that are again what they were. */
export function squash(diff: Diff): Diff {
  return joined(diff).filter(({ before, after }) => !sameAnnotation(before, after));
}

/**
 * The change that replays a diff on a document that may have moved on.
 *
 * Where the annotation still is what the diff started from, it becomes exactly
 * the other state, the same object. Where someone else changed other fields
 * meanwhile, only the fields of the diff are set. Where it is gone (or there
 * again) against expectation, it is left alone.
 */
export function replay(document: AnnotationDocument, diff: Diff): Change {
  const change = new Map<AnnotationKey, Annotation | null>();
  for (const { key, before, after } of diff) {
    const now = document.get(key);
    if (now === before) change.set(key, after);
    else if (now && before && after) {
      change.set(key, withFields(now, after, changedFields(before, after)));
    } else if (now && !after) change.set(key, null);
  }
  return change;
}

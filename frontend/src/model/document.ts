/**
 * The annotations of one image.
 *
 * A change says what each named annotation shall be (null: absent). Applying it
 * gives the diff: what really changed, with both states. A diff can be turned
 * round, which is all that undo needs, and says who caused it: the person here
 * (`local`), the server in answer to that (`answer`), or somebody else (`remote`).
 */

import type { Annotation, AnnotationKey, ServerFacts } from "./records";
import { apartFrom, changedParts, withParts } from "./parts";
import { sameAnnotation } from "./records";

export type Origin = "local" | "answer" | "remote";

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
  /** The newest version that was ever here, by the annotation's id. */
  readonly #newest = new Map<number, number>();
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
    if (!facts) this.#facts.delete(key);
    else {
      this.#facts.set(key, facts);
      if (!this.hasSeen(facts.id, facts.version)) this.#newest.set(facts.id, facts.version);
    }
  }

  /** Whether this version of an annotation was here, or a newer one; it may be gone by now. */
  hasSeen(id: number, version: number): boolean {
    return (this.#newest.get(id) ?? 0) >= version;
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
 * What an annotation becomes when one entry of a diff is replayed on a document that may have moved
 * on, and whether that is all that the entry asks for; null where it is to be left alone.
 *
 * Where the annotation still is what the entry started from, it becomes exactly the other state, the
 * same object. Otherwise only the parts that the entry changed are set, and of these only those that
 * nobody else has `touched` since. What somebody else has touched is neither deleted nor made anew.
 */
export function replayed(
  now: Annotation | null,
  { before, after }: DiffEntry,
  touched: ReadonlySet<string>,
): { readonly to: Annotation | null; readonly whole: boolean } | null {
  if (now === before && touched.size === 0) return { to: after, whole: true };
  if (!now || touched.has("whole")) return null;
  if (!before || !after) return after || touched.size > 0 ? null : { to: null, whole: true };
  const parts = changedParts(before, after);
  const free = apartFrom(parts, touched);
  return free.length > 0 ? { to: withParts(now, after, free), whole: free.length === parts.length } : null;
}

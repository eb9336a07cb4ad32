/** What the save queue knows of one annotation beside what the document has. */

import type { Annotation, ServerFacts } from "../model/records";
import type { Known } from "./wire";

export type Trouble =
  | { readonly kind: "conflict"; readonly theirs: Known | null }
  | { readonly kind: "refused"; readonly detail: string };

export interface Slot {
  base: Annotation | null;
  attempted: Annotation | null;
  /** What it is a copy of is gone: it is saved without what only the server knew of that. */
  orphaned: boolean;
  sending: boolean;
  trouble: Trouble | null;
  deletedAs: number | undefined;
  /** What the browser's store has; null when nothing is there. */
  stored: { readonly target: Annotation | null; readonly facts: ServerFacts | null } | null;
  readonly versions: WeakMap<Annotation, number>;
}

export function newSlot(): Slot {
  return {
    base: null,
    attempted: null,
    orphaned: false,
    sending: false,
    trouble: null,
    deletedAs: undefined,
    stored: null,
    versions: new WeakMap(),
  };
}

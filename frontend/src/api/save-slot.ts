/** What the save queue knows of each annotation beside what the document has. */

import type { AnnotationDocument } from "../model/document";
import type { Decision, Prediction } from "../model/predictions";
import { keyOfId, type Annotation, type AnnotationKey, type ServerFacts } from "../model/records";
import type { PendingEntry } from "./pending-store";
import type { Plan } from "./save-plan";
import type { Known } from "./wire";

export type Trouble =
  | { readonly kind: "conflict"; readonly theirs: Known | null }
  | { readonly kind: "refused"; readonly detail: string };

/** What requests without an answer may have made of the server. */
export interface Unheard {
  /** Of the annotation; null for a deletion. */
  readonly states: readonly (Annotation | null)[];
  /** Of the prediction that it is made of. */
  readonly decisions: readonly Decision[];
}

export const NOTHING_UNHEARD: Unheard = { states: [], decisions: [] };

export interface Deletion {
  /** Undefined where no answer has told it. */
  readonly version: number | undefined;
  readonly of: Annotation | null;
}

export interface Stored {
  readonly target: Annotation | null;
  readonly facts: ServerFacts | null;
  readonly decided: Decision;
  readonly wanted: Decision;
  readonly clientKey: string | null;
  readonly unheard: Unheard;
}

export interface Slot {
  base: Annotation | null;
  attempted: Annotation | null;
  /**
   * The key that it is created with, where its own is taken for good: what it was first made as, or what it is a
   * copy of, is gone. It is saved without what only the server knew of that.
   */
  clientKey: string | null;
  /** What it is made of, and whether the server knows that. */
  prediction: Prediction | null;
  decided: Decision;
  /** While a request is under way: what is unheard when no answer comes. */
  sending: Unheard | null;
  /** What was sent since the last answer: the server may have it so by our own doing. */
  unheard: Unheard;
  /** An answer came while it was in hand, and is to be asked for once more when it is free. */
  isPutOff: boolean;
  trouble: Trouble | null;
  /** Our own deletion: the version that it made, and of what. */
  deletion: Deletion | null;
  /** What the browser's store has; null when nothing is there. */
  stored: Stored | null;
  versions: WeakMap<Annotation, number>;
}

function newSlot(): Slot {
  return {
    base: null,
    attempted: null,
    clientKey: null,
    prediction: null,
    decided: "open",
    sending: null,
    unheard: NOTHING_UNHEARD,
    isPutOff: false,
    trouble: null,
    deletion: null,
    stored: null,
    versions: new WeakMap(),
  };
}

/** What the store has of an earlier visit, to be taken away when the server has it. */
export function storedOf({ target, facts, decision, clientKey, unheard }: PendingEntry): Stored {
  const { decided, wanted } = decision ?? { decided: "open", wanted: "open" };
  return { target, facts, decided, wanted, clientKey: clientKey ?? null, unheard: unheard ?? NOTHING_UNHEARD };
}

export const isSame = (a: Stored, b: Stored): boolean =>
  a.target === b.target &&
  a.facts === b.facts &&
  a.decided === b.decided &&
  a.wanted === b.wanted &&
  a.clientKey === b.clientKey &&
  a.unheard === b.unheard;

/** The same with one more request. Who only asks, or makes something under a key, changes nothing unheard. */
export function withRequest({ states, decisions }: Unheard, { kind, sent }: Pick<Plan, "kind" | "sent">): Unheard {
  if (kind === "create" || kind === "look") return { states, decisions };
  const decision = kind === "reject" ? "rejected" : kind === "reopen" ? "open" : null;
  if (decision) return { states, decisions: [...new Set([...decisions, decision] as const)] };
  // What a restoration brings back of somebody else's deletion only the server knows.
  const isKnown = sent !== null || kind === "delete";
  return { states: isKnown ? [...new Set([...states, sent])] : states, decisions };
}

/** What it was made as is gone: it is created with another key. */
export function renew(key: AnnotationKey, slot: Slot): void {
  slot.clientKey = `${slot.clientKey ?? key}-again`;
  slot.attempted = null;
}

export class Slots {
  readonly #document: AnnotationDocument;
  readonly #slots = new Map<AnnotationKey, Slot>();

  constructor(document: AnnotationDocument) {
    this.#document = document;
  }

  find(key: AnnotationKey): Slot | undefined {
    return this.#slots.get(key);
  }

  of(key: AnnotationKey): Slot {
    let slot = this.#slots.get(key);
    if (!slot) {
      slot = newSlot();
      this.#slots.set(key, slot);
    }
    return slot;
  }

  /** What the annotations are called here, by their ids; also those that were deleted. */
  byId(): ReadonlyMap<number | undefined, AnnotationKey> {
    return new Map([...this.#slots.keys()].map((key) => [this.#document.facts(key)?.id, key]));
  }

  /** The client keys of what the server may have without our having heard so. */
  creations(unsaved: ReadonlySet<AnnotationKey>): ReadonlySet<string | null> {
    const mayBeMade = (key: AnnotationKey): boolean => !this.#document.facts(key) && Boolean(this.#slots.get(key)?.attempted);
    return new Set([...unsaved].filter(mayBeMade).map((key) => this.#slots.get(key)?.clientKey ?? key));
  }

  /** What the server told of the annotation that was made with this client key. */
  loadedAs(clientKey: string): Known | null {
    for (const [key, annotation] of this.#document.entries()) {
      const facts = this.#document.facts(key);
      if (facts?.client_key === clientKey) return { annotation, facts };
    }
    return null;
  }

  delete(key: AnnotationKey): void {
    this.#slots.delete(key);
  }

  /** Takes this for what the server has. */
  adopt(key: AnnotationKey, { annotation, facts }: Known): void {
    const slot = this.of(key);
    slot.base = annotation;
    slot.attempted = null;
    slot.unheard = NOTHING_UNHEARD;
    slot.deletion = null;
    slot.versions.set(annotation, facts.version);
    this.#document.setFacts(key, facts);
  }

  /** Somebody else deleted it; what is decided about a prediction stays known. */
  letGo(key: AnnotationKey): void {
    const slot = this.#slots.get(key);
    if (slot?.prediction) slot.base = null;
    else this.#slots.delete(key);
  }

  /** What the annotation with this id is called, as long as it is there or its deletion waits. */
  keyOf(id: number, unsaved: ReadonlySet<AnnotationKey>): AnnotationKey | null {
    const isHere = (key: AnnotationKey): boolean => this.#document.get(key) !== null || unsaved.has(key);
    const usual = keyOfId(id);
    if (isHere(usual)) return usual;
    // One that was made here keeps the key that it began with.
    for (const key of this.#slots.keys()) if (this.#document.facts(key)?.id === id && isHere(key)) return key;
    return null;
  }
}

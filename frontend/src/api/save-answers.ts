/** What the server's answers about one annotation mean for what is here of it. */

import type { AnnotationDocument } from "../model/document";
import { merged } from "../model/parts";
import { changedFields, sameAnnotation, withFields, type Annotation, type AnnotationKey } from "../model/records";
import { CHANGED_SINCE, type RulingOptions } from "./save-decisions";
import type { Plan } from "./save-plan";
import type { Slot, Slots } from "./save-slot";
import { asNamed, type Known } from "./wire";

export interface AnswersOptions {
  readonly document: AnnotationDocument;
  readonly userId: number;
  readonly overruled: RulingOptions["overruled"];
  /** Somebody else had come to an annotation before, which no change of the document tells. */
  readonly overtaken: (key: AnnotationKey) => void;
}

export class Answers {
  readonly #options: AnswersOptions;
  readonly #slots: Slots;

  constructor(options: AnswersOptions, slots: Slots) {
    this.#options = options;
    this.#slots = slots;
  }

  /** The server's answer becomes the base; what it decided itself is shown. */
  accept(key: AnnotationKey, slot: Slot, sent: Annotation | null, known: Known): void {
    const { document } = this.#options;
    const same = sent !== null && sameAnnotation(sent, known.annotation);
    // The same object as in the document, so that undo can name its version.
    this.#slots.adopt(key, same ? { ...known, annotation: sent } : known);
    const now = document.get(key);
    if (same || !sent || !now) return;
    const decided = changedFields(sent, known.annotation).filter((field) => now[field] === sent[field]);
    const shown = decided.length > 0 ? withFields(now, known.annotation, decided) : now;
    const final = sameAnnotation(shown, known.annotation) ? known.annotation : shown;
    document.apply(new Map([[key, final]]), "answer");
    slot.versions.set(known.annotation, known.facts.version);
  }

  /** Somebody else has gone on with what a request had made, and nobody here heard of either. */
  join(key: AnnotationKey, slot: Slot, sent: Annotation, theirs: Known): void {
    const { document, overtaken, overruled } = this.#options;
    const mine = document.get(key);
    const both = mine ? merged(sent, mine, theirs.annotation) : theirs.annotation;
    this.#slots.adopt(key, theirs);
    overtaken(key);
    if (both) document.apply(new Map([[key, both]]), "remote");
    else {
      slot.base = sent;
      slot.trouble = { kind: "conflict", theirs };
    }
    if (!mine) overruled(null, null, CHANGED_SINCE);
  }

  /** The server has something else than expected; maybe exactly what we want. */
  meet(key: AnnotationKey, slot: Slot, { kind, sent }: Plan, found: Known | null): void {
    const { base, unheard } = slot;
    slot.unheard = [];
    if (!found) return this.#meetNothing(key, slot, kind === "delete" || (kind === "look" && !sent), unheard);
    const theirs = asNamed(found, sent, base);
    const is = (one: Annotation | null): boolean => sameAnnotation(theirs.annotation, one);
    if (is(sent)) {
      this.accept(key, slot, sent, theirs);
      if (theirs.facts.updated_by !== this.#options.userId) this.#options.overtaken(key);
    } else if ((base && is(base)) || unheard.some(is)) this.#slots.adopt(key, theirs);
    else if (kind === "look") {
      // With nothing of ours left to do there is only what may have arrived for others to have gone on with.
      const arrived = unheard.findLast((one) => one !== null);
      this.join(key, slot, arrived ?? base ?? theirs.annotation, theirs);
    } else slot.trouble = { kind: "conflict", theirs };
  }

  #meetNothing(key: AnnotationKey, slot: Slot, isWanted: boolean, unheard: Slot["unheard"]): void {
    const isOurs = unheard.includes(null);
    if (isWanted) {
      if (slot.base && !isOurs) this.#options.overtaken(key);
      slot.base = null;
    } else if (isOurs) {
      // Brought back by what comes next, whichever version our own deletion made.
      slot.base = null;
      slot.deletedAs = undefined;
    } else slot.trouble = { kind: "conflict", theirs: null };
  }
}

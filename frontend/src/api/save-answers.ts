/** What the server's answers about one annotation mean for what is here of it. */

import type { AnnotationDocument } from "../model/document";
import { isPartOf, merged } from "../model/parts";
import { changedFields, sameAnnotation, withFields, type Annotation, type AnnotationKey } from "../model/records";
import { CHANGED_SINCE, type RulingOptions } from "./save-decisions";
import type { Plan } from "./save-plan";
import { NOTHING_UNHEARD, type Slot, type Slots, type Unheard } from "./save-slot";
import { asNamed, type Known } from "./wire";

export interface AnswersOptions {
  readonly document: AnnotationDocument;
  readonly userId: number;
  readonly overruled: RulingOptions["overruled"];
  /** Somebody else had come to an annotation before, which no change of the document tells. */
  readonly overtaken: (key: AnnotationKey) => void;
  /** Whether a gesture has begun with it as it was. */
  readonly inHand: (key: AnnotationKey) => boolean;
}

const BY_SOMEBODY = "Somebody else has changed the same object meanwhile: what both of you changed is kept.";
const BY_MYSELF = "You have changed the same object in another window: both changes are kept.";

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
  meet(key: AnnotationKey, slot: Slot, { kind, sent }: Pick<Plan, "kind" | "sent">, found: Known | null): void {
    const { base, unheard } = slot;
    const { states } = unheard;
    slot.unheard = { ...NOTHING_UNHEARD, decisions: unheard.decisions };
    if (!found) return this.#meetNothing(key, slot, kind === "delete" || (kind === "look" && !sent), states);
    const theirs = asNamed(found, sent, base);
    const is = (one: Annotation | null): boolean => sameAnnotation(theirs.annotation, one);
    if (is(sent)) {
      this.accept(key, slot, sent, theirs);
      if (theirs.facts.updated_by !== this.#options.userId) this.#options.overtaken(key);
    } else if ((base && is(base)) || states.some(is)) this.#slots.adopt(key, theirs);
    else if (kind === "look") {
      // With nothing of ours left to do there is only what may have arrived for others to have gone on with.
      const arrived = states.findLast((one) => one !== null);
      this.join(key, slot, arrived ?? base ?? theirs.annotation, theirs);
    } else if (!this.#merge(key, slot, theirs, unheard)) slot.trouble = { kind: "conflict", theirs };
  }

  /** Both changes stay where they are about different parts; false where the person has to choose. */
  #merge(key: AnnotationKey, slot: Slot, theirs: Known, unheard: Unheard): boolean {
    const { document, userId, overruled, inHand } = this.#options;
    const { base } = slot;
    const mine = document.get(key);
    if (!base || !mine) return false;
    // What of ours had arrived is in theirs already, and is no change of theirs.
    const arrived = unheard.states.findLast((one) => one !== null && isPartOf(base, one, theirs.annotation));
    const both = merged(arrived ?? base, mine, theirs.annotation);
    if (!both) return false;
    if (inHand(key)) {
      slot.unheard = unheard;
      slot.isPutOff = true;
      return true;
    }
    this.#slots.adopt(key, theirs);
    document.apply(new Map([[key, both]]), "remote");
    overruled(null, null, theirs.facts.updated_by === userId ? BY_MYSELF : BY_SOMEBODY);
    return true;
  }

  #meetNothing(key: AnnotationKey, slot: Slot, isWanted: boolean, states: Unheard["states"]): void {
    const isOurs = states.includes(null);
    if (isWanted) {
      if (slot.base && !isOurs) this.#options.overtaken(key);
      slot.base = null;
    } else if (isOurs) {
      // Brought back by what comes next, whichever version our own deletion made.
      slot.deletion = { version: undefined, of: slot.base };
      slot.base = null;
    } else slot.trouble = { kind: "conflict", theirs: null };
  }
}

/**
 * What the server's answers to decisions about predictions mean, where somebody
 * else has decided first.
 */

import type { AnnotationDocument, Origin } from "../model/document";
import { merged } from "../model/parts";
import type { Decision, DecisionEntry, Prediction, Predictions } from "../model/predictions";
import {
  changedFields,
  sameAnnotation,
  sameValue,
  type Annotation,
  type AnnotationKey,
} from "../model/records";
import type { Problem } from "./client";
import type { PendingDecision } from "./pending-store";
import type { Plan } from "./save-plan";
import { NOTHING_UNHEARD, renew, type Slot, type Slots, type Unheard } from "./save-slot";
import type { Known } from "./wire";

const ACCEPTED_BEFORE = "Somebody else accepted this prediction first.";
const REJECTED_BEFORE = "Somebody else had rejected this prediction. It is accepted now.";
export const CHANGED_SINCE = "Somebody else has changed meanwhile what you made: it stays.";

/** What holds against a decision that the server refuses. */
interface Verdict {
  /** What is decided about the prediction; null when that does not matter any more. */
  readonly holds: Decision | null;
  /** Somebody else deleted the annotation that was made of it. */
  readonly deleted?: true;
  readonly told: string;
}

/** Null for a refusal like that of any annotation: what is wrong can be mended here. */
function verdict(kind: Plan["kind"], { status, code, detail }: Problem, decided: Decision): Verdict | null {
  if (kind === "create" && code !== "prediction_rejected") {
    if (status === 404) return { holds: null, told: "The prediction is not there any more. What you made of it is saved as an object." };
    if (code !== "annotation_deleted") return null;
    return { holds: null, deleted: true, told: "Somebody else accepted this prediction and deleted what became of it." };
  }
  if (status === 404) return { holds: null, told: "The prediction is not there any more." };
  if (code === "prediction_rejected") return { holds: "rejected", told: "Somebody else has rejected this prediction meanwhile." };
  if (code === "prediction_accepted") return { holds: "accepted", told: "Somebody else has accepted this prediction meanwhile." };
  return { holds: decided, told: `${decided === "open" ? "The prediction stays open." : "The decision stays."} ${detail}` };
}

/** Whether the server is still to be told of it. */
export const isUndecided = ({ wanted, decided }: PendingDecision, { decisions }: Unheard): boolean =>
  wanted !== "accepted" || decided !== wanted || decisions.length > 0;

/** Whether the annotation that came back was there before, or is by now not what was asked for. */
function wasThere({ shape }: Prediction, sent: Annotation, { annotation, facts }: Known, userId: number): boolean {
  if (facts.created_by !== userId || facts.version > 1) return true;
  return changedFields(shape, sent).some((field) => !sameValue(annotation[field], sent[field]));
}

export interface RulingOptions {
  readonly document: AnnotationDocument;
  readonly predictions: Predictions;
  readonly userId: number;
  /**
   * What was decided about a prediction does not hold, or somebody else had made the
   * annotation `made` of it: that is no step of ours. `told` says so to the person; with
   * nulls, that is all.
   */
  readonly overruled: (prediction: number | null, made: AnnotationKey | null, told: string) => void;
}

/** What the queue does about decisions on top of what it does about annotations. */
export class Ruling {
  readonly #options: RulingOptions;
  readonly #slots: Slots;

  constructor(options: RulingOptions, slots: Slots) {
    this.#options = options;
    this.#slots = slots;
  }

  /** What the person has decided about what an annotation is made of. */
  wanted({ prediction }: Slot): Decision {
    return prediction ? this.#options.predictions.decisionOf(prediction.id) : "open";
  }

  /** An annotation that is made of a prediction is saved together with what is decided about that: its key. */
  decide({ prediction, after }: DecisionEntry, origin: Origin): AnnotationKey {
    const key = this.#options.predictions.keyOf(prediction.id);
    const slot = this.#slots.of(key);
    if (origin === "local") slot.prediction = prediction;
    else if (after === "open") {
      this.#options.document.apply(new Map([[key, null]]), "remote");
      this.reopened(key, slot);
    } else slot.decided = after;
    return key;
  }

  /** What was made of it is gone for good: another one will be made. */
  reopened(key: AnnotationKey, slot: Slot): void {
    const nothing = { base: null, attempted: null, unheard: NOTHING_UNHEARD, deletion: null, versions: new WeakMap() };
    Object.assign(slot, { decided: "open", ...nothing });
    this.#options.document.setFacts(key, null);
  }

  /** True when the answer is an annotation that was made of the prediction before, not the one that was asked for. */
  meet(key: AnnotationKey, slot: Slot, sent: Annotation, known: Known): boolean {
    const { document, predictions, userId, overruled } = this.#options;
    const prediction = slot.prediction!;
    slot.decided = "accepted";
    if (!wasThere(prediction, sent, known, userId)) return false;
    const [mine, theirs] = [document.get(key), known.annotation];
    const isTheirs = known.facts.created_by !== userId;
    const isChanged = known.facts.updated_by !== userId;
    const both = mine && merged(prediction.shape, mine, theirs);
    this.#slots.adopt(key, known);
    let told = ACCEPTED_BEFORE;
    if (mine && !both) {
      slot.base = prediction.shape;
      slot.trouble = { kind: "conflict", theirs: known };
      told += " Choose which shape stays.";
    } else if (both && !sameAnnotation(both, theirs)) {
      document.apply(new Map([[key, both]]), "remote");
      told += " What you changed of it is saved as a change.";
    } else if (both || isTheirs || isChanged) {
      // Taken back here meanwhile, it is not ours to delete.
      document.apply(new Map([[key, theirs]]), "remote");
      predictions.decide([prediction], "accepted", "remote");
    }
    if (!isTheirs && !mine && isChanged) overruled(prediction.id, key, CHANGED_SINCE);
    if (isTheirs) overruled(prediction.id, key, told);
    return true;
  }

  /** The server does not take a decision. */
  refused(key: AnnotationKey, slot: Slot, kind: Plan["kind"], problem: Problem): void {
    const { document, predictions, overruled } = this.#options;
    const prediction = slot.prediction!;
    const found = verdict(kind, problem, slot.decided);
    // It is an answer: nothing is to be asked once more.
    const isOurs = found?.holds === "rejected" && slot.unheard.decisions.includes("rejected");
    slot.unheard = NOTHING_UNHEARD;
    // Where the prediction is gone, it may have been accepted before: then the key tells when it is created.
    if (problem.status !== 404) slot.attempted = null;
    if (isOurs || (found?.holds === "rejected" && this.wanted(slot) === "accepted")) {
      // What was made of it is kept, and the next request goes on from there.
      slot.decided = "rejected";
      if (!isOurs) overruled(null, null, REJECTED_BEFORE);
    } else if (kind === "reopen" && found?.holds === "accepted" && this.wanted(slot) === "accepted") {
      // Ours is gone, and theirs is what accepting it once more will meet.
      this.reopened(key, slot);
    } else if (found === null) slot.trouble = { kind: "refused", detail: problem.detail };
    else if (found.holds === null) {
      // An annotation of its own from now on.
      slot.prediction = null;
      predictions.forget(prediction.id);
      if (found.deleted) renew(key, slot);
      if (found.deleted && document.get(key)) slot.trouble = { kind: "conflict", theirs: null };
      overruled(prediction.id, null, found.told);
    } else {
      slot.decided = found.holds;
      predictions.decide([prediction], found.holds, "remote");
      overruled(prediction.id, key, found.told);
    }
  }

  /** Takes up what an earlier visit decided. */
  recover(key: AnnotationKey, slot: Slot, { prediction, wanted, decided }: PendingDecision): void {
    this.#options.predictions.recover(prediction, wanted, key);
    slot.prediction = prediction;
    slot.decided = decided;
  }
}

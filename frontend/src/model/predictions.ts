/**
 * What models found in the image, and what is decided about it.
 *
 * A prediction is no annotation: it is never in the document, and never counted
 * with them. What a person decides is told as a diff, as changes of annotations
 * are, which is all that undo and saving need. `shape` is what to draw of it, and
 * what it becomes when it is accepted.
 */

import type { Origin } from "./document";
import { newKey, type Annotation, type AnnotationKey } from "./records";

export interface Prediction {
  readonly id: number;
  readonly setId: number;
  readonly kind: "bbox" | "segmentation" | "keypoints" | "caption";
  readonly score: number | null;
  readonly shape: Annotation;
}

/** The results of one model or run. */
export interface PredictionSet {
  readonly id: number;
  readonly name: string;
}

export type Decision = "open" | "accepted" | "rejected";

export interface DecisionEntry {
  readonly prediction: Prediction;
  readonly before: Decision;
  readonly after: Decision;
}

export type DecisionListener = (diff: readonly DecisionEntry[], origin: Origin) => void;

/** Many models find a hundred things in every image, most of them with next to no score. */
const FIRST_MIN_SCORE = 0.3;

export class Predictions {
  #all: readonly Prediction[] = [];
  /** What was decided about during this visit. */
  readonly #decided = new Map<number, { readonly prediction: Prediction; readonly decision: Decision }>();
  readonly #keys = new Map<number, AnnotationKey>();
  readonly #listeners = new Set<DecisionListener>();
  #sets: readonly PredictionSet[] = [];
  #setId: number | null = null;
  #selected: number | null = null;
  #minScore = FIRST_MIN_SCORE;
  #shown = true;
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get count(): number {
    return this.#all.length;
  }

  /** Changes with what is open, as the server computes it: how many, and the sum of their ids. */
  get digest(): string {
    return `${this.#all.length}-${this.#all.reduce((sum, { id }) => sum + id, 0)}`;
  }

  /** The models and runs that found something here. */
  get sets(): readonly PredictionSet[] {
    return this.#sets;
  }

  /** The one whose predictions are listed; null for all. */
  get setId(): number | null {
    return this.#setId;
  }

  get minScore(): number {
    return this.#minScore;
  }

  get shown(): boolean {
    return this.#shown;
  }

  /** Those with enough score, the best first; what has no score is always among them. */
  get listed(): readonly Prediction[] {
    return this.#all.filter(
      ({ score, setId }) =>
        (score === null || score >= this.#minScore) && (this.#setId ?? setId) === setId,
    );
  }

  get selected(): Prediction | null {
    return this.listed.find(({ id }) => id === this.#selected) ?? null;
  }

  /** Whether nobody has decided about it. */
  isOpen(id: number): boolean {
    return this.#all.some((one) => one.id === id);
  }

  /** What an annotation that is made of it is called here. */
  keyOf(id: number): AnnotationKey {
    const key = this.#keys.get(id) ?? newKey();
    this.#keys.set(id, key);
    return key;
  }

  decisionOf(id: number): Decision {
    return this.#decided.get(id)?.decision ?? "open";
  }

  /**
   * Takes over what is open as the server says. What it does not know yet stays
   * as it was decided here: `waits` says of which that is.
   */
  load(
    predictions: readonly Prediction[],
    sets: readonly PredictionSet[] = [],
    waits: (id: number) => boolean = () => false,
  ): void {
    const known = new Set(predictions.map(({ id }) => id));
    const waiting = this.#all.filter(({ id }) => waits(id) && !known.has(id));
    const reopened = predictions.filter(({ id }) => this.decisionOf(id) !== "open" && !waits(id));
    this.#all = [...predictions, ...waiting].filter(({ id }) => this.decisionOf(id) === "open").sort(byScore);
    this.#sets = sets.filter(({ id }) => predictions.some(({ setId }) => setId === id));
    this.decide(reopened, "open", "remote");
    this.#changed();
  }

  /** Where one that was selected is decided, the next one is selected. */
  decide(predictions: readonly Prediction[], decision: Decision, origin: Origin): void {
    const diff = predictions
      .map((prediction) => ({ prediction, before: this.decisionOf(prediction.id), after: decision }))
      .filter(({ before, after }) => before !== after);
    for (const { prediction } of diff) {
      const { id } = prediction;
      if (decision === "open") {
        this.#decided.delete(id);
        this.#all = [...this.#all.filter((one) => one.id !== id), prediction].sort(byScore);
      } else {
        this.#decided.set(id, { prediction, decision });
        this.#takeAway(id);
      }
    }
    if (diff.length === 0) return;
    for (const listener of this.#listeners) listener(diff, origin);
    this.#changed();
  }

  /** It is not there any more, or not to be decided here. */
  forget(id: number): void {
    this.#decided.delete(id);
    // What was made of it keeps its key, as an annotation of its own.
    this.#keys.delete(id);
    this.#takeAway(id);
    this.#changed();
  }

  /** One that an earlier visit decided about; the annotation that it becomes is called `key`. */
  recover(prediction: Prediction, decision: Decision, key: AnnotationKey): void {
    this.#keys.set(prediction.id, key);
    this.#all = [...this.#all.filter(({ id }) => id !== prediction.id), prediction].sort(byScore);
    this.decide([prediction], decision, "remote");
  }

  subscribe(listener: DecisionListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  chooseSet(id: number | null): void {
    this.#setId = id;
    this.#changed();
  }

  select(id: number | null): void {
    if (this.#selected === id) return;
    this.#selected = id;
    this.#changed();
  }

  /** Shows it with another shape, while it is in hand. */
  reshape(id: number, shape: Annotation): void {
    this.#all = this.#all.map((one) => (one.id === id ? { ...one, shape } : one));
    this.#changed();
  }

  setMinScore(score: number): void {
    this.#minScore = score;
    this.#changed();
  }

  toggle(): void {
    this.#shown = !this.#shown;
    this.#changed();
  }

  #takeAway(id: number): void {
    const { listed } = this;
    const at = listed.findIndex((one) => one.id === id);
    this.#all = this.#all.filter((one) => one.id !== id);
    if (this.#selected === id) this.#selected = (listed[at + 1] ?? listed[at - 1])?.id ?? null;
  }
}

/** What has no score comes first: there is no telling how good it is. */
function byScore(a: Prediction, b: Prediction): number {
  if (a.score === b.score) return a.id - b.id;
  if (a.score === null || b.score === null) return a.score === null ? -1 : 1;
  return b.score - a.score;
}

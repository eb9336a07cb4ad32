/**
 * What models found in the image and nobody has decided about yet.
 *
 * A prediction is no annotation: it is never in the document, and so never
 * saved, undone or counted with them. `shape` is what to draw of it.
 */

import type { Annotation } from "./records";

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

/** Many models find a hundred things in every image, most of them with next to no score. */
const FIRST_MIN_SCORE = 0.3;

export class Predictions {
  #all: readonly Prediction[] = [];
  #sets: readonly PredictionSet[] = [];
  #setId: number | null = null;
  #selected: number | null = null;
  #minScore = FIRST_MIN_SCORE;
  #shown = true;
  readonly #changed: () => void;
  /** Called when a person has given a prediction another shape: it is accepted with that. */
  edited: (prediction: Prediction, shape: Annotation) => void = () => undefined;

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

  /** Whether nobody has decided about it yet. */
  isOpen(id: number): boolean {
    return this.#all.some((one) => one.id === id);
  }

  load(predictions: readonly Prediction[], sets: readonly PredictionSet[] = []): void {
    this.#all = [...predictions].sort(byScore);
    this.#sets = sets.filter(({ id }) => this.#all.some(({ setId }) => setId === id));
    this.#changed();
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

  /** It is decided; where it was selected, the next one is. */
  remove(id: number): void {
    const { listed } = this;
    const at = listed.findIndex((one) => one.id === id);
    this.#all = this.#all.filter((one) => one.id !== id);
    if (this.#selected === id) this.#selected = (listed[at + 1] ?? listed[at - 1])?.id ?? null;
    this.#changed();
  }

  /** It is open again; selecting it is up to whoever opened it. */
  restore(prediction: Prediction): void {
    this.#all = [...this.#all.filter(({ id }) => id !== prediction.id), prediction].sort(byScore);
    this.#changed();
  }
}

/** What has no score comes first: there is no telling how good it is. */
function byScore(a: Prediction, b: Prediction): number {
  if (a.score === b.score) return a.id - b.id;
  if (a.score === null || b.score === null) return a.score === null ? -1 : 1;
  return b.score - a.score;
}

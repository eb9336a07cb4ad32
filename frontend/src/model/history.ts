/**
 * Undo by marks on the streams of diffs: of the annotations, and of what is
 * decided about predictions.
 *
 * A mark opens a step; every local diff that follows belongs to it until the
 * next mark, so a drag of a hundred moves is one step. Undoing replays the
 * step's diffs turned round. Remote diffs never enter a step.
 */

import { invert, joined, replay, squash, type AnnotationDocument, type Diff } from "./document";
import type { DecisionEntry, Predictions } from "./predictions";
import { sameAnnotation, type AnnotationKey } from "./records";

interface Step {
  readonly label: string;
  diff: Diff;
  decided: readonly DecisionEntry[];
}

type Direction = "back" | "forth";

/** Names a step while it is open. */
export type Mark = Pick<Step, "label">;

export class History {
  readonly #document: AnnotationDocument;
  readonly #predictions: Predictions;
  #undos: Step[] = [];
  #redos: Step[] = [];
  #open: Step | null = null;
  #replaying = false;

  constructor(document: AnnotationDocument, predictions: Predictions) {
    this.#document = document;
    this.#predictions = predictions;
    document.subscribe((diff, origin) => {
      if (origin === "local" && !this.#replaying) this.#record(diff, []);
    });
    predictions.subscribe((decided, origin) => {
      if (origin === "local" && !this.#replaying) this.#record([], decided);
    });
  }

  /** Opens a step. A change outside of any step is a step of its own. */
  mark(label: string): Mark {
    this.commit();
    this.#open = { label, diff: [], decided: [] };
    return this.#open;
  }

  isOpen(mark: Mark): boolean {
    return this.#open === mark;
  }

  /** Closes the open step and keeps it when anything changed. */
  commit(): void {
    const step = this.#open;
    this.#open = null;
    if (!step) return;
    this.#putBack(step.diff);
    step.diff = squash(step.diff);
    if (!isEmpty(step)) this.#undos.push(step);
  }

  /** Takes back what the open step did and forgets it. */
  cancel(): void {
    const step = this.#open;
    this.#open = null;
    if (!step) return;
    this.#putBack(step.diff);
    step.diff = squash(step.diff);
    this.#replay(step, "back");
  }

  undo(): boolean {
    return this.#step(this.#undos, this.#redos, "back");
  }

  redo(): boolean {
    return this.#step(this.#redos, this.#undos, "forth");
  }

  /** A gesture is under way: what the document shows is not final. */
  get open(): boolean {
    return this.#open !== null;
  }

  /** How many steps can be undone. */
  get depth(): number {
    return this.#undos.length;
  }

  get undoLabel(): string | null {
    if (this.#open && !isEmpty(this.#open)) return this.#open.label;
    return this.#undos.at(-1)?.label ?? null;
  }

  get redoLabel(): string | null {
    return this.#redos.at(-1)?.label ?? null;
  }

  /** A decision did not hold, or somebody else made the annotation: neither is ours to take back or repeat. */
  disown(prediction: number | null, made: AnnotationKey | null): void {
    const owned = (step: Step): Step => ({
      ...step,
      diff: step.diff.filter(({ key, before }) => key !== made || before !== null),
      decided: step.decided.filter((each) => each.prediction.id !== prediction),
    });
    const left = (steps: readonly Step[]): Step[] => steps.map(owned).filter((step) => !isEmpty(step));
    [this.#undos, this.#redos] = [left(this.#undos), left(this.#redos)];
  }

  #record(diff: Diff, decided: readonly DecisionEntry[]): void {
    this.#redos = [];
    const step = this.#open ?? { label: decided.length > 0 ? "Decide" : "Change", diff: [], decided: [] };
    step.diff = [...step.diff, ...diff];
    step.decided = [...step.decided, ...decided];
    // A long drag would otherwise keep every state it went through.
    if (step.diff.length > 256) step.diff = joined(step.diff);
    if (step !== this.#open) this.#undos.push(step);
  }

  /** What the step changed and changed back is again the very object that it was. */
  #putBack(diff: Diff): void {
    const first = new Map(invert(diff).map(({ key, after }) => [key, after]));
    const change = [...first].filter(([key, before]) => sameAnnotation(before, this.#document.get(key)));
    this.#replaying = true;
    try {
      this.#document.apply(new Map(change), "local");
    } finally {
      this.#replaying = false;
    }
  }

  #step(from: Step[], to: Step[], direction: Direction): boolean {
    this.commit();
    const step = from.pop();
    if (!step) return false;
    to.push(step);
    this.#replay(step, direction);
    return true;
  }

  /** What somebody else has decided otherwise meanwhile is left alone, as far as that is known here. */
  #replay({ diff, decided }: Step, direction: Direction): void {
    const wanted = direction === "back" ? decided.map(turned) : decided;
    const settled = wanted.filter((each) => !this.#mayDecide(each));
    const theirs = new Set(settled.map(({ prediction }) => this.#predictions.keyOf(prediction.id)));
    const rest = diff.filter(({ key }) => !theirs.has(key));
    this.#replaying = true;
    try {
      this.#document.apply(replay(this.#document, direction === "back" ? invert(rest) : rest), "local");
      this.#decide(wanted.filter((each) => !settled.includes(each)));
    } finally {
      this.#replaying = false;
    }
  }

  #mayDecide({ prediction: { id }, before }: DecisionEntry): boolean {
    return before === "open" ? this.#predictions.isOpen(id) : this.#predictions.decisionOf(id) === before;
  }

  #decide(wanted: readonly DecisionEntry[]): void {
    for (const to of new Set(wanted.map(({ after }) => after))) {
      const entries = wanted.filter(({ after }) => after === to);
      this.#predictions.decide(entries.map(({ prediction }) => prediction), to, "local");
    }
  }
}

const turned = ({ prediction, before, after }: DecisionEntry): DecisionEntry => ({
  prediction,
  before: after,
  after: before,
});

const isEmpty = ({ diff, decided }: Step): boolean => diff.length === 0 && decided.length === 0;

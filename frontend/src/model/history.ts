/**
 * Undo by marks on the streams of diffs: of the annotations, and of what is
 * decided about predictions.
 *
 * A mark opens a step; every local diff that follows belongs to it until the
 * next mark, so a drag of a hundred moves is one step. Undoing replays the
 * step's diffs turned round. Remote diffs never enter a step; what they changed
 * after it is not the step's to take back or repeat any more.
 */

import { invert, joined, replayed, squash, type AnnotationDocument, type Diff } from "./document";
import { OthersChanges } from "./others";
import type { DecisionEntry, Predictions } from "./predictions";
import { sameAnnotation, type Annotation, type AnnotationKey } from "./records";

interface Step {
  readonly label: string;
  /** What others had changed by then is older than the step. */
  readonly time: number;
  diff: Diff;
  decided: readonly DecisionEntry[];
}

/** What an undo or redo did not take back or repeat, because somebody else came after it. */
export interface LeftAlone {
  readonly key: AnnotationKey;
  /** The annotation is another one by now, or what is decided about the prediction that it is made of. */
  readonly because: "changed" | "decided";
}

export interface Replay {
  /** Whether it did anything. */
  readonly did: boolean;
  readonly left: readonly LeftAlone[];
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
  readonly #others = new OthersChanges();
  #replaying = false;

  constructor(document: AnnotationDocument, predictions: Predictions) {
    this.#document = document;
    this.#predictions = predictions;
    document.subscribe((diff, origin) => {
      if (origin === "remote") this.#others.note(diff);
      if (origin === "local" && !this.#replaying) this.#record(diff, []);
    });
    predictions.subscribe((decided, origin) => {
      if (origin === "local" && !this.#replaying) this.#record([], decided);
    });
  }

  /** Opens a step. A change outside of any step is a step of its own. */
  mark(label: string): Mark {
    this.commit();
    this.#open = this.#step(label);
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

  /** Null when there is nothing to take back. */
  undo(): Replay | null {
    return this.#move(this.#undos, this.#redos, "back");
  }

  redo(): Replay | null {
    return this.#move(this.#redos, this.#undos, "forth");
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

  /** Somebody else came to it before: no step is ours to take back or repeat as far as it is about this. */
  overtaken(key: AnnotationKey): void {
    this.#others.overtake(key);
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
    const step = this.#open ?? this.#step(decided.length > 0 ? "Decide" : "Change");
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

  #step(label: string, diff: Diff = [], decided: readonly DecisionEntry[] = []): Step {
    return { label, time: this.#others.time, diff, decided };
  }

  /** What the next step of the other direction goes back on is what this one did, and not what it left alone. */
  #move(from: Step[], to: Step[], direction: Direction): Replay | null {
    this.commit();
    const step = from.pop();
    if (!step) return null;
    const { diff, decided, left } = this.#replay(step, direction);
    const done =
      direction === "back"
        ? this.#step(step.label, invert(diff), decided.map(turned))
        : this.#step(step.label, diff, decided);
    if (!isEmpty(done)) to.push(done);
    return { did: !isEmpty(done), left };
  }

  /** What somebody else has changed or decided otherwise since is left alone, as far as that is known here. */
  #replay(step: Step, direction: Direction): Pick<Step, "diff" | "decided"> & { readonly left: LeftAlone[] } {
    const entries = direction === "back" ? invert(step.diff) : step.diff;
    const wanted = direction === "back" ? step.decided.map(turned) : step.decided;
    const keyOf = ({ prediction }: DecisionEntry): AnnotationKey => this.#predictions.keyOf(prediction.id);
    const left = new Map<AnnotationKey, LeftAlone["because"]>();
    for (const each of wanted) if (!this.#mayDecide(each)) left.set(keyOf(each), "decided");
    const change = new Map<AnnotationKey, Annotation | null>();
    for (const entry of entries) {
      const { key } = entry;
      if (left.has(key)) continue;
      const result = replayed(this.#document.get(key), entry, this.#others.since(key, step.time));
      if (result) change.set(key, result.to);
      if (!result?.whole) left.set(key, "changed");
    }
    const decided = wanted.filter((each) => !left.has(keyOf(each)));
    this.#replaying = true;
    try {
      const diff = this.#document.apply(change, "local");
      this.#decide(decided);
      return { diff, decided, left: [...left].map(([key, because]) => ({ key, because })) };
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

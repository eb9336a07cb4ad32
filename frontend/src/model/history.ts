/**
 * Undo by marks on the stream of diffs.
 *
 * A mark opens a step; every local diff that follows belongs to it until the
 * next mark, so a drag of a hundred moves is one step. Undoing replays the
 * step's diff turned round. Remote diffs never enter a step.
 */

import { invert, joined, replay, squash, type AnnotationDocument, type Diff } from "./document";
import { sameAnnotation } from "./records";

interface Step {
  readonly label: string;
  diff: Diff;
}

/** Names a step while it is open. */
export type Mark = Pick<Step, "label">;

export class History {
  readonly #document: AnnotationDocument;
  #undos: Step[] = [];
  #redos: Step[] = [];
  #open: Step | null = null;
  #replaying = false;

  constructor(document: AnnotationDocument) {
    this.#document = document;
    document.subscribe((diff, origin) => {
      if (origin === "local" && !this.#replaying) this.#record(diff);
    });
  }

  /** Opens a step. A change outside of any step is a step of its own. */
  mark(label: string): Mark {
    this.commit();
    this.#open = { label, diff: [] };
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
    if (step.diff.length > 0) this.#undos.push(step);
  }

  /** Takes back what the open step did and forgets it. */
  cancel(): void {
    const step = this.#open;
    this.#open = null;
    if (!step) return;
    this.#putBack(step.diff);
    this.#replay(invert(squash(step.diff)));
  }

  undo(): boolean {
    return this.#step(this.#undos, this.#redos, invert);
  }

  redo(): boolean {
    return this.#step(this.#redos, this.#undos, (diff) => diff);
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
    if (this.#open && this.#open.diff.length > 0) return this.#open.label;
    return this.#undos.at(-1)?.label ?? null;
  }

  get redoLabel(): string | null {
    return this.#redos.at(-1)?.label ?? null;
  }

  #record(diff: Diff): void {
    this.#redos = [];
    if (this.#open) {
      this.#open.diff = [...this.#open.diff, ...diff];
      // A long drag would otherwise keep every state it went through.
      if (this.#open.diff.length > 256) this.#open.diff = joined(this.#open.diff);
    } else this.#undos.push({ label: "Change", diff });
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

  #step(from: Step[], to: Step[], direction: (diff: Diff) => Diff): boolean {
    this.commit();
    const step = from.pop();
    if (!step) return false;
    to.push(step);
    this.#replay(direction(step.diff));
    return true;
  }

  #replay(diff: Diff): void {
    this.#replaying = true;
    try {
      this.#document.apply(replay(this.#document, diff), "local");
    } finally {
      this.#replaying = false;
    }
  }
}

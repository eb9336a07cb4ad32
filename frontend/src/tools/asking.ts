/** Questions to the picture, of which only the newest matters while the pointer moves. */

import type { Editor } from "../editor/editor";
import { SightError, type Sight } from "../editor/sight";

/** What the tools look at; says why when there is nothing. */
export function sightOf(editor: Editor): Sight | null {
  if (!editor.sight) editor.say("This image has no picture whose colours could be followed.");
  return editor.sight;
}

/** Looks as soon as the tool is in hand, so that the first press need not wait for it. */
export function lookAhead(editor: Editor, toolId: string, look: (sight: Sight) => void): void {
  editor.signal.on(["tool"], () => {
    if (editor.sight && editor.hand.toolId === toolId) look(editor.sight);
  });
}

/**
 * One question at a time. What is asked meanwhile waits, and takes the place of
 * what waited before, so that a slow answer never makes a queue.
 */
export class Newest<Question, Answer> {
  readonly #editor: Editor;
  readonly #ask: (question: Question) => Promise<Answer>;
  readonly #answered: (answer: Answer, question: Question) => void;
  readonly #failed: () => void;
  #waiting: { question: Question } | null = null;
  #asked = false;
  #running = false;

  constructor(
    editor: Editor,
    ask: (question: Question) => Promise<Answer>,
    answered: (answer: Answer, question: Question) => void,
    failed: () => void = () => undefined,
  ) {
    this.#editor = editor;
    this.#ask = ask;
    this.#answered = answered;
    this.#failed = failed;
  }

  /** Whether an answer is still to come. */
  get open(): boolean {
    return this.#asked || this.#waiting !== null;
  }

  ask(question: Question): void {
    this.#waiting = { question };
    if (!this.#running) void this.#next();
  }

  async #next(): Promise<void> {
    this.#running = true;
    try {
      while (this.#waiting) {
        const { question } = this.#waiting;
        this.#waiting = null;
        this.#asked = true;
        const answer = await this.#ask(question);
        // The last answer arrives when nothing is open any more; it may lead to another question.
        this.#asked = false;
        this.#answered(answer, question);
      }
    } catch (error) {
      if (!(error instanceof SightError)) throw error;
      this.#waiting = null;
      this.#asked = false;
      this.#editor.say(error.message);
      this.#failed();
    } finally {
      this.#asked = false;
      this.#running = false;
      this.#editor.signal.emit("tool");
    }
  }
}

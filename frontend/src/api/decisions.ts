/**
 * What a person decides about predictions, told to the server one by one.
 *
 * An accepted prediction comes back as an annotation, which enters the document
 * as what the server has: nothing of it is left to save. The last decision is
 * undone before older edits and after newer ones, as if all were one history.
 */

import type { Command } from "../editor/commands";
import type { Editor } from "../editor/editor";
import type { Prediction } from "../model/predictions";
import { keyOfId, type Annotation, type AnnotationKey } from "../model/records";
import { pathTo, problemOf, succeeded, type Answer, type Problem, type Transport } from "./client";
import type { SaveQueue } from "./save-queue";
import { changeBody, read, type WireAnnotation } from "./wire";

interface Decided {
  readonly prediction: Prediction;
  /** The annotation that was made of it; null for a rejected one. */
  readonly key: AnnotationKey | null;
}

/** What one key press or button decided, and one undo takes back. */
interface Decision {
  readonly all: readonly Decided[];
  /** How many edits could be undone when it was made. */
  readonly depth: number;
}

export interface DecisionsOptions {
  readonly editor: Editor;
  readonly queue: SaveQueue;
  readonly transport: Transport;
}

type Verb = "accept" | "reject" | "reopen";

const MOST_AT_ONCE = 4;

/** Does the work for each, some at a time. */
async function some<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: MOST_AT_ONCE }, worker));
}

/** Somebody else was faster, or the prediction is gone: it does not come back here. */
const isDecided = ({ status, code }: Problem): boolean =>
  status === 404 || code === "prediction_accepted" || code === "annotation_deleted";

export class Decisions {
  readonly #editor: Editor;
  readonly #queue: SaveQueue;
  readonly #transport: Transport;
  readonly #made: Decision[] = [];
  readonly #listeners = new Set<() => void>();
  /** One after the other, so that undo always means the last one. */
  #last: Promise<void> = Promise.resolve();
  #underWay = 0;
  /** How many decisions and undoings there were. */
  #count = 0;

  constructor({ editor, queue, transport }: DecisionsOptions) {
    this.#editor = editor;
    this.#queue = queue;
    this.#transport = transport;
    editor.predictions.edited = (prediction, shape) => void this.acceptAs(prediction, shape);
  }

  get underWay(): number {
    return this.#underWay;
  }

  /** Whether a decision is the next thing to undo. */
  get undoable(): boolean {
    return this.#made.at(-1)?.depth === this.#editor.history.depth;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when the server knows all decisions. */
  settled(): Promise<void> {
    return this.#last;
  }

  /**
   * What is read of the server while nothing is decided. A decision that comes
   * in between makes it read again: the answer may be older than that.
   */
  async unchanged<Read>(read: () => Promise<Read>): Promise<Read> {
    for (;;) {
      while (this.#underWay > 0) await this.settled();
      const count = this.#count;
      const found = await read();
      if (count === this.#count) return found;
    }
  }

  accept(prediction: Prediction): Promise<void> {
    return this.#decide([prediction], "accept");
  }

  reject(prediction: Prediction): Promise<void> {
    return this.#decide([prediction], "reject");
  }

  /** All of them as one decision. */
  acceptAll(predictions: readonly Prediction[]): Promise<void> {
    return this.#decide(predictions, "accept");
  }

  /** It becomes an annotation that is in hand at once: selected, with its handles. */
  async acceptAndEdit(prediction: Prediction): Promise<void> {
    await this.accept(prediction);
    this.#takeUp(prediction);
  }

  /** It becomes an annotation of this shape; one undo opens it again as it was found. */
  async acceptAs(prediction: Prediction, shape: Annotation): Promise<void> {
    await this.#decide([prediction], "accept", changeBody(prediction.shape, shape));
    this.#takeUp(prediction);
  }

  #takeUp(prediction: Prediction): void {
    const made = this.#made.at(-1)?.all.find((each) => each.prediction === prediction);
    if (!made?.key || this.#editor.hand.busy) return;
    this.#editor.hand.choose("select");
    this.#editor.select([made.key]);
  }

  undo(): Promise<void> {
    const decision = this.#made.pop();
    if (!decision) return Promise.resolve();
    return this.#inTurn(async () => {
      await some(decision.all, async ({ prediction, key }) => {
        const answer = await this.#ask(prediction, "reopen");
        if (!succeeded(answer)) {
          this.#editor.say(`The decision stays. ${problemOf(answer).detail}`);
          return;
        }
        if (key) this.#queue.drop(key);
        this.#reopen(prediction);
      });
    });
  }

  get commands(): Command[] {
    const { predictions, readOnly } = this.#editor;
    const decidable = (editor: Editor): boolean =>
      !readOnly && !editor.hand.busy && predictions.shown && predictions.selected !== null;
    return [
      {
        id: "accept-prediction",
        label: "Accept the prediction",
        group: "Image",
        help: "It becomes an annotation, saved at once.",
        keys: ["Y"],
        when: decidable,
        run: () => void this.accept(predictions.selected!),
      },
      {
        id: "edit-prediction",
        label: "Accept the prediction and edit it",
        group: "Image",
        help: "It becomes an annotation that is selected, so that its points can be dragged at once.",
        keys: ["Shift+Y"],
        when: decidable,
        run: () => void this.acceptAndEdit(predictions.selected!),
      },
      {
        id: "accept-all-predictions",
        label: "Accept all predictions that are listed",
        group: "Image",
        help: "Those of this image with enough score; one undo opens all of them again.",
        keys: [],
        when: (editor) =>
          !readOnly && !editor.hand.busy && predictions.shown && predictions.listed.length > 0,
        run: () => void this.acceptAll(predictions.listed),
      },
      {
        id: "reject-prediction",
        label: "Reject the prediction",
        group: "Image",
        help: "It is no longer shown; the next one is selected.",
        keys: ["N"],
        when: decidable,
        run: () => void this.reject(predictions.selected!),
      },
      {
        id: "undo-decision",
        label: "Undo the last decision",
        group: "Image",
        help: "The prediction is open again; what was made of it is gone.",
        keys: ["Mod+Z"],
        as: "undo",
        when: (editor) => !editor.hand.busy && !editor.history.open && this.undoable,
        run: () => void this.undo(),
      },
    ];
  }

  #decide(chosen: readonly Prediction[], verb: "accept" | "reject", body?: object): Promise<void> {
    const { predictions, history } = this.#editor;
    // Gone at once, so that the next key means the next one; back when the server refuses.
    for (const { id } of chosen) predictions.remove(id);
    return this.#inTurn(async () => {
      const decided: Decided[] = [];
      await some(chosen, async (prediction) => {
        const answer = await this.#ask(prediction, verb, body);
        if (succeeded(answer)) {
          decided.push({ prediction, key: verb === "accept" ? this.#add(answer) : null });
          return;
        }
        const problem = problemOf(answer);
        if (isDecided(problem)) return this.#editor.say(`The prediction is not open any more. ${problem.detail}`);
        this.#reopen(prediction);
        this.#editor.say(`The prediction stays open. ${problem.detail}`);
      });
      if (decided.length > 0) this.#made.push({ all: decided, depth: history.depth });
    });
  }

  /** It is selected again, unless a gesture with something else is under way by now. */
  #reopen(prediction: Prediction): void {
    this.#editor.predictions.restore(prediction);
    if (!this.#editor.hand.busy) this.#editor.selectPrediction(prediction.id);
  }

  #add(answer: Answer): AnnotationKey {
    const known = read(answer.body as WireAnnotation);
    this.#queue.load([known]);
    return keyOfId(known.facts.id);
  }

  #ask({ id }: Prediction, verb: Verb, body?: object): Promise<Answer> {
    const path = pathTo(`/api/predictions/{prediction_id}/${verb}`, id);
    return this.#transport({ method: "POST", path, ...(body && { body }) });
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#underWay += 1;
    this.#count += 1;
    this.#changed();
    this.#last = this.#last.then(work).finally(() => {
      this.#underWay -= 1;
      this.#changed();
    });
    return this.#last;
  }

  #changed(): void {
    this.#editor.signal.emit("predictions");
    for (const listener of this.#listeners) listener();
  }
}

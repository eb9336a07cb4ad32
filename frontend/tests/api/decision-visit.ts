/** A visit to an image in which models found something, for stories of several people. */

import type { Answer, Ask } from "../../src/api/client";
import type { PendingEntry, PendingPlace } from "../../src/api/pending-store";
import { SaveQueue } from "../../src/api/save-queue";
import { read } from "../../src/api/wire";
import { COMMANDS } from "../../src/editor/commands";
import type { Editor } from "../../src/editor/editor";
import { commandFor } from "../../src/editor/keys";
import type { Prediction } from "../../src/model/predictions";
import { EMPTY_ANNOTATION, type AnnotationKey } from "../../src/model/records";
import { PERSON, Story } from "../story";
import { Server } from "./server";

const ME = 1;
export const ADA = 2;
export const BOX = [1, 2, 3, 4] as const;

const NO_ANSWER: Answer = { status: 0, body: null, retryAfterSeconds: null };

export const found = (id: number): Prediction => ({
  id,
  setId: 1,
  kind: "bbox",
  score: 0.5,
  shape: { ...EMPTY_ANNOTATION, category_id: PERSON.id, bbox: BOX, score: 0.5 },
});

/** A visit to an image with predictions, by one person of several. */
export class Visit {
  readonly story: Story;
  readonly editor: Editor;
  readonly queue: SaveQueue;
  readonly told: string[] = [];
  /** What becomes of this person's next requests; the last one stays. */
  line: ("whole" | "cut" | "mute" | "stranger")[] = ["whole"];
  #resume: (() => void)[] = [];

  constructor(
    readonly server = new Server(),
    readonly shelf = new Map<string, PendingEntry>(),
    { readOnly = false, userId = ME } = {},
  ) {
    if (server.predictions.size === 0) this.find(1, 2);
    this.story = new Story({ readOnly });
    this.editor = this.story.editor;
    const { document, predictions, history } = this.editor;
    this.queue = new SaveQueue({
      document,
      predictions,
      imageId: 5,
      userId,
      transport: (ask) => this.#send(ask, userId),
      store: {
        put: async (entry: PendingEntry) => void shelf.set(entry.key, structuredClone(entry)),
        remove: async ({ key }: PendingPlace) => void shelf.delete(key),
        list: async () => [],
        adopt: async () => {},
      },
      held: () => history.open,
      overruled: (prediction, made, told) => {
        this.told.push(told);
        history.disown(prediction, made);
        this.editor.say(told);
      },
      overtaken: (key) => history.overtaken(key),
      inHand: (key) => this.editor.holds(key),
      later: (run) => this.#resume.push(run),
    });
    this.queue.load(server.all().map(read));
    this.queue.recover([...shelf.values()]);
    this.editor.signal.on(["settled"], () => this.queue.pump());
    this.list();
  }

  async #send(ask: Ask, userId: number): Promise<Answer> {
    const line = this.line.length > 1 ? this.line.shift() : this.line[0];
    if (line === "cut") return NO_ANSWER;
    if (line === "stranger") return { status: 404, body: { code: "not_found" }, retryAfterSeconds: null };
    const answer = await this.server.serve(ask, userId);
    return line === "mute" ? NO_ANSWER : answer;
  }

  find(...ids: number[]): void {
    const fields = { category_id: PERSON.id, bbox: [...BOX], score: 0.5 };
    for (const id of ids) this.server.predictions.set(id, { fields, state: "open" });
  }

  /** The list comes as the server has it. */
  list(): void {
    const open = [...this.server.predictions].filter(([, { state }]) => state === "open");
    this.editor.predictions.load(open.map(([id]) => found(id)), [], (id) => this.queue.waitsFor(id));
  }

  /** Everything that others did arrives. */
  hear(): this {
    const { queue, editor, server } = this;
    queue.catchUp(server.all().map(read), queue.versions(), (key) => editor.holds(key));
    return this;
  }

  /** The same of one annotation, unless what was done to it here waits. */
  hearOf(id: number): void {
    const { queue, editor, server } = this;
    const key = queue.keyOf(id);
    const known = server.now(id);
    const isComing = known !== null && queue.creations.has(known.client_key);
    const isWaiting = key ? queue.waits(key) && queue.trouble(key)?.kind !== "conflict" : isComing;
    if (!isWaiting && !(key && editor.holds(key))) queue.takeOver(new Map([[id, known && read(known)]]));
  }

  /** What is listed, how many objects there are, and how many of both wait. */
  get shows(): [number[], number, number] {
    return [this.editor.predictions.listed.map(({ id }) => id), this.story.annotations.length, this.queue.unsaved];
  }

  get states(): string[] {
    return [...this.server.predictions.values()].map(({ state }) => state);
  }

  get last(): AnnotationKey {
    return [...this.editor.document.entries()].at(-1)![0];
  }

  pick(id: number): this {
    this.editor.selectPrediction(id);
    return this;
  }

  press(...names: string[]): this {
    for (const name of names) commandFor(COMMANDS, name, this.editor)?.run(this.editor);
    return this;
  }

  drag(): this {
    this.story.drag([4, 6], [40, 60]);
    return this;
  }

  cut(): this {
    this.server.faults = Array.from({ length: 8 }, () => "cut-before" as const);
    return this;
  }

  /** Until what is on its way has arrived. */
  async quiet(): Promise<this> {
    for (let i = 0; i < 6 || this.server.inFlight > 0; i++) await new Promise((done) => setTimeout(done, 2));
    return this;
  }

  async reconnect(): Promise<this> {
    this.server.faults = [];
    for (const run of this.#resume.splice(0)) run();
    return this.saved();
  }

  async saved(): Promise<this> {
    await this.queue.settled();
    return this;
  }
}

/** Decisions about predictions: one history with the edits, one queue with them, and a server that others use. */

import { expect, test } from "vitest";

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
const ADA = 2;
const BOX = [1, 2, 3, 4] as const;

const found = (id: number): Prediction => ({
  id,
  setId: 1,
  kind: "bbox",
  score: 0.5,
  shape: { ...EMPTY_ANNOTATION, category_id: PERSON.id, bbox: BOX, score: 0.5 },
});

/** A visit to an image with predictions, by one person of several. */
class Visit {
  readonly story: Story;
  readonly editor: Editor;
  readonly queue: SaveQueue;
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
      transport: (ask) => server.transport(ask),
      store: {
        put: async (entry: PendingEntry) => void shelf.set(entry.key, structuredClone(entry)),
        remove: async ({ key }: PendingPlace) => void shelf.delete(key),
        list: async () => [],
        adopt: async () => {},
      },
      held: () => history.open,
      overruled: (prediction, made, told) => {
        history.disown(prediction, made);
        this.editor.say(told);
      },
      later: (run) => this.#resume.push(run),
    });
    this.queue.load(server.all().map(read));
    this.queue.recover([...shelf.values()]);
    this.editor.signal.on(["settled"], () => this.queue.pump());
    this.list();
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

test("an accepted prediction is an annotation at once, and the server makes it of the prediction", async () => {
  const visit = new Visit();
  visit.pick(1).press("Y");
  expect(visit.shows).toEqual([[2], 1, 1]);
  expect(visit.editor.predictions.selected?.id).toBe(2);
  await visit.saved();
  expect(visit.server.log).toEqual(["POST /api/predictions/1/accept null"]);
  visit.press("N");
  await visit.saved();
  expect(visit.server.log.at(-1)).toBe("POST /api/predictions/2/reject null");
  expect([visit.shows, visit.states]).toEqual([[[], 1, 0], ["accepted", "rejected"]]);
});

test("keys decide about the selected prediction only, while it is shown, and not for viewers", () => {
  const visit = new Visit();
  visit.press("Y", "N").pick(1);
  visit.editor.predictions.toggle();
  visit.press("Y", "N");
  const viewer = new Visit(new Server(), new Map(), { readOnly: true });
  viewer.pick(1).press("Y");
  expect([visit.shows, viewer.shows]).toEqual([[[1, 2], 0, 0], [[1, 2], 0, 0]]);
});

test("decisions and edits are one history: undone and done again in their order", async () => {
  const visit = new Visit();
  const { history } = visit.editor;
  visit.pick(1).press("Y");
  await visit.saved();
  const key = visit.last;
  visit.editor.edit("Change crowd", [key], (old) => ({ ...old, iscrowd: 1 }));
  await visit.saved();
  visit.pick(2).press("N");
  await visit.saved();
  const seen = (): unknown[] => [visit.shows[0], visit.editor.document.get(key)?.iscrowd ?? null, history.undoLabel, history.redoLabel];
  const states = [
    [[1, 2], null, null, "Accept prediction"],
    [[2], 0, "Accept prediction", "Change crowd"],
    [[2], 1, "Change crowd", "Reject prediction"],
    [[], 1, "Reject prediction", null],
  ];
  // Twice there and back, with whatever was saved in between.
  for (const way of [[2, 1, 0], [1, 2, 3], [2, 1, 0], [1, 2, 3]]) {
    for (const i of way) {
      visit.press(way[0] === 2 ? "Mod+Z" : "Mod+Y");
      await visit.saved();
      expect(seen()).toEqual(states[i]);
      const [accepted, rejected] = [i > 0 ? "accepted" : "open", i > 2 ? "rejected" : "open"];
      expect(visit.states).toEqual([accepted, rejected]);
      expect(visit.server.all().map(({ iscrowd }) => iscrowd)).toEqual(i > 0 ? [Math.min(i - 1, 1)] : []);
    }
  }
  // Another decision clears what could be done again, and so does an edit.
  visit.press("Mod+Z").pick(2).press("Y");
  expect(history.redoLabel).toBeNull();
  visit.press("Mod+Z");
  visit.editor.edit("Change crowd", [key], (old) => ({ ...old, iscrowd: 0 }));
  expect(history.redoLabel).toBeNull();
});

test("undo and redo faster than the server answers end where the person does", async () => {
  const visit = new Visit();
  visit.pick(1).press("Y", "Mod+Z", "Mod+Y", "Mod+Z");
  expect(visit.shows.slice(0, 2)).toEqual([[1, 2], 0]);
  await visit.saved();
  expect([visit.states, visit.server.all()]).toEqual([["open", "open"], []]);
  visit.press("Mod+Y");
  await visit.quiet();
  visit.press("Mod+Z", "Mod+Y");
  await visit.saved();
  expect([visit.shows, visit.states, visit.server.all().length]).toEqual([[[2], 1, 0], ["accepted", "open"], 1]);
  visit.press("Mod+Z", "N", "Mod+Z");
  await visit.saved();
  expect([visit.shows, visit.states, visit.server.all()]).toEqual([[[1, 2], 0, 0], ["open", "open"], []]);
});

test("what undo opens again is selected instead of an object", async () => {
  const visit = new Visit();
  const key = visit.story.given({ bbox: [50, 50, 10, 10] });
  visit.pick(1).press("N");
  visit.editor.select([key]);
  visit.press("Y", "Mod+Z");
  expect(visit.editor.predictions.selected?.id).toBe(1);
  expect(visit.story.selected).toEqual([]);
  await visit.saved();
  expect(visit.states).toEqual(["open", "open"]);
});

test("all that are listed are accepted as one step", async () => {
  const visit = new Visit();
  visit.editor.predictions.load([found(1), found(2), { ...found(3), score: 0.1 }]);
  visit.story.run("accept-all-predictions");
  expect(visit.editor.history.undoLabel).toBe("Accept 2 predictions");
  await visit.saved();
  expect([visit.shows, visit.editor.predictions.count]).toEqual([[[], 2, 0], 1]);
  visit.press("Mod+Z");
  await visit.saved();
  expect([visit.shows, visit.states]).toEqual([[[1, 2], 0, 0], ["open", "open"]]);
});

test("accepted to be edited, or dragged, it is selected; what was dragged goes with the one request", async () => {
  const visit = new Visit();
  visit.story.key("B");
  visit.pick(1).press("Shift+Y");
  expect([visit.story.path, visit.story.selected]).toEqual(["select.idle", [visit.last]]);
  visit.press("Mod+Z");
  await visit.saved();
  visit.server.log.length = 0;
  visit.drag();
  expect(visit.story.selected).toEqual([visit.last]);
  await visit.saved();
  expect(visit.server.log).toEqual(['POST /api/predictions/1/accept {"bbox":[1,2,39,58]}']);
  expect(visit.server.all()).toMatchObject([{ bbox: [1, 2, 39, 58], score: 0.5 }]);
  visit.press("Mod+Z");
  expect(visit.editor.predictions.selected?.shape.bbox).toEqual(BOX);
  visit.press("Mod+Y");
  await visit.saved();
  expect(visit.server.all()).toMatchObject([{ bbox: [1, 2, 39, 58] }]);
});

test("without a connection decisions wait like edits, also over a closed tab", async () => {
  const shelf = new Map<string, PendingEntry>();
  const visit = new Visit(new Server(), shelf);
  visit.find(3, 4);
  visit.list();
  await visit.cut().pick(1).drag().quiet();
  visit.pick(2).press("N").pick(3).press("Y").pick(4).press("N", "Mod+Z");
  await visit.quiet();
  expect([visit.shows, visit.queue.status, visit.states[0]]).toEqual([[[4], 2, 3], "offline", "open"]);
  expect(shelf.size).toBe(3);

  visit.server.faults = [];
  const next = new Visit(visit.server, shelf);
  expect(next.shows).toEqual([[4], 2, 3]);
  await next.saved();
  expect([next.shows, next.states]).toEqual([[[4], 2, 0], ["accepted", "rejected", "accepted", "open"]]);
  expect(next.server.all()).toMatchObject([{ bbox: [1, 2, 39, 58] }, { bbox: [...BOX] }]);
  expect(shelf.size).toBe(0);
});

test("an undone decision waits, too, and the answer that got lost makes no twin", async () => {
  const shelf = new Map<string, PendingEntry>();
  const visit = new Visit(new Server(), shelf);
  visit.pick(1).press("Y").pick(2).press("N");
  await visit.saved();
  visit.server.log.length = 0;
  await visit.cut().press("Mod+Z", "Mod+Z").quiet();
  expect([visit.shows, visit.queue.status]).toEqual([[[1, 2], 0, 2], "offline"]);
  visit.server.faults = [];
  const next = new Visit(visit.server, shelf);
  expect(next.shows).toEqual([[1, 2], 0, 2]);
  await next.saved();
  expect([next.shows, next.states, next.server.all()]).toEqual([[[1, 2], 0, 0], ["open", "open"], []]);

  next.server.faults = ["cut-after"];
  next.pick(1).drag();
  await next.quiet();
  expect([next.states[0], next.queue.status]).toEqual(["accepted", "offline"]);
  const last = new Visit(next.server, shelf);
  await last.saved();
  expect([last.shows, last.server.all().length, last.queue.conflicts]).toEqual([[[2], 1, 0], 1, []]);
  expect(last.story.annotations[0]?.bbox).toEqual([1, 2, 39, 58]);
});

test("what somebody accepted a moment before takes the dragged shape as a change, and undo leaves it theirs", async () => {
  const visit = new Visit();
  visit.server.decide(1, "accept", {}, ADA);
  visit.pick(1).drag();
  await visit.saved();
  expect(visit.editor.notice).toContain("Somebody else accepted this prediction first. What you changed");
  expect([visit.shows, visit.server.all().length]).toEqual([[[2], 1, 0], 1]);
  expect(visit.server.now(1)).toMatchObject({ bbox: [1, 2, 39, 58], version: 2, created_by: ADA });
  expect(visit.editor.history.undoLabel).toBeNull();

  visit.server.decide(2, "accept", {}, ADA);
  visit.pick(2).press("Y");
  await visit.saved();
  expect(visit.editor.notice).toBe("Somebody else accepted this prediction first.");
  expect([visit.shows, visit.editor.history.undoLabel]).toEqual([[[], 2, 0], null]);
  expect(visit.server.now(2)).toMatchObject({ version: 1 });
});

test("what somebody accepted with another shape is a choice between the two", async () => {
  const visit = new Visit();
  visit.server.decide(1, "accept", { bbox: [0, 0, 9, 9] }, ADA);
  await visit.pick(1).drag().quiet();
  const key = visit.last;
  expect([visit.queue.status, visit.queue.conflicts]).toEqual(["conflict", [key]]);
  expect(visit.queue.trouble(key)).toMatchObject({ theirs: { annotation: { bbox: [0, 0, 9, 9] } } });
  expect(visit.editor.document.get(key)?.bbox).toEqual([1, 2, 39, 58]);
  visit.queue.resolve(key, "mine");
  await visit.saved();
  expect(visit.server.now(1)).toMatchObject({ bbox: [1, 2, 39, 58], version: 2 });
});

test("taken back while somebody else accepts it, theirs stays", async () => {
  const visit = new Visit();
  visit.server.decide(1, "accept", {}, ADA);
  visit.pick(1).press("Y");
  visit.press("Mod+Z");
  await visit.saved();
  expect([visit.shows, visit.states[0], visit.server.now(1)?.version]).toEqual([[[2], 1, 0], "accepted", 1]);
});

test("what somebody accepted and deleted is a choice, and a prediction that is gone leaves what was made of it", async () => {
  const visit = new Visit();
  visit.server.decide(1, "accept", {}, ADA);
  await visit.server.transport({ method: "DELETE", path: "/api/annotations/1", version: 1 });
  await visit.pick(1).drag().quiet();
  const key = visit.last;
  expect([visit.queue.conflicts, visit.queue.trouble(key)]).toEqual([[key], { kind: "conflict", theirs: null }]);
  visit.queue.resolve(key, "mine");
  await visit.saved();
  expect(visit.server.all()).toMatchObject([{ id: 2, bbox: [1, 2, 39, 58] }]);

  visit.server.predictions.delete(2);
  visit.pick(2).press("Y");
  await visit.saved();
  expect(visit.editor.notice).toContain("not there any more");
  expect([visit.shows, visit.server.now(3)]).toMatchObject([[[], 2, 0], { bbox: [...BOX], score: 0.5 }]);
  visit.press("Mod+Z");
  await visit.saved();
  expect([visit.shows, visit.server.now(3)]).toEqual([[[], 1, 0], null]);
  visit.press("Mod+Y");
  await visit.saved();
  expect([visit.shows, visit.server.now(3)?.bbox]).toEqual([[[], 2, 0], [...BOX]]);
});

test("a rejection comes too late for what somebody accepted, and for what is gone", async () => {
  const visit = new Visit();
  visit.server.decide(1, "accept", {}, ADA);
  visit.server.predictions.delete(2);
  visit.pick(1).press("N");
  await visit.saved();
  expect(visit.editor.notice).toContain("Somebody else has accepted");
  visit.press("N");
  await visit.saved();
  expect(visit.editor.notice).toContain("not there any more");
  expect([visit.shows, visit.editor.history.undoLabel]).toEqual([[[], 0, 0], null]);
});

test("what is wrong with an accepted one is shown and can be mended; a refused rejection is open again", async () => {
  const visit = new Visit();
  visit.server.faults = [{ status: 409, body: { code: "category_deleted", detail: "Its category was deleted." } }];
  await visit.pick(1).press("Y").quiet();
  expect([visit.queue.status, [...visit.queue.refused.values()]]).toEqual(["refused", ["Its category was deleted."]]);
  visit.editor.edit("Change category", [visit.last], (old) => ({ ...old, category_id: 8 }));
  await visit.saved();
  expect(visit.server.log).toEqual(['POST /api/predictions/1/accept {"category_id":8}']);
  // Deleted before the server has it, it is rejected.
  visit.server.faults = [{ status: 422, body: { code: "invalid", detail: "No." } }];
  await visit.pick(2).press("Y").quiet();
  visit.editor.remove([visit.last]);
  await visit.saved();
  expect(visit.states).toEqual(["accepted", "rejected"]);
  visit.press("Mod+Z");
  await visit.saved();
  expect(visit.states).toEqual(["accepted", "accepted"]);

  visit.find(3);
  visit.list();
  visit.server.faults = [{ status: 403, body: { code: "forbidden", detail: "Not yours." } }];
  visit.pick(3).press("N");
  await visit.saved();
  expect([visit.shows, visit.editor.notice]).toEqual([[[3], 2, 0], "The prediction stays open. Not yours."]);
});

test("one that others opened again is open here, and what was made of it is gone", async () => {
  const visit = new Visit();
  visit.pick(1).press("Y");
  await visit.saved();
  visit.server.decide(1, "reopen", {}, ADA);
  visit.list();
  expect(visit.shows).toEqual([[1, 2], 0, 0]);
  visit.pick(1).press("Y");
  await visit.saved();
  expect([visit.shows, visit.server.all().length, visit.states[0]]).toEqual([[[2], 1, 0], 1, "accepted"]);
});

test("undo of what somebody else changed since asks which of the two stays", async () => {
  const visit = new Visit();
  visit.pick(1).press("Y");
  await visit.saved();
  const key = visit.last;
  visit.server.change(1, { iscrowd: 1 });
  await visit.press("Mod+Z").quiet();
  expect(visit.queue.conflicts).toEqual([key]);
  visit.queue.resolve(key, "theirs");
  await visit.saved();
  expect([visit.shows, visit.states[0]]).toEqual([[[2], 1, 0], "accepted"]);
});

test("attributes that are changed before the server hears go with the one request", async () => {
  const visit = new Visit();
  const attributes = { track: 7, side: "left", worn: 0 };
  visit.server.predictions.set(1, { fields: { category_id: PERSON.id, bbox: [...BOX], attributes }, state: "open" });
  visit.editor.predictions.load([found(2), { ...found(1), shape: { ...found(1).shape, attributes } }]);
  await visit.cut().pick(2).press("N").quiet();
  visit.pick(1).press("Y");
  visit.editor.edit("Change attribute", [visit.last], (old) => ({ ...old, attributes: { track: 7, side: null, color: "red" } }));
  await visit.reconnect();
  expect(visit.server.log.filter((line) => line.includes("/1"))).toEqual([
    'POST /api/predictions/1/accept {"attributes_patch":{"color":"red","worn":null},"attributes_null":["side"]}',
  ]);
  expect(visit.server.all()).toEqual([expect.objectContaining({ attributes: { track: 7, color: "red", side: null } })]);
  expect(visit.queue.status).toBe("saved");
});

test("undo of what somebody else is known to have changed since asks, too, and asks again after a closed tab", async () => {
  const shelf = new Map<string, PendingEntry>();
  const visit = new Visit(new Server(), shelf);
  visit.pick(1).press("Y").pick(2).press("Y");
  await visit.saved();
  const key = visit.queue.keyOf(1)!;
  visit.server.change(1, { iscrowd: 1 });
  visit.queue.takeOver(new Map([[1, read(visit.server.now(1)!)]]));
  await visit.press("Mod+Z", "Mod+Z").quiet();
  expect([visit.queue.conflicts, visit.states]).toEqual([[key], ["accepted", "open"]]);
  expect(visit.queue.trouble(key)).toMatchObject({ theirs: { annotation: { iscrowd: 1 } } });

  const next = new Visit(visit.server, shelf);
  await next.quiet();
  expect([next.queue.conflicts.length, next.server.now(1)?.iscrowd]).toEqual([1, 1]);
  next.queue.resolve(next.queue.conflicts[0]!, "theirs");
  await next.saved();
  expect([next.shows, next.states[0], next.server.now(1)?.version]).toEqual([[[2], 1, 0], "accepted", 2]);

  // Whoever says so takes it back all the same.
  visit.queue.resolve(key, "mine");
  await visit.saved();
  expect([visit.states[0], visit.server.now(1)]).toEqual(["open", null]);
});

test("taken back after a lost answer, what somebody else has changed since stays, and the person is told", async () => {
  const visit = new Visit();
  visit.server.faults = ["cut-after"];
  await visit.pick(1).press("Y").quiet();
  visit.server.change(1, { iscrowd: 1 });
  visit.press("Mod+Z");
  await visit.reconnect();
  expect([visit.shows, visit.states[0], visit.server.now(1)?.version]).toEqual([[[2], 1, 0], "accepted", 2]);
  expect(visit.editor.notice).toBe("Somebody else has changed meanwhile what you accepted: it stays.");
  expect(visit.editor.history.redoLabel).toBeNull();
});

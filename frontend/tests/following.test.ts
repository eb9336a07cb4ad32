import { expect, test } from "vitest";

import type { LiveAnnotation } from "../src/api/live";
import { SaveQueue } from "../src/api/save-queue";
import { read } from "../src/api/wire";
import type { Editor } from "../src/editor/editor";
import { Following } from "../src/following";
import { keyOfId } from "../src/model/records";
import { arrives } from "./arrives";
import { FakeSource } from "./api/source";
import { Server } from "./api/server";
import { CUP, PERSON, Story } from "./story";

const ME = 1;
const ADA = 2;
const SQUARE = [[10, 10, 40, 10, 40, 40, 10, 40]];
const MOVED = [[12, 12, 40, 10, 40, 40, 10, 40]];

/** An editor that follows an image with two squares, and the server that others change. */
class Visit {
  readonly server = new Server();
  readonly story = new Story();
  readonly editor: Editor = this.story.editor;
  readonly queue: SaveQueue;
  readonly following: Following;
  refreshed = 0;
  /** The server does not answer. */
  away = false;
  /** What is put off. */
  readonly later: (() => void)[] = [];
  reloaded = 0;
  source: FakeSource | null = null;
  #revision = 0;

  constructor() {
    this.server.add({ category_id: PERSON.id, segmentation: SQUARE });
    this.server.add({ category_id: CUP.id, segmentation: [[100, 10, 140, 10, 140, 40]] });
    const { editor } = this;
    const { transport } = this.server;
    this.queue = new SaveQueue({
      document: editor.document,
      predictions: editor.predictions,
      imageId: 5,
      userId: ME,
      transport,
      store: { put: () => Promise.resolve(), remove: () => Promise.resolve(), list: () => Promise.resolve([]), adopt: () => Promise.resolve() },
      held: () => editor.history.open,
      overruled: () => undefined,
      overtaken: () => undefined,
      inHand: () => false,
      later: (run) => this.later.push(run),
    });
    this.queue.load(this.server.all().map(read));
    editor.signal.on(["settled"], () => this.queue.pump());
    this.following = new Following({
      editor,
      queue: this.queue,
      transport,
      userId: ME,
      image: (image) => (editor.image = image),
      role: () => undefined,
      refresh: () => {
        this.refreshed += 1;
        if (this.away) return Promise.resolve(false);
        const all = this.server.all().map(read);
        return Promise.resolve(this.queue.catchUp(all, this.queue.versions(), (key) => editor.holds(key)));
      },
      reloadPredictions: () => {
        this.reloaded += 1;
        return Promise.resolve();
      },
      categories: () => undefined,
      people: () => undefined,
      ended: () => undefined,
      open: (url) => (this.source = new FakeSource(url)),
      later: (run) => this.later.push(run),
    });
    this.following.start();
  }

  state(fields: object = {}): void {
    const people = [{ id: ME, name: "Me", color: "#000000" }, { id: ADA, name: "Ada", color: "#ffffff" }];
    const { image } = this.editor;
    const usual = { image, missed: false, role: "annotator", categories: "", open_predictions: "0-0", people };
    this.source!.say("state", { ...usual, ...fields }, String(this.#revision));
  }

  /** Ada, or somebody else, does something, and we are told. */
  told(id: number, change: LiveAnnotation["change"], by = ADA): void {
    const row = this.server.rows.get(id)!;
    this.#revision += 1;
    const event = { id, version: row.version, change, by, revision: this.#revision };
    this.source!.say("annotation", event, String(this.#revision));
  }

  adaMoves(): void {
    this.server.change(1, { segmentation: MOVED });
    this.told(1, "changed");
  }

  adaDeletes(id: number): void {
    this.server.change(id, {});
    this.server.rows.get(id)!.deleted = true;
    this.told(id, "deleted");
  }

  ring(id = 1): unknown {
    return this.editor.document.get(keyOfId(id))?.segmentation;
  }
}

test("what another person changes, makes and deletes appears, and undo knows nothing of it", async () => {
  const visit = new Visit();
  visit.state();
  expect(visit.following.others.map(({ name }) => name)).toEqual(["Ada"]);
  visit.adaMoves();
  await arrives(() => expect(visit.ring()).toEqual(MOVED));
  visit.server.add({ category_id: PERSON.id });
  visit.told(3, "created");
  await arrives(() => expect(visit.story.annotations).toHaveLength(3));
  visit.adaDeletes(2);
  await arrives(() => expect(visit.story.annotations).toHaveLength(2));
  expect(visit.editor.notice).toBe("Ada deleted “cup”.");
  expect(visit.editor.history.undoLabel).toBeNull();
  expect(visit.queue.unsaved).toBe(0);
});

test("our own saves are not asked for again", async () => {
  const visit = new Visit();
  visit.state();
  visit.story.key("V").click(20, 20).drag([20, 20], [25, 25]);
  await visit.queue.settled();
  const asked = visit.server.log.length;
  visit.told(1, "changed", ME);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(visit.server.log).toHaveLength(asked);
});

test("an annotation of our own that the server tells of before it answers is not shown twice", async () => {
  const visit = new Visit();
  visit.state();
  visit.story.key("B").drag([60, 60], [80, 80]);
  // The request is on its way: the server has it, and we do not know its id yet.
  const event = { id: 3, version: 1, change: "created", by: ME, revision: 1 };
  visit.source!.say("annotation", event, "1");
  await visit.queue.settled();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(visit.story.annotations).toHaveLength(3);
});

test("nor is one whose answer was lost, when somebody changes it before we hear its id", async () => {
  const visit = new Visit();
  visit.state();
  const { story, queue, server } = visit;
  server.faults = ["cut-after"];
  story.key("B").drag([60, 60], [80, 80]);
  await server.rests();
  server.change(3, { iscrowd: 1 });
  visit.told(3, "changed");
  await arrives(() => expect(server.log.at(-1)).toContain("GET /api/annotations/3"));
  await server.rests();
  expect([story.annotations.length, queue.status]).toEqual([3, "offline"]);
  queue.retry();
  await queue.settled();
  await server.rests();
  expect(story.annotations.map(({ iscrowd }) => iscrowd)).toEqual([0, 0, 1]);
  const asked = server.log.length;
  visit.told(3, "changed");
  await server.rests();
  expect(server.log.slice(asked), "taken over with the answer").toEqual([]);
});

test("what is told late of an annotation that was deleted here is not asked for", async () => {
  const visit = new Visit();
  visit.state();
  const { story, queue, server } = visit;
  story.key("B").drag([60, 60], [80, 80]);
  await queue.settled();
  story.key("V").click(60, 70).key("Delete");
  await queue.settled();
  const made = { id: 3, version: 1, change: "created", by: ME, revision: 1 };
  visit.source!.say("annotation", made, "1");
  await server.rests();
  story.key("Mod+Z");
  await queue.settled();
  story.key("Mod+Y");
  await queue.settled();
  visit.source!.say("annotation", { ...made, version: 3, change: "changed", revision: 3 }, "3");
  await server.rests();
  expect(server.log.map((line) => line.split(" ")[0])).toEqual(["POST", "DELETE", "POST", "DELETE"]);
  // What is brought back by somebody else comes.
  server.rows.get(3)!.deleted = false;
  server.change(3, {});
  visit.told(3, "changed");
  await arrives(() => expect(story.annotations).toHaveLength(3));
});

test("the gesture in hand is left alone; what both changed becomes a conflict", async () => {
  const visit = new Visit();
  visit.state();
  const { story } = visit;
  story.key("V").click(20, 20).press(20, 20).move(30, 30);
  const shown = visit.ring();
  visit.adaMoves();
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(visit.ring(), "still in hand").toEqual(shown);
  story.release(30, 30);
  await arrives(() => expect(visit.queue.conflicts).toEqual([keyOfId(1)]));
  // Ada goes on: the choice is about what she has by now.
  visit.server.change(1, { iscrowd: 1 });
  visit.told(1, "changed");
  await arrives(() => {
    const trouble = visit.queue.trouble(keyOfId(1));
    expect(trouble?.kind === "conflict" && trouble.theirs?.facts.version).toBe(3);
  });
});

test("a press that has changed nothing yet holds only what is selected", async () => {
  const visit = new Visit();
  visit.state();
  const { story } = visit;
  story.key("V").click(20, 20).press(20, 20);
  visit.adaMoves();
  visit.server.change(2, { iscrowd: 1 });
  visit.told(2, "changed");
  await arrives(() => expect(visit.editor.document.get(keyOfId(2))?.iscrowd).toBe(1));
  expect(visit.ring()).toEqual(SQUARE);
  story.release();
  await arrives(() => expect(visit.ring()).toEqual(MOVED));
});

test("what was missed is looked at as a whole, once the hand is free", async () => {
  const visit = new Visit();
  visit.story.key("P").click(60, 60);
  visit.server.change(1, { segmentation: MOVED });
  visit.state({ missed: true });
  expect(visit.refreshed).toBe(0);
  visit.story.key("Escape");
  await arrives(() => expect(visit.ring()).toEqual(MOVED));
  expect(visit.refreshed).toBe(1);
});

test("what was missed is asked for until it comes, though nobody tells of it again", async () => {
  const visit = new Visit();
  visit.away = true;
  visit.server.change(1, { segmentation: MOVED });
  visit.state({ missed: true });
  await arrives(() => expect(visit.later).toHaveLength(1));
  visit.state({ missed: false });
  await arrives(() => expect(visit.refreshed).toBe(2));
  await new Promise((resolve) => setTimeout(resolve));
  expect(visit.later, "one pause at a time").toHaveLength(1);
  visit.away = false;
  visit.later.shift()!();
  await arrives(() => expect(visit.ring()).toEqual(MOVED));

  // The same for one annotation.
  visit.server.faults = [{ status: 503 }];
  visit.server.change(1, { segmentation: SQUARE });
  visit.told(1, "changed");
  await arrives(() => expect(visit.later).toHaveLength(1));
  expect(visit.ring()).toEqual(MOVED);
  visit.later.shift()!();
  await arrives(() => expect(visit.ring()).toEqual(SQUARE));

  // An image that has left asks for nothing; when it is back it does.
  visit.away = true;
  visit.following.lookAgain();
  visit.following.stop();
  visit.away = false;
  visit.server.change(1, { segmentation: MOVED });
  const asked = visit.refreshed;
  visit.later.shift()!();
  expect(visit.refreshed).toBe(asked);
  visit.following.start();
  await arrives(() => expect(visit.ring()).toEqual(MOVED));
});

test("very many changes are read as one list", async () => {
  const visit = new Visit();
  visit.state();
  for (let id = 3; id < 40; id++) visit.server.add({ category_id: PERSON.id });
  visit.story.key("V").click(20, 20).press(20, 20).move(30, 30);
  for (let id = 3; id < 40; id++) visit.told(id, "created");
  visit.story.release(30, 30);
  await arrives(() => expect(visit.story.annotations).toHaveLength(39));
  expect(visit.refreshed).toBe(1);
});

test("predictions are asked for again only when others decided about them", () => {
  const visit = new Visit();
  visit.state();
  expect(visit.reloaded).toBe(0);
  visit.state({ open_predictions: "1-7" });
  expect(visit.reloaded).toBe(1);
});

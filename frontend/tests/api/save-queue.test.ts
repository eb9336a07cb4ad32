import { expect, test } from "vitest";

import type { PendingEntry, PendingPlace, PendingStore } from "../../src/api/pending-store";
import { SaveQueue } from "../../src/api/save-queue";
import { read } from "../../src/api/wire";
import { AnnotationDocument } from "../../src/model/document";
import { History } from "../../src/model/history";
import { Predictions } from "../../src/model/predictions";
import {
  EMPTY_ANNOTATION,
  keyOfId,
  newCopyKey,
  newKey,
  type Annotation,
  type AnnotationKey,
} from "../../src/model/records";
import { Server } from "./server";

class Shelf implements PendingStore {
  readonly entries = new Map<string, PendingEntry>();
  put(entry: PendingEntry): Promise<void> {
    this.entries.set(entry.key, structuredClone(entry));
    return Promise.resolve();
  }
  remove({ key }: PendingPlace): Promise<void> {
    this.entries.delete(key);
    return Promise.resolve();
  }
  list(): Promise<PendingEntry[]> {
    return Promise.resolve([...this.entries.values()]);
  }
  adopt(): Promise<void> {
    return Promise.resolve();
  }
}

/** One visit to the page: its own document and queue, a shared server and shelf. */
class Visit {
  readonly document = new AnnotationDocument();
  readonly predictions = new Predictions(() => undefined);
  readonly history = new History(this.document, this.predictions);
  readonly queue: SaveQueue;
  readonly retries: (() => void)[] = [];
  held = false;

  constructor(
    readonly server = new Server(),
    readonly shelf = new Shelf(),
  ) {
    this.queue = new SaveQueue({
      document: this.document,
      predictions: this.predictions,
      imageId: 5,
      userId: 1,
      transport: server.transport,
      store: shelf,
      held: () => this.held,
      overruled: () => undefined,
      overtaken: () => undefined,
      inHand: () => false,
      later: (run) => this.retries.push(run),
    });
    this.queue.load(server.all().map(read));
    this.queue.recover([...shelf.entries.values()]);
  }

  edit(key: AnnotationKey, change: Partial<Annotation> | null, pump = true): this {
    this.history.mark("Edit");
    const before = this.document.get(key) ?? { ...EMPTY_ANNOTATION, category_id: 1 };
    this.document.apply(new Map([[key, change && { ...before, ...change }]]), "local");
    this.history.commit();
    if (pump) this.queue.pump();
    return this;
  }

  undo(): this {
    this.history.undo();
    this.queue.pump();
    return this;
  }

  get statuses(): [string, number] {
    return [this.queue.status, this.queue.unsaved];
  }
}

const RING = [0, 0, 10, 0, 10, 10.5];

function opened(): { visit: Visit; server: Server; key: AnnotationKey } {
  const server = new Server();
  server.add({ segmentation: [RING], category_id: 1, bbox: [0, 0, 10, 10.5], area: 52.5 });
  return { visit: new Visit(server), server, key: keyOfId(1) };
}

test("a box that was named near the extent is read the same way afterwards: no conflict, no lost frame", async () => {
  const { visit, server, key } = opened();
  const own = [0.25, 0, 10, 10.5];
  visit.edit(key, { bbox: own as never });
  await visit.queue.settled();
  // Somebody writes to the row, and nothing but its version differs afterwards.
  server.change(1, {});
  visit.edit(key, { category_id: 2 });
  await visit.queue.settled();
  expect(visit.queue.conflicts).toEqual([]);
  expect(server.now(1)).toMatchObject({ category_id: 2, bbox: own });
  // So it is when what others did is taken over.
  server.change(1, { iscrowd: 1 });
  visit.queue.catchUp(server.all().map(read), visit.queue.versions(), () => false);
  expect(visit.document.get(key)).toMatchObject({ iscrowd: 1, bbox: own });
  server.change(1, { iscrowd: 0 });
  visit.queue.takeOver(new Map([[1, read(server.now(1)!)]]));
  expect(visit.document.get(key)).toMatchObject({ iscrowd: 0, bbox: own });
  // A box that others made follow is not theirs any more.
  server.change(1, { bbox: [0, 0, 10, 10.5] });
  visit.queue.takeOver(new Map([[1, read(server.now(1)!)]]));
  expect(visit.document.get(key)?.bbox).toBeNull();
});

test("a box beside a segmentation becomes its own when it is named, and undo brings the version back", async () => {
  const { visit, server, key } = opened();
  visit.edit(key, { bbox: [0.25, 0, 10, 10.5] });
  await visit.queue.settled();
  expect(server.log).toEqual(['PATCH /api/annotations/1 v1 {"bbox":[0.25,0,10,10.5]}']);
  // However near to the extent it lies, it is what the person has set.
  expect(visit.document.get(key)?.bbox).toEqual([0.25, 0, 10, 10.5]);
  visit.undo();
  await visit.queue.settled();
  expect(server.log[1]).toBe('POST /api/annotations/1/restore v2 {"version":1}');
  visit.history.redo();
  visit.queue.pump();
  await visit.queue.settled();
  expect(visit.document.get(key)?.bbox).toEqual([0.25, 0, 10, 10.5]);
  visit.edit(key, { segmentation: [[0, 0, 20, 0, 20, 20]], bbox: null });
  await visit.queue.settled();
  expect(server.log.at(-1)).toContain('{"segmentation":[[0,0,20,0,20,20]],"bbox":null}');
  expect(visit.document.get(key)?.bbox).toBeNull();
});

test("opening an image sends nothing", async () => {
  const { visit, server } = opened();
  visit.queue.pump();
  await visit.queue.settled();
  expect(server.log).toEqual([]);
  expect(visit.statuses).toEqual(["saved", 0]);
});

test("a new annotation is created with what it has, and learns its id", async () => {
  const visit = new Visit();
  const key = newKey();
  visit.edit(key, { bbox: [1, 2, 3, 4] });
  expect(visit.statuses).toEqual(["saving", 1]);
  await visit.queue.settled();
  expect(visit.server.log).toEqual([
    `POST /api/images/5/annotations {"category_id":1,"bbox":[1,2,3,4],"iscrowd":0,"client_key":"${key}"}`,
  ]);
  expect(visit.document.facts(key)).toMatchObject({ id: 1, version: 1 });
  expect(visit.statuses).toEqual(["saved", 0]);
});

test("only changed fields are sent, with the version", async () => {
  const { visit, server, key } = opened();
  visit.edit(key, { category_id: 2 });
  await visit.queue.settled();
  expect(server.log).toEqual(['PATCH /api/annotations/1 v1 {"category_id":2}']);
  visit.edit(key, { iscrowd: 1 });
  await visit.queue.settled();
  expect(server.log[1]).toBe('PATCH /api/annotations/1 v2 {"iscrowd":1}');
});

test("rings and holes go together", async () => {
  const { visit, server, key } = opened();
  visit.edit(key, { holes: [[1, 1, 2, 1, 2, 2]] });
  await visit.queue.settled();
  expect(server.log[0]).toContain(`"segmentation":[[${RING}]]`);
});

test("what changes during a request is sent as one more request", async () => {
  const { visit, server, key } = opened();
  visit.edit(key, { category_id: 2 }).edit(key, { category_id: 3 }).edit(key, { category_id: 4 });
  await visit.queue.settled();
  expect(server.log).toEqual([
    'PATCH /api/annotations/1 v1 {"category_id":2}',
    'PATCH /api/annotations/1 v2 {"category_id":4}',
  ]);
});

test("a shape reshaped before its creation was answered is created once, then changed", async () => {
  const visit = new Visit();
  const key = newKey();
  visit.edit(key, { bbox: [1, 2, 3, 4] }).edit(key, { bbox: [1, 2, 9, 9] });
  await visit.queue.settled();
  expect(visit.server.all()).toMatchObject([{ id: 1, bbox: [1, 2, 9, 9] }]);
});

test("nothing is sent during a gesture", async () => {
  const { visit, server, key } = opened();
  visit.held = true;
  visit.edit(key, { category_id: 2 });
  await server.rests();
  expect(server.log).toEqual([]);
  visit.held = false;
  visit.queue.pump();
  await visit.queue.settled();
  expect(server.log).toHaveLength(1);
});

test("undo over saves restores the very version, not its fields", async () => {
  const { visit, server, key } = opened();
  visit.edit(key, { segmentation: [[0, 0, 99, 0, 10, 10]] });
  await visit.queue.settled();
  visit.undo();
  await visit.queue.settled();
  expect(server.log[1]).toBe('POST /api/annotations/1/restore v2 {"version":1}');
  expect(server.now(1)).toMatchObject({ segmentation: [RING], version: 3 });
  visit.history.redo();
  visit.queue.pump();
  await visit.queue.settled();
  expect(server.log[2]).toBe('POST /api/annotations/1/restore v3 {"version":2}');
});

test("a version of the history that is brought back is restored, and undone", async () => {
  const { visit, server, key } = opened();
  visit.edit(key, { category_id: 2 });
  await visit.queue.settled();
  const earlier = { ...visit.document.get(key)!, category_id: 1 };
  visit.queue.knowVersion(key, earlier, 1);
  visit.history.mark("Restore");
  visit.document.apply(new Map([[key, earlier]]), "local");
  visit.history.commit();
  visit.queue.pump();
  await visit.queue.settled();
  expect(server.log[1]).toBe('POST /api/annotations/1/restore v2 {"version":1}');
  visit.undo();
  await visit.queue.settled();
  expect(server.log[2]).toBe('POST /api/annotations/1/restore v3 {"version":2}');
});

test("an undone deletion is restored", async () => {
  const { visit, server, key } = opened();
  visit.edit(key, null);
  await visit.queue.settled();
  expect(server.now(1)).toBeNull();
  visit.undo();
  await visit.queue.settled();
  expect(server.log).toEqual([
    "DELETE /api/annotations/1 v1 null",
    'POST /api/annotations/1/restore v2 {"version":1}',
  ]);
  expect(visit.document.facts(key)?.version).toBe(3);
});

test("an undone creation deletes, and redone restores under the same id", async () => {
  const visit = new Visit();
  const key = newKey();
  visit.edit(key, { bbox: [1, 2, 3, 4] });
  await visit.queue.settled();
  visit.undo();
  await visit.queue.settled();
  expect(visit.server.all()).toEqual([]);
  visit.history.redo();
  visit.queue.pump();
  await visit.queue.settled();
  expect(visit.server.all()).toMatchObject([{ id: 1, bbox: [1, 2, 3, 4] }]);
});

test("a change that was undone before it could be sent is not sent", async () => {
  const { visit, server, key } = opened();
  visit.held = true;
  visit.edit(key, { category_id: 2 }).undo();
  visit.held = false;
  visit.queue.pump();
  await visit.queue.settled();
  expect(server.log).toEqual([]);
});

test("a lost connection: everything waits, says so, and goes when it is back", async () => {
  const { visit, server, key } = opened();
  server.faults = ["cut-before", "cut-before"];
  visit.edit(key, { category_id: 2 }).edit(newKey(), { bbox: [1, 1, 2, 2] });
  await server.rests();
  expect(visit.statuses).toEqual(["offline", 2]);
  expect(visit.shelf.entries.size).toBe(2);
  visit.queue.retry();
  await visit.queue.settled();
  expect(server.all()).toMatchObject([{ category_id: 2 }, { bbox: [1, 1, 2, 2] }]);
  expect(visit.shelf.entries.size).toBe(0);
});

test.each([503, 429, 408])("it tries again by itself after %s", async (status) => {
  const { visit, server, key } = opened();
  server.faults = [{ status }];
  visit.edit(key, { category_id: 2 });
  await server.rests();
  expect(visit.retries).toHaveLength(1);
  visit.retries[0]!();
  await visit.queue.settled();
  expect(server.now(1)?.category_id).toBe(2);
});

test.each([
  ["create", newKey(), { bbox: [1, 2, 3, 4] }, [{ version: 1 }, { bbox: [1, 2, 3, 4], version: 1 }]],
  ["change", keyOfId(1), { category_id: 2 }, [{ category_id: 2, version: 2 }]],
  ["delete", keyOfId(1), null, []],
] as const)("a %s whose answer got lost is not done twice", async (_, key, change, expected) => {
  const { visit, server } = opened();
  server.faults = ["cut-after"];
  visit.edit(key, change as Partial<Annotation> | null);
  await server.rests();
  visit.queue.retry();
  await visit.queue.settled();
  expect(visit.statuses).toEqual(["saved", 0]);
  expect(server.all()).toMatchObject([...expected]);
});

test("a creation that was taken back while its answer was lost leaves nothing", async () => {
  const visit = new Visit();
  const key = newKey();
  visit.server.faults = ["cut-after"];
  visit.edit(key, { bbox: [1, 2, 3, 4] });
  await visit.server.rests();
  visit.undo();
  visit.queue.retry();
  await visit.queue.settled();
  expect(visit.server.all()).toEqual([]);
});

test("a closed tab: the next visit saves what was waiting", async () => {
  const { visit, server, key } = opened();
  server.faults = Array.from({ length: 3 }, () => "cut-before" as const);
  visit.edit(key, { category_id: 2 }).edit(newKey(), { bbox: [1, 1, 2, 2] });
  await server.rests();
  const next = new Visit(server, visit.shelf);
  server.faults = [];
  next.queue.retry();
  await next.queue.settled();
  expect(server.all()).toMatchObject([{ category_id: 2 }, { bbox: [1, 1, 2, 2] }]);
  expect(visit.shelf.entries.size).toBe(0);
});

test("a closed tab whose creation had arrived makes no twin", async () => {
  const visit = new Visit();
  visit.server.faults = ["cut-after"];
  visit.edit(newKey(), { bbox: [1, 1, 2, 2] });
  await visit.server.rests();
  const next = new Visit(visit.server, visit.shelf);
  await next.queue.settled();
  expect(visit.server.all()).toHaveLength(1);
  expect([...next.document.entries()]).toHaveLength(1);
});

test("a closed tab that had saved a part is no conflict with itself", async () => {
  const { visit, server, key } = opened();
  visit.edit(key, { category_id: 2 }).edit(key, { iscrowd: 1 });
  server.faults = ["ok", "cut-before"];
  await server.rests();
  expect(server.now(1)).toMatchObject({ category_id: 2, iscrowd: 0, version: 2 });
  const next = new Visit(server, visit.shelf);
  await next.queue.settled();
  expect(server.now(1)).toMatchObject({ category_id: 2, iscrowd: 1, version: 3 });
});

test("a closed tab and someone else's change meanwhile: a conflict, nothing lost", async () => {
  const { visit, server, key } = opened();
  server.faults = ["cut-before"];
  visit.edit(key, { category_id: 2 });
  await server.rests();
  server.change(1, { category_id: 9 });
  const next = new Visit(server, visit.shelf);
  expect(next.statuses).toEqual(["conflict", 1]);
  expect(server.now(1)?.category_id).toBe(9);
  next.queue.resolve(key, "mine");
  await next.queue.settled();
  expect(server.now(1)).toMatchObject({ category_id: 2, version: 3 });
});

async function conflicting(): Promise<ReturnType<typeof opened>> {
  const scene = opened();
  scene.server.change(1, { segmentation: [[5, 5, 6, 5, 6, 6]], iscrowd: 1 });
  scene.visit.edit(scene.key, { segmentation: [[0, 0, 99, 0, 10, 10]] });
  await scene.server.rests();
  return scene;
}

test("a stale version overwrites nothing and shows both", async () => {
  const { visit, server, key } = await conflicting();
  expect(visit.statuses).toEqual(["conflict", 1]);
  expect(visit.queue.trouble(key)).toMatchObject({
    kind: "conflict",
    theirs: { annotation: { segmentation: [[5, 5, 6, 5, 6, 6]] }, facts: { version: 2 } },
  });
  expect(visit.document.get(key)?.segmentation).toEqual([[0, 0, 99, 0, 10, 10]]);
  expect(server.now(1)?.version).toBe(2);
});

test("keeping mine keeps what only they changed", async () => {
  const { visit, server, key } = await conflicting();
  visit.queue.resolve(key, "mine");
  await visit.queue.settled();
  expect(server.now(1)).toMatchObject({ segmentation: [[0, 0, 99, 0, 10, 10]], iscrowd: 1, version: 3 });
});

test("keeping only mine takes back what they changed", async () => {
  const { visit, server, key } = await conflicting();
  visit.queue.resolve(key, "only-mine");
  await visit.queue.settled();
  expect(server.now(1)).toMatchObject({ segmentation: [[0, 0, 99, 0, 10, 10]], iscrowd: 0, version: 3 });
});

test("taking theirs sends nothing and shows theirs", async () => {
  const { visit, server, key } = await conflicting();
  const sent = server.log.length;
  visit.queue.resolve(key, "theirs");
  await visit.queue.settled();
  expect(server.log).toHaveLength(sent);
  expect(visit.document.get(key)).toMatchObject({ segmentation: [[5, 5, 6, 5, 6, 6]], iscrowd: 1 });
});

test.each([
  ["mine", 2],
  ["theirs", undefined],
] as const)("deleted by someone else, keeping %s", async (keep, category) => {
  const { visit, server, key } = opened();
  server.rows.get(1)!.deleted = true;
  visit.edit(key, { category_id: 2 });
  await server.rests();
  expect(visit.queue.trouble(key)).toEqual({ kind: "conflict", theirs: null });
  visit.queue.resolve(key, keep);
  await visit.queue.settled();
  expect(server.now(1)?.category_id).toBe(category);
  expect(visit.document.get(key)?.category_id).toBe(category);
});

test("an expired session: everything waits until the person is signed in again", async () => {
  const { visit, server, key } = opened();
  server.faults = [{ status: 401 }];
  visit.edit(key, { category_id: 2 });
  await server.rests();
  visit.edit(key, { category_id: 3 });
  await server.rests();
  expect(visit.statuses).toEqual(["signed-out", 1]);
  expect(server.log).toEqual([]);
  visit.queue.retry();
  await visit.queue.settled();
  expect(server.now(1)?.category_id).toBe(3);
});

test("a refused shape says why, stays, and is sent again when edited", async () => {
  const { visit, server, key } = opened();
  server.faults = [{ status: 422, body: { detail: "Fewer than three points." } }];
  visit.edit(key, { segmentation: [[1, 1, 2, 2]] });
  await server.rests();
  expect(visit.statuses).toEqual(["refused", 1]);
  expect(visit.queue.refused.get(key)).toBe("Fewer than three points.");
  visit.edit(key, { segmentation: [RING], category_id: 4 });
  await visit.queue.settled();
  expect(server.log).toEqual(['PATCH /api/annotations/1 v1 {"category_id":4}']);
});

test("many annotations are saved a few at a time, each one after the other", async () => {
  const visit = new Visit();
  for (let i = 0; i < 20; i++) visit.edit(newKey(), { bbox: [i, 0, 1, 1] });
  await visit.queue.settled();
  expect(visit.server.all()).toHaveLength(20);
  expect(visit.server.mostInFlight).toBeLessThanOrEqual(4);
});

test("what the server decides itself is shown, and undo goes back before it", async () => {
  const { visit, server, key } = opened();
  server.derive = (wire) => ({ ...wire, caption: `${wire.keypoints?.length ?? 0} numbers` });
  visit.edit(key, { keypoints: [5, 5, 2] });
  await visit.queue.settled();
  expect(visit.document.get(key)).toMatchObject({ keypoints: [5, 5, 2], caption: "3 numbers" });
  visit.undo();
  await visit.queue.settled();
  expect(server.now(1)).toMatchObject({ keypoints: null, caption: "0 numbers" });
});

test("a copy is made with the id of its original, also after a closed tab", async () => {
  const { visit, server } = opened();
  server.rows.get(1)!.versions.set(1, { ...server.now(1)!, other_keys: ["dp_I"] });
  server.faults = ["cut-before"];
  const key = newCopyKey(1);
  visit.edit(key, { segmentation: [RING] });
  await server.rests();
  const again = new Visit(server, visit.shelf);
  await again.queue.settled();
  const made = server.all().at(-1)!;
  expect(server.log.at(-1)).toContain('"copy_of":1');
  expect(again.document.facts(key)?.other_keys).toEqual(["dp_I"]);
  expect(made.id).toBe(2);
});

test("a copy whose original is gone is saved without it", async () => {
  const { visit, server } = opened();
  visit.edit(newCopyKey(99), { bbox: [1, 2, 3, 4] });
  await visit.queue.settled();
  expect(server.all()).toHaveLength(2);
  expect(server.log.filter((line) => line.includes("copy_of"))).toHaveLength(1);
  expect(visit.statuses).toEqual(["saved", 0]);
});

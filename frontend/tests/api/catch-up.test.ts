import { expect, test } from "vitest";

import { SaveQueue } from "../../src/api/save-queue";
import { read } from "../../src/api/wire";
import { AnnotationDocument } from "../../src/model/document";
import { Predictions } from "../../src/model/predictions";
import { EMPTY_ANNOTATION, keyOfId, newKey } from "../../src/model/records";
import { Server } from "./server";

const nothing = {
  put: () => Promise.resolve(),
  remove: () => Promise.resolve(),
  list: () => Promise.resolve([]),
  adopt: () => Promise.resolve(),
};

const free = (): boolean => false;

function visit(server: Server) {
  const document = new AnnotationDocument();
  const { transport } = server;
  const predictions = new Predictions(() => undefined);
  const overruled = (): void => undefined;
  const queue = new SaveQueue({ document, predictions, imageId: 5, userId: 1, transport, store: nothing, held: () => false, overruled, overtaken: overruled, inHand: () => false });
  queue.load(server.all().map(read));
  return { document, queue };
}

test("what others changed, made and deleted is taken over, and nothing of it is left to save", () => {
  const server = new Server();
  for (const iscrowd of [0, 0, 0] as const) server.add({ iscrowd });
  const { document, queue } = visit(server);
  const untouched = document.get(keyOfId(3));
  server.change(1, { iscrowd: 1 });
  server.rows.get(2)!.deleted = true;
  server.add({ category_id: 9 });
  queue.catchUp(server.all().map(read), queue.versions(), free);
  expect(document.get(keyOfId(1))?.iscrowd).toBe(1);
  expect(document.get(keyOfId(2))).toBeNull();
  expect(document.get(keyOfId(3)), "the very same object").toBe(untouched);
  expect(document.get(keyOfId(4))?.category_id).toBe(9);
  expect(queue.unsaved).toBe(0);
});

test("what waits to be saved stays, and so does what was saved after the server was asked", async () => {
  const server = new Server();
  server.add({ iscrowd: 0 });
  server.add({ iscrowd: 0 });
  const { document, queue } = visit(server);
  const [before, asked] = [queue.versions(), server.all().map(read)];
  const made = newKey();
  document.apply(new Map([[made, { ...EMPTY_ANNOTATION, category_id: 1 }]]), "local");
  document.apply(new Map([[keyOfId(1), { ...document.get(keyOfId(1))!, iscrowd: 1 }]]), "local");
  queue.pump();
  await queue.settled();
  document.apply(new Map([[keyOfId(2), { ...document.get(keyOfId(2))!, iscrowd: 1 }]]), "local");
  queue.catchUp(asked, before, free);
  expect(document.get(made)).not.toBeNull();
  expect(document.get(keyOfId(1))?.iscrowd).toBe(1);
  expect(document.get(keyOfId(2))?.iscrowd).toBe(1);
  expect(queue.waits(keyOfId(2))).toBe(true);
});

test("an annotation made here is not shown twice", async () => {
  const server = new Server();
  const { document, queue } = visit(server);
  const made = newKey();
  document.apply(new Map([[made, { ...EMPTY_ANNOTATION, category_id: 1 }]]), "local");
  queue.pump();
  await queue.settled();
  server.change(1, { iscrowd: 1 });
  queue.catchUp(server.all().map(read), queue.versions(), free);
  expect([...document.entries()]).toHaveLength(1);
  expect(document.get(made)?.iscrowd).toBe(1);
});

test("an annotation made here that the server listed before it answered is not shown twice", async () => {
  const server = new Server();
  const { document, queue } = visit(server);
  const before = queue.versions();
  const [kept, dropped] = [newKey(), newKey()];
  const state = { ...EMPTY_ANNOTATION, category_id: 1 };
  document.apply(new Map([[kept, state], [dropped, state]]), "local");
  queue.pump();
  await queue.settled();
  const asked = server.all().map(read);
  expect(asked).toHaveLength(2);
  document.apply(new Map([[dropped, null]]), "local");
  queue.pump();
  await queue.settled();
  queue.catchUp(asked, before, free);
  expect([...document.entries()].map(([key]) => key)).toEqual([kept]);
});

test("what is in hand stays, and the answer says that there is more", () => {
  const server = new Server();
  for (const iscrowd of [0, 0, 0] as const) server.add({ iscrowd });
  const { document, queue } = visit(server);
  server.change(1, { iscrowd: 1 });
  server.change(2, { iscrowd: 1 });
  server.rows.get(3)!.deleted = true;
  const inHand = new Set([keyOfId(1), keyOfId(3)]);
  const state = (): unknown[] => [1, 2, 3].map((id) => document.get(keyOfId(id))?.iscrowd);
  expect(queue.catchUp(server.all().map(read), queue.versions(), (key) => inHand.has(key))).toBe(false);
  expect(state()).toEqual([0, 1, 0]);
  expect(document.facts(keyOfId(1))?.version, "saving it tells of the conflict").toBe(1);
  expect(queue.catchUp(server.all().map(read), queue.versions(), free)).toBe(true);
  expect(state()).toEqual([1, 1, undefined]);
});

test("what was deleted and brought back here after the server was asked is there", async () => {
  const server = new Server();
  server.add({ iscrowd: 0 });
  const { document, queue } = visit(server);
  const key = keyOfId(1);
  const before = queue.versions();
  const annotation = document.get(key)!;
  document.apply(new Map([[key, null]]), "local");
  queue.pump();
  await queue.settled();
  const asked = server.all().map(read);
  document.apply(new Map([[key, annotation]]), "local");
  queue.pump();
  await queue.settled();
  queue.catchUp(asked, before, free);
  expect(document.get(key)).not.toBeNull();
  expect(server.now(1)).not.toBeNull();
});

test.each([false, true])("what was deleted here does not come back with an older answer (made here: %s)", async (here) => {
  const server = new Server();
  const { document, queue } = visit(server);
  const key = here ? newKey() : keyOfId(1);
  if (here) {
    document.apply(new Map([[key, { ...EMPTY_ANNOTATION, category_id: 1 }]]), "local");
    queue.pump();
    await queue.settled();
  } else queue.load([read(server.add({ iscrowd: 0 }))]);
  const asked = read(server.now(1)!);
  document.apply(new Map([[key, null]]), "local");
  queue.pump();
  await queue.settled();
  queue.takeOver(new Map([[1, asked]]));
  queue.catchUp([asked], new Map(), free);
  expect([...document.entries()]).toEqual([]);
  // Somebody else brings it back.
  server.rows.get(1)!.deleted = false;
  server.change(1, { iscrowd: 1 });
  queue.takeOver(new Map([[1, read(server.now(1)!)]]));
  expect(document.get(key)?.iscrowd).toBe(1);
});

/** Somebody who is taken out of the dataset gets 404 for everything: that says nothing of what is there. */

import { expect, test } from "vitest";

import type { PendingEntry } from "../../src/api/pending-store";
import { EMPTY_ANNOTATION, newKey } from "../../src/model/records";
import { PERSON } from "../story";
import { ADA, Visit } from "./decision-visit";
import { Server } from "./server";

test("a stranger's changes and decisions wait, in the browser too, and are saved when the dataset is hers again", async () => {
  const server = new Server();
  for (const left of [10, 110]) server.add({ category_id: PERSON.id, bbox: [left, 10, 30, 30] });
  const shelf = new Map<string, PendingEntry>();
  const visit = new Visit(server, shelf);
  const { editor, queue } = visit;
  server.isGone = true;
  editor.edit("Crowd", [queue.keyOf(1)!], (old) => ({ ...old, iscrowd: 1 }));
  editor.remove([queue.keyOf(2)!]);
  visit.pick(1).drag();
  visit.pick(2).press("N");
  await visit.quiet();
  expect([queue.status, queue.unsaved, queue.conflicts, shelf.size]).toEqual(["gone", 4, [], 4]);

  // Whoever tries again too early learns the same.
  queue.retry();
  await visit.quiet();
  expect([queue.status, queue.unsaved, visit.told]).toEqual(["gone", 4, []]);

  server.isGone = false;
  queue.retry();
  await visit.saved();
  expect([queue.status, shelf.size, visit.states]).toEqual(["saved", 0, ["accepted", "rejected"]]);
  expect(server.all()).toMatchObject([{ id: 1, iscrowd: 1 }, { id: 3, bbox: [1, 2, 39, 58] }]);
  expect(editor.history.undoLabel).not.toBeNull();
});

test("what a stranger for a moment has drawn is not refused, but sent again", async () => {
  const visit = new Visit();
  visit.line = ["stranger", "whole"];
  const made = { ...EMPTY_ANNOTATION, category_id: PERSON.id, bbox: [1, 2, 3, 4] as const };
  visit.editor.transact("Draw", new Map([[newKey(), made]]));
  await visit.quiet();
  expect([visit.queue.status, visit.queue.refused.size]).toEqual(["offline", 0]);
  await visit.reconnect();
  expect([visit.queue.status, visit.server.all().length]).toEqual(["saved", 1]);
});

test("what somebody deleted is still told of, for the image is there", async () => {
  const server = new Server();
  server.add({ category_id: PERSON.id, bbox: [10, 10, 30, 30] });
  const visit = new Visit(server);
  await server.serve({ method: "DELETE", path: "/api/annotations/1", version: 1 }, ADA);
  visit.editor.edit("Crowd", [visit.queue.keyOf(1)!], (old) => ({ ...old, iscrowd: 1 }));
  await visit.quiet();
  expect(visit.queue.status).toBe("conflict");
});

test("a conflict that an earlier visit left is one still after two closed tabs", async () => {
  const server = new Server();
  server.add({ category_id: PERSON.id, bbox: [10, 10, 30, 30] });
  const shelf = new Map<string, PendingEntry>();
  const visit = new Visit(server, shelf);
  visit.line = ["cut"];
  visit.editor.edit("Move", [visit.queue.keyOf(1)!], (old) => ({ ...old, bbox: [50, 10, 30, 30] }));
  server.change(1, { bbox: [70, 10, 30, 30] });
  for (let tab = 0; tab < 3; tab++) {
    const next = new Visit(server, shelf);
    await next.quiet();
    expect([next.queue.conflicts.length, server.now(1)?.bbox]).toEqual([1, [70, 10, 30, 30]]);
  }
});

test("an undo of what somebody has changed and deleted since does not bring it back", async () => {
  const server = new Server();
  server.add({ category_id: PERSON.id, bbox: [10, 10, 30, 30] });
  const visit = new Visit(server);
  visit.editor.edit("Crowd", [visit.queue.keyOf(1)!], (old) => ({ ...old, iscrowd: 1 }));
  await visit.saved();
  await server.serve({ method: "DELETE", path: "/api/annotations/1", version: 2 }, ADA);
  // It asks to restore a version, which is told the content of what is deleted, too.
  await visit.press("Mod+Z").quiet();
  expect([visit.queue.status, server.all()]).toEqual(["conflict", []]);
  visit.queue.resolve(visit.queue.conflicts[0]!, "mine");
  await visit.saved();
  expect(server.all()).toMatchObject([{ id: 1, iscrowd: 0 }]);
});

test("what both deleted is not brought back by an undo, which says so", async () => {
  const server = new Server();
  server.add({ category_id: PERSON.id, bbox: [10, 10, 30, 30] });
  const visit = new Visit(server);
  await server.serve({ method: "DELETE", path: "/api/annotations/1", version: 1 }, ADA);
  visit.editor.remove([visit.queue.keyOf(1)!]);
  await visit.saved();
  await visit.press("Mod+Z").saved();
  expect([visit.editor.notice, server.all()]).toEqual(["Not undone: somebody else has deleted the object since.", []]);
});

test("what I sent and changed again before an answer came collides with nothing", async () => {
  const server = new Server();
  server.add({ category_id: PERSON.id, bbox: [10, 10, 30, 30] });
  const visit = new Visit(server);
  visit.line = ["mute", "cut"];
  const move = (left: number): void =>
    visit.editor.edit("Move", [visit.queue.keyOf(1)!], (old) => ({ ...old, bbox: [left, 10, 30, 30] }));
  move(50);
  await visit.quiet();
  move(70);
  visit.line = ["whole"];
  visit.queue.retry();
  await visit.saved();
  expect(server.now(1)).toMatchObject({ bbox: [70, 10, 30, 30], version: 3 });
});

test("a drawing whose first try somebody deleted is a choice, and made anew it has one key over a closed tab", async () => {
  const server = new Server();
  const shelf = new Map<string, PendingEntry>();
  const visit = new Visit(server, shelf);
  server.faults = ["cut-after"];
  const made = { ...EMPTY_ANNOTATION, category_id: PERSON.id, bbox: [1, 2, 3, 4] as const };
  visit.editor.transact("Draw", new Map([[newKey(), made]]));
  await visit.quiet();
  await server.serve({ method: "DELETE", path: "/api/annotations/1", version: 1 }, ADA);
  visit.queue.retry();
  await visit.quiet();
  expect(visit.queue.conflicts).toEqual([visit.last]);
  server.faults = ["cut-after"];
  visit.queue.resolve(visit.last, "mine");
  await visit.quiet();
  // Made, but nobody here heard of it: the next tab asks with the same key.
  expect(server.all()).toHaveLength(1);
  const next = new Visit(server, shelf);
  await next.saved();
  expect([server.all(), next.story.annotations.length, shelf.size]).toMatchObject([[{ id: 2, bbox: [1, 2, 3, 4] }], 1, 0]);
});

test("what somebody went on with before I heard that my drawing had come stays, joins or is a choice", async () => {
  const server = new Server();
  const visit = new Visit(server);
  const drawn = async (id: number): Promise<void> => {
    visit.line = ["mute", "cut"];
    const made = { ...EMPTY_ANNOTATION, category_id: PERSON.id, bbox: [id, 2, 3, 4] as const };
    visit.editor.transact("Draw", new Map([[newKey(), made]]));
    await visit.quiet();
    server.change(id, { bbox: [70, 2, 3, 4] });
  };
  const online = async (): Promise<void> => {
    visit.line = ["whole"];
    visit.queue.retry();
    await visit.quiet();
  };
  await drawn(1);
  visit.press("Mod+Z");
  await online();
  expect([server.now(1)?.version, visit.story.annotations.length, visit.queue.status]).toEqual([2, 1, "saved"]);
  expect(visit.told).toEqual(["Somebody else has changed meanwhile what you made: it stays."]);

  await drawn(2);
  visit.editor.edit("Crowd", [visit.last], (old) => ({ ...old, iscrowd: 1 }));
  await online();
  expect(server.now(2)).toMatchObject({ bbox: [70, 2, 3, 4], iscrowd: 1, version: 3 });

  await drawn(3);
  visit.editor.edit("Move", [visit.last], (old) => ({ ...old, bbox: [90, 2, 3, 4] }));
  await online();
  expect([visit.queue.status, server.now(3)?.bbox]).toEqual(["conflict", [70, 2, 3, 4]]);
});

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

test("what somebody deleted is still told of, for the image is there", async () => {
  const server = new Server();
  server.add({ category_id: PERSON.id, bbox: [10, 10, 30, 30] });
  const visit = new Visit(server);
  await server.serve({ method: "DELETE", path: "/api/annotations/1", version: 1 }, ADA);
  visit.editor.edit("Crowd", [visit.queue.keyOf(1)!], (old) => ({ ...old, iscrowd: 1 }));
  await visit.quiet();
  expect(visit.queue.status).toBe("conflict");
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

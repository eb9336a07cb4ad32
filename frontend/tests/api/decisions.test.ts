/** Decisions about predictions: one history with the edits, and one queue with them. */

import { expect, test } from "vitest";

import type { PendingEntry } from "../../src/api/pending-store";
import { PERSON } from "../story";
import { BOX, found, Visit } from "./decision-visit";
import { Server } from "./server";

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

test("a rejection that waits is no annotation that is being made", async () => {
  const visit = new Visit();
  await visit.cut().pick(1).press("N").quiet();
  expect([visit.queue.unsaved, visit.queue.creations.size]).toEqual([1, 0]);
  visit.pick(2).press("Y");
  visit.queue.retry();
  expect(visit.queue.creations.size).toBe(1);
});

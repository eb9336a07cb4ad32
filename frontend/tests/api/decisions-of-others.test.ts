/** Decisions about predictions where somebody else decides, changes or deletes meanwhile. */

import { expect, test } from "vitest";

import { ADA, BOX, Visit } from "./decision-visit";

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

test("undo of what somebody else is known to have changed since leaves it accepted, and says so", async () => {
  const visit = new Visit();
  visit.story.run("accept-all-predictions");
  await visit.saved();
  visit.server.change(1, { iscrowd: 1 });
  visit.hear().press("Mod+Z");
  await visit.saved();
  expect(visit.editor.notice).toBe("Not all of it is undone: somebody else has changed “person” since.");
  expect([visit.states, visit.server.now(1)?.version, visit.server.now(2)]).toEqual([["accepted", "open"], 2, null]);
  visit.press("Mod+Y");
  await visit.saved();
  expect([visit.states, visit.server.now(1)?.version]).toEqual([["accepted", "accepted"], 2]);
});

test("taken back after a lost answer, what somebody else has changed since stays, and the person is told", async () => {
  const visit = new Visit();
  visit.server.faults = ["cut-after"];
  await visit.pick(1).press("Y").quiet();
  visit.server.change(1, { iscrowd: 1 });
  visit.press("Mod+Z");
  await visit.reconnect();
  expect([visit.shows, visit.states[0], visit.server.now(1)?.version]).toEqual([[[2], 1, 0], "accepted", 2]);
  expect(visit.editor.notice).toBe("Somebody else has changed meanwhile what you made: it stays.");
  expect(visit.editor.history.redoLabel).toBeNull();
});

test("undoing a rejection leaves what somebody else has accepted since, and says so", async () => {
  const visit = new Visit();
  visit.pick(1).press("N");
  await visit.saved();
  visit.server.decide(1, "reopen", null, ADA);
  visit.server.decide(1, "accept", null, ADA);
  visit.press("Mod+Z");
  await visit.saved();
  expect(visit.editor.notice).toBe("Somebody else has accepted this prediction meanwhile.");
  expect([visit.shows, visit.states[0], visit.server.now(1)?.created_by]).toEqual([[[2], 0, 0], "accepted", ADA]);
});

test("undoing an acceptance leaves the annotation that somebody else has made anew since", async () => {
  const visit = new Visit();
  visit.pick(1).press("Y");
  await visit.saved();
  // Not heard of here.
  visit.server.decide(1, "reopen", null, ADA);
  visit.server.decide(1, "accept", null, ADA);
  visit.press("Mod+Z");
  await visit.saved();
  expect(visit.editor.notice).toBe("Somebody else has accepted this prediction meanwhile.");
  expect([visit.states[0], visit.server.all()]).toMatchObject(["accepted", [{ id: 2, created_by: ADA, version: 1 }]]);
});

test("redo leaves what somebody else has rejected meanwhile, and accepts the others of the step", async () => {
  const visit = new Visit();
  visit.story.run("accept-all-predictions");
  await visit.saved();
  visit.press("Mod+Z");
  await visit.saved();
  visit.server.decide(1, "reject", null, ADA);
  visit.list();
  visit.press("Mod+Y");
  await visit.saved();
  expect([visit.shows, visit.states, visit.server.all().length]).toEqual([[[], 1, 0], ["rejected", "accepted"], 1]);
  visit.press("Mod+Z");
  await visit.saved();
  expect([visit.shows, visit.states, visit.server.all()]).toEqual([[[2], 0, 0], ["rejected", "open"], []]);
});

test("whoever accepts what somebody else rejected a moment before is told", async () => {
  const visit = new Visit();
  visit.server.decide(1, "reject", null, ADA);
  visit.pick(1).press("Y");
  await visit.saved();
  expect(visit.editor.notice).toBe("Somebody else had rejected this prediction. It is accepted now.");
  expect([visit.shows, visit.states[0]]).toEqual([[[2], 1, 0], "accepted"]);
  // Taken back before that is heard, it stays rejected.
  visit.server.decide(2, "reject", null, ADA);
  visit.pick(2).press("Y", "Mod+Z");
  await visit.saved();
  expect(visit.editor.notice).toBe("Somebody else has rejected this prediction meanwhile.");
  expect([visit.shows, visit.states[1]]).toEqual([[[], 1, 0], "rejected"]);
});

test("a prediction that comes back becomes another annotation than what was made of it and kept", async () => {
  const visit = new Visit();
  visit.server.decide(1, "accept", null, ADA);
  await visit.server.transport({ method: "DELETE", path: "/api/annotations/1", version: 1 });
  await visit.pick(1).drag().quiet();
  visit.queue.resolve(visit.last, "mine");
  await visit.saved();
  visit.server.decide(1, "reopen", null, ADA);
  visit.list();
  visit.pick(1).press("Y");
  await visit.saved();
  expect(visit.story.annotations.map(({ bbox }) => bbox)).toEqual([[1, 2, 39, 58], BOX]);
  expect(visit.server.all().map(({ bbox }) => bbox)).toEqual([[1, 2, 39, 58], [...BOX]]);
});

test("accepted before its set was deleted, it is found again after a lost answer", async () => {
  const visit = new Visit();
  visit.server.faults = ["cut-after"];
  await visit.pick(1).drag().quiet();
  visit.editor.edit("Change crowd", [visit.last], (old) => ({ ...old, iscrowd: 1 }));
  visit.server.predictions.delete(1);
  await visit.reconnect();
  expect(visit.server.all()).toMatchObject([{ id: 1, bbox: [1, 2, 39, 58], iscrowd: 1 }]);
  expect([visit.shows[1], visit.story.annotations[0]?.iscrowd]).toEqual([1, 1]);
});

test("accepted with a lost answer and deleted by somebody else, it is a choice that can be made", async () => {
  const visit = new Visit();
  visit.server.faults = ["cut-after"];
  await visit.pick(1).drag().quiet();
  await visit.server.transport({ method: "DELETE", path: "/api/annotations/1", version: 1 });
  visit.queue.retry();
  await visit.quiet();
  expect(visit.queue.conflicts).toEqual([visit.last]);
  visit.queue.resolve(visit.last, "mine");
  await visit.saved();
  expect(visit.server.all()).toMatchObject([{ id: 2, bbox: [1, 2, 39, 58] }]);
});

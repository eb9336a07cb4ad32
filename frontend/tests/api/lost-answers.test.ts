/** What is undone or redone before it is known whether it had arrived is undone or redone on the server, too. */

import { expect, test } from "vitest";

import { read } from "../../src/api/wire";
import { EMPTY_ANNOTATION, newKey } from "../../src/model/records";
import { PERSON } from "../story";
import { ADA, Visit } from "./decision-visit";
import { Server } from "./server";

const BOX = { ...EMPTY_ANNOTATION, category_id: PERSON.id, bbox: [1, 2, 3, 4] as const };

type Deed = (visit: Visit) => unknown;

const key = (visit: Visit) => visit.queue.keyOf(1)!;
const crowd: Deed = (visit) => visit.editor.edit("Crowd", [key(visit)], (old) => ({ ...old, iscrowd: 1 }));
const remove: Deed = (visit) => visit.editor.remove([key(visit)]);
const undo: Deed = (visit) => visit.press("Mod+Z");

test.each<[string, Deed[], Deed, string]>([
  ["a change", [], crowd, "Mod+Z"],
  ["a deletion", [], remove, "Mod+Z"],
  ["the undo of a change", [crowd], undo, "Mod+Y"],
  ["the undo of a deletion", [remove], undo, "Mod+Y"],
  ["a rejection", [], (visit) => visit.pick(1).press("N"), "Mod+Z"],
  ["the undo of a rejection", [(visit) => visit.pick(1).press("N")], undo, "Mod+Y"],
  ["the undo of an acceptance", [(visit) => visit.pick(1).press("Y")], undo, "Mod+Y"],
  ["an acceptance", [], (visit) => visit.pick(1).press("Y"), "Mod+Z"],
])("%s whose answer is lost", async (_, before, deed, back) => {
  const server = new Server();
  server.add({ category_id: PERSON.id, bbox: [10, 10, 30, 30] });
  const visit = new Visit(server);
  for (const each of before) {
    each(visit);
    await visit.saved();
  }
  const state = () => [visit.states, server.all().map(({ iscrowd, bbox }) => ({ iscrowd, bbox }))];
  const was = structuredClone(state());
  visit.line = ["mute", "whole"];
  deed(visit);
  await visit.quiet();
  expect(visit.queue.status).toBe("offline");
  visit.press(back);
  visit.queue.retry();
  await visit.saved();
  expect([visit.queue.status, state()]).toEqual(["saved", was]);
  expect(visit.story.annotations.length).toBe(server.all().length);
});

async function visitWithOne(): Promise<Visit> {
  const server = new Server();
  server.add({ category_id: PERSON.id, bbox: [10, 10, 30, 30] });
  return new Visit(server);
}

test("without a connection it goes on waiting, and the browser keeps it", async () => {
  const visit = await visitWithOne();
  visit.line = ["mute", "cut"];
  crowd(visit);
  await visit.quiet();
  visit.press("Mod+Z");
  for (let i = 0; i < 3; i++) {
    visit.queue.retry();
    await visit.quiet();
    expect([visit.queue.status, visit.queue.unsaved, visit.shelf.size]).toEqual(["offline", 1, 1]);
  }
  visit.line = ["whole"];
  await visit.reconnect();
  expect([visit.queue.status, visit.shelf.size, visit.server.now(1)!.iscrowd]).toEqual(["saved", 0, 0]);
});

test.each<[string, Deed, string]>([
  ["taken back", crowd, "mute"],
  ["that never arrived", crowd, "cut"],
])("a change %s leaves what somebody else has made of it since", async (_, deed, line) => {
  const visit = await visitWithOne();
  visit.line = [line as "mute" | "cut", "whole"];
  deed(visit);
  await visit.quiet();
  visit.press("Mod+Z");
  visit.server.change(1, { caption: "by Ada" });
  visit.queue.retry();
  await visit.saved();
  expect(visit.queue.status).toBe("saved");
  expect(visit.server.all()).toMatchObject([{ iscrowd: 0, caption: "by Ada" }]);
  expect(visit.story.annotations).toMatchObject([{ iscrowd: 0, caption: "by Ada" }]);
});

test("where somebody else has changed the same of it since, the person is asked", async () => {
  const visit = await visitWithOne();
  const move: Deed = ({ editor }) => editor.edit("Move", [key(visit)], (old) => ({ ...old, bbox: [50, 10, 30, 30] }));
  visit.line = ["mute", "whole"];
  move(visit);
  await visit.quiet();
  visit.press("Mod+Z");
  visit.server.change(1, { bbox: [70, 10, 30, 30] });
  visit.queue.retry();
  await visit.quiet();
  expect([visit.queue.status, visit.queue.unsaved]).toEqual(["conflict", 1]);
  visit.queue.resolve(key(visit), "mine");
  await visit.saved();
  expect(visit.server.now(1)!.bbox).toEqual([10, 10, 30, 30]);
});

test("a decision that is refused is not asked for again and again", async () => {
  const visit = new Visit();
  visit.line = ["mute", "whole"];
  visit.pick(1).press("N");
  await visit.quiet();
  visit.press("Mod+Z");
  visit.server.faults = Array.from({ length: 9 }, () => ({ status: 403, body: { code: "forbidden", detail: "Only readers." } }));
  visit.queue.retry();
  await visit.quiet();
  expect([visit.queue.status, visit.server.faults.length]).toEqual(["saved", 8]);
});

test("what somebody has brought back and deleted once more since is asked about, once", async () => {
  const visit = await visitWithOne();
  await remove(visit);
  await visit.saved();
  visit.line = ["cut"];
  visit.press("Mod+Z");
  crowd(visit);
  await visit.quiet();
  await visit.server.serve({ method: "POST", path: "/api/annotations/1/restore", body: { version: 1 } }, ADA);
  await visit.server.serve({ method: "DELETE", path: "/api/annotations/1", version: 3 }, ADA);
  visit.line = ["whole"];
  visit.queue.retry();
  await visit.quiet();
  expect([visit.queue.status, visit.queue.unsaved]).toEqual(["conflict", 1]);
});

test.each([
  [401, "unauthorized"],
  [429, "too_many_requests"],
  [409, "busy"],
])("what was answered by %s has not arrived: nothing is looked up when it is undone", async (status, code) => {
  const visit = await visitWithOne();
  visit.server.faults = [{ status, body: { code, detail: "Not now." } }];
  crowd(visit);
  await visit.quiet();
  visit.press("Mod+Z");
  expect([visit.queue.unsaved, visit.server.log]).toEqual([0, []]);
});

/** The tab is closed, and the image opened again. */
function reopened({ server, shelf }: Visit): Visit {
  return new Visit(server, new Map(shelf));
}

const reject: Deed = (visit) => visit.pick(1).press("N");
const accept: Deed = (visit) => visit.pick(1).press("Y");
const move: Deed = ({ editor, queue }) => editor.edit("Move", [queue.keyOf(1)!], (old) => ({ ...old, bbox: [50, 10, 30, 30] }));

test.each<[string, Deed[], Deed[], unknown[]]>([
  ["a rejection that is undone", [], [reject, undo], ["open", [10, 10]]],
  ["the undo of a rejection that is redone", [reject], [undo, (visit) => visit.press("Mod+Y")], ["rejected", [10, 10]]],
  ["the reopening of an undone acceptance that is redone", [accept], [undo, (visit) => visit.press("Mod+Y")], ["accepted", [10, 10], [1, 2]]],
  ["a change that is undone", [], [move, undo], ["open", [10, 10]]],
  ["a change that is changed further", [], [move, crowd], ["open", [50, 10]]],
  ["a deletion that is undone", [], [remove, undo], ["open", [10, 10]]],
  ["an undone deletion that is changed", [remove], [undo, crowd], ["open", [10, 10]]],
])("%s is so, too, over a closed tab, and nobody else is spoken of", async (_, before, [first, then], wanted) => {
  for (const isClosed of [false, true]) {
    const visit = await visitWithOne();
    for (const each of before) {
      each(visit);
      await visit.saved();
    }
    // Of an acceptance the annotation goes first, and the answer to what follows is lost.
    visit.line = before[0] === accept ? ["whole", "mute", "cut"] : ["mute", "cut"];
    first!(visit);
    await visit.quiet();
    then!(visit);
    await visit.quiet();
    const last = isClosed ? reopened(visit) : visit;
    last.line = ["whole"];
    last.queue.retry();
    await last.saved();
    const corners = visit.server.all().map(({ bbox }) => bbox.slice(0, 2));
    expect([visit.states[0], ...corners]).toEqual(wanted);
    expect(last.story.annotations).toHaveLength(corners.length);
    expect([last.queue.status, last.shelf.size, ...visit.told, ...last.told]).toEqual(["saved", 0]);
  }
});

test("an acceptance whose undo is redone, by a lost request, and undone once more is open again", async () => {
  const visit = await visitWithOne();
  accept(visit);
  await visit.saved();
  // The annotation is deleted, and brought back before the prediction is reopened.
  visit.line = ["whole", "mute", "cut"];
  undo(visit);
  visit.press("Mod+Y");
  await visit.quiet();
  undo(visit);
  visit.line = ["whole"];
  visit.queue.retry();
  await visit.saved();
  expect([visit.states[0], visit.server.all().length, ...visit.told]).toEqual(["open", 1]);
});

test("what had arrived when the tab was closed is not kept any longer", async () => {
  const visit = await visitWithOne();
  visit.line = ["mute", "cut"];
  move(visit);
  await visit.quiet();
  const next = reopened(visit);
  await next.saved();
  expect(next.shelf.size).toBe(0);
  visit.server.change(1, { bbox: [70, 10, 30, 30] });
  expect(reopened(next).queue.status).toBe("saved");
});

test("whoever accepts what was rejected by a lost request of theirs is not told of somebody else", async () => {
  const visit = await visitWithOne();
  visit.line = ["mute", "whole"];
  reject(visit);
  await visit.quiet();
  undo(visit);
  accept(visit);
  visit.queue.retry();
  await visit.saved();
  expect([visit.states[0], ...visit.told]).toEqual(["accepted"]);
});

test.each<[string, Deed]>([
  ["a drawing", (visit) => visit.editor.transact("Draw", new Map([[newKey(), BOX]]))],
  ["a prediction that was accepted", (visit) => visit.pick(1).press("Y")],
])("%s, whose answer is lost with the tab, is there once, and its first change is one of it", async (_, deed) => {
  const before = await visitWithOne();
  before.line = ["mute", "cut"];
  deed(before);
  await before.quiet();
  // The old tab is gone, and the new one has no connection either, once it has loaded.
  const visit = new Visit(before.server, before.shelf);
  visit.line = ["cut"];
  expect(visit.story.annotations).toHaveLength(2);
  visit.editor.edit("Crowd", [visit.last], (old) => ({ ...old, iscrowd: 1 }));
  await visit.quiet();
  expect([visit.story.annotations.length, visit.queue.unsaved]).toEqual([2, 1]);
  visit.line = ["whole"];
  visit.queue.retry();
  await visit.saved();
  expect(visit.server.all().map(({ iscrowd, version }) => [iscrowd, version])).toEqual([[0, 1], [1, 2]]);
  expect([visit.hear().story.annotations.length, visit.told]).toEqual([2, []]);
});

test("what somebody has made of it since is there as they left it", async () => {
  const before = await visitWithOne();
  before.line = ["mute", "cut"];
  before.editor.transact("Draw", new Map([[newKey(), BOX]]));
  await before.quiet();
  before.server.change(2, { iscrowd: 1 });
  const visit = new Visit(before.server, before.shelf);
  expect([visit.story.annotations.map(({ iscrowd }) => iscrowd), visit.queue.unsaved]).toEqual([[0, 1], 0]);
  expect([before.shelf.size, before.server.all().length]).toEqual([0, 2]);
});

test("a drawing whose answer is lost is not shown twice when what others did is looked at", async () => {
  const visit = await visitWithOne();
  visit.line = ["mute", "cut"];
  visit.editor.transact("Draw", new Map([[newKey(), BOX]]));
  await visit.quiet();
  const { queue, editor, server } = visit;
  expect(queue.catchUp(server.all().map(read), queue.versions(), (each) => editor.holds(each)), "to be looked at again").toBe(false);
  expect([server.all().length, visit.story.annotations.length]).toEqual([2, 2]);
  visit.line = ["whole"];
  queue.retry();
  await visit.saved();
  expect(visit.hear().story.annotations).toHaveLength(2);
});

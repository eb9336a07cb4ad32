/** Undo and redo after somebody else came in between: what they made of an annotation stays theirs. */

import { beforeEach, expect, test } from "vitest";

import { EMPTY_ANNOTATION, newKey, type Annotation, type AnnotationKey } from "../../src/model/records";
import { PERSON } from "../story";
import { ADA, Visit } from "./decision-visit";
import { Server } from "./server";

let me: Visit;
let ada: Visit;

beforeEach(() => {
  const server = new Server();
  for (const left of [10, 110]) server.add({ category_id: PERSON.id, bbox: [left, 10, 30, 30] });
  me = new Visit(server);
  ada = new Visit(server, new Map(), { userId: ADA });
});

const keyOf = (visit: Visit, id: number): AnnotationKey => visit.queue.keyOf(id)!;
const now = (visit: Visit, id: number): Annotation | null => visit.editor.document.get(keyOf(visit, id));

/** One step, saved, of which the other one hears. */
async function edit(visit: Visit, ids: readonly number[], change: Partial<Annotation>): Promise<void> {
  visit.editor.edit("Change", ids.map((id) => keyOf(visit, id)), (old) => ({ ...old, ...change }));
  await heard(visit);
}

async function heard(visit: Visit): Promise<void> {
  await visit.saved();
  for (const each of [me, ada]) each.hear();
}

async function draw(visit: Visit): Promise<void> {
  const made = { ...EMPTY_ANNOTATION, category_id: PERSON.id, bbox: [1, 2, 3, 4] as const };
  visit.editor.transact("Draw", new Map([[newKey(), made]]));
  await heard(visit);
}

async function press(visit: Visit, name: "Mod+Z" | "Mod+Y"): Promise<string | null> {
  visit.editor.say(null);
  visit.press(name);
  await heard(visit);
  expect(me.server.all().map(({ id, bbox, iscrowd, attributes }) => ({ id, bbox, iscrowd, attributes }))).toEqual(
    me.server.all().map(({ id }) => ({ id, ...pickOf(now(me, id)) })),
  );
  return visit.editor.notice;
}

const pickOf = (annotation: Annotation | null): object => ({
  bbox: annotation?.bbox,
  iscrowd: annotation?.iscrowd,
  attributes: annotation?.attributes,
});

test("what I drew and somebody changed stays, and the next undo goes on with what is mine", async () => {
  await edit(me, [1], { iscrowd: 1 });
  await draw(me);
  await edit(ada, [3], { iscrowd: 1 });
  expect(await press(me, "Mod+Z")).toBe("Not undone: somebody else has changed “person” since.");
  expect([me.server.now(3)?.iscrowd, me.editor.history.redoLabel]).toEqual([1, null]);
  expect(await press(me, "Mod+Z")).toBeNull();
  expect(me.server.now(1)?.iscrowd).toBe(0);
});

test("what somebody changed of it before I hear so is for me to choose", async () => {
  await draw(me);
  ada.editor.edit("Change", [keyOf(ada, 3)], (old) => ({ ...old, iscrowd: 1 }));
  await ada.saved();
  me.press("Mod+Z");
  await me.quiet();
  expect([me.queue.status, me.server.now(3)?.iscrowd]).toEqual(["conflict", 1]);
  me.queue.resolve(me.queue.conflicts[0]!, "theirs");
  await me.saved();
  expect([now(me, 3)?.iscrowd, me.server.now(3)?.iscrowd]).toEqual([1, 1]);
});

test("what I drew, somebody changed and I changed again goes back to theirs, and no further", async () => {
  await draw(me);
  await edit(ada, [3], { iscrowd: 1 });
  await edit(me, [3], { bbox: [5, 5, 5, 5] });
  expect(await press(me, "Mod+Z")).toBeNull();
  expect(me.server.now(3)).toMatchObject({ iscrowd: 1, bbox: [1, 2, 3, 4] });
  expect(await press(me, "Mod+Z")).toContain("Not undone");
  expect(me.server.now(3)).toMatchObject({ iscrowd: 1, bbox: [1, 2, 3, 4] });
});

test("what both moved stays where the other one put it, and so does what is redone", async () => {
  await edit(me, [1], { bbox: [50, 10, 30, 30] });
  await edit(ada, [1], { bbox: [70, 10, 30, 30] });
  expect(await press(me, "Mod+Z")).toBe("Not undone: somebody else has changed “person” since.");
  expect(me.server.now(1)?.bbox).toEqual([70, 10, 30, 30]);

  await edit(me, [2], { bbox: [50, 50, 30, 30] });
  await press(me, "Mod+Z");
  await edit(ada, [2], { bbox: [70, 50, 30, 30] });
  expect(await press(me, "Mod+Y")).toBe("Not redone: somebody else has changed “person” since.");
  expect(me.server.now(2)?.bbox).toEqual([70, 50, 30, 30]);
});

test("other things than they changed are taken back without a word, single attributes among them", async () => {
  await edit(me, [1], { iscrowd: 1, attributes: { mine: 1 } });
  await edit(ada, [1], { bbox: [70, 10, 30, 30], attributes: { mine: 1, hers: 2 } });
  expect(await press(me, "Mod+Z")).toBeNull();
  expect(me.server.now(1)).toMatchObject({ iscrowd: 0, bbox: [70, 10, 30, 30], attributes: { hers: 2 } });
  expect(me.server.now(1)?.attributes).not.toHaveProperty("mine");
});

test("of a step the part that is still mine goes back and forth", async () => {
  await edit(me, [1, 2], { iscrowd: 1, attributes: { worn: 1 } });
  await edit(ada, [1], { attributes: { worn: 2 } });
  expect(await press(me, "Mod+Z")).toBe("Not all of it is undone: somebody else has changed “person” since.");
  expect(me.server.all()).toMatchObject([{ iscrowd: 0, attributes: { worn: 2 } }, { iscrowd: 0, attributes: {} }]);
  expect(await press(me, "Mod+Y")).toBeNull();
  expect(me.server.all()).toMatchObject([{ iscrowd: 1, attributes: { worn: 2 } }, { iscrowd: 1, attributes: { worn: 1 } }]);
});

test("a deletion is not repeated over what somebody has made of it since it was undone", async () => {
  me.editor.remove([keyOf(me, 1)]);
  await heard(me);
  await press(me, "Mod+Z");
  await edit(ada, [1], { iscrowd: 1 });
  expect(await press(me, "Mod+Y")).toBe("Not redone: somebody else has changed “person” since.");
  expect(me.server.now(1)?.iscrowd).toBe(1);
});

test("what somebody else deleted stays deleted, which is said", async () => {
  await edit(me, [1, 2], { iscrowd: 1 });
  ada.editor.remove([keyOf(ada, 1), keyOf(ada, 2)]);
  await heard(ada);
  expect(await press(me, "Mod+Z")).toBe("Not undone: somebody else has changed 2 objects since.");
  await draw(me);
  ada.editor.remove([keyOf(ada, 3)]);
  await heard(ada);
  expect(await press(me, "Mod+Z")).toBe("Not undone: somebody else has deleted the object since.");
  expect(me.server.all()).toEqual([]);
});

test("what was decided for the other one's version in a conflict is not undone", async () => {
  me.editor.edit("Change", [keyOf(me, 1)], (old) => ({ ...old, bbox: [50, 10, 30, 30] }));
  me.server.change(1, { bbox: [70, 10, 30, 30] });
  await me.quiet();
  me.queue.resolve(keyOf(me, 1), "theirs");
  await me.saved();
  expect(await press(me, "Mod+Z")).toBe("Not undone: somebody else has changed “person” since.");
  expect(me.server.now(1)?.bbox).toEqual([70, 10, 30, 30]);
});

/** Two people who change different parts of one annotation hinder nobody; who change the same are asked. */

import { expect, test } from "vitest";

import type { WireAnnotation } from "../../src/api/wire";
import { merged } from "../../src/model/parts";
import { EMPTY_ANNOTATION, type Annotation } from "../../src/model/records";
import { PERSON } from "../story";
import { Visit } from "./decision-visit";
import { Server } from "./server";

const TOLD = "Somebody else has changed the same object meanwhile: what both of you changed is kept.";

function opened(): Visit {
  const server = new Server();
  server.add({ category_id: PERSON.id, bbox: [10, 10, 30, 30], attributes: { color: "red", worn: 1 } });
  return new Visit(server);
}

const edit = ({ editor, queue }: Visit, change: Partial<Annotation>): void =>
  editor.edit("Change", [queue.keyOf(1)!], (old) => ({ ...old, ...change }));

test.each<[string, Partial<Annotation>, Partial<WireAnnotation>, object]>([
  ["another attribute", { attributes: { color: "blue", worn: 1 } }, { attributes: { color: "red", worn: 2 } }, { attributes: { color: "blue", worn: 2 } }],
  ["another field", { iscrowd: 1 }, { bbox: [50, 10, 30, 30] }, { iscrowd: 1, bbox: [50, 10, 30, 30] }],
  ["the same in the same way, and more", { iscrowd: 1 }, { iscrowd: 1, caption: "theirs" }, { iscrowd: 1, caption: "theirs" }],
])("%s: both changes are saved and shown, and it is said", async (_, mine, theirs, both) => {
  for (const isClosed of [false, true]) {
    let visit = opened();
    const { server } = visit;
    if (isClosed) visit.line = ["cut"];
    server.change(1, theirs);
    edit(visit, mine);
    await visit.quiet();
    if (isClosed) visit = new Visit(server, new Map(visit.shelf));
    await visit.saved();
    expect([visit.queue.status, visit.shelf.size, visit.told]).toEqual(["saved", 0, [TOLD]]);
    expect(server.all()).toMatchObject([both]);
    expect(visit.story.annotations).toMatchObject([both]);
    // Only what was changed here is sent on top of theirs.
    const patches = server.log.filter((line) => line.startsWith("PATCH"));
    expect(patches.every((line) => !line.includes("caption") && !(line.includes("worn")))).toBe(true);
  }
});

test("undoing it afterwards takes back one's own change alone", async () => {
  const visit = opened();
  visit.server.change(1, { bbox: [50, 10, 30, 30] });
  edit(visit, { iscrowd: 1 });
  await visit.saved();
  await visit.press("Mod+Z").saved();
  expect(visit.server.all()).toMatchObject([{ iscrowd: 0, bbox: [50, 10, 30, 30] }]);
});

test("what a lost request had made before somebody else came is no change of theirs", async () => {
  const visit = opened();
  visit.line = ["mute", "cut"];
  edit(visit, { bbox: [50, 10, 30, 30] });
  await visit.quiet();
  edit(visit, { bbox: [70, 10, 30, 30] });
  visit.server.change(1, { caption: "theirs" });
  visit.line = ["whole"];
  visit.queue.retry();
  await visit.saved();
  expect(visit.server.all()).toMatchObject([{ caption: "theirs", bbox: [70, 10, 30, 30] }]);
});

test("nothing is taken over under a hand that has begun with the object; it is when that is free", async () => {
  const visit = opened();
  const { editor, queue, server } = visit;
  const key = queue.keyOf(1)!;
  server.change(1, { caption: "theirs" });
  edit(visit, { iscrowd: 1 });
  editor.select([key]);
  visit.story.press(20, 20);
  await visit.quiet();
  expect(editor.holds(key)).toBe(true);
  expect([editor.document.get(key)!.caption, queue.conflicts, visit.told]).toEqual([null, [], []]);
  const asked = server.log.length;
  queue.pump();
  await visit.quiet();
  expect(server.log.length, "it is not asked again and again").toBe(asked);
  visit.story.release();
  await visit.saved();
  expect(server.all()).toMatchObject([{ iscrowd: 1, caption: "theirs" }]);
});

test.each<[string, Partial<Annotation>, Partial<WireAnnotation>]>([
  ["the same attribute", { attributes: { color: "blue", worn: 1 } }, { attributes: { color: "green", worn: 1 } }],
  ["the same shape", { bbox: [50, 10, 30, 30] }, { bbox: [70, 10, 30, 30] }],
  ["parts of one shape", { bbox: [50, 10, 30, 30] }, { keypoints: [1, 2, 2] }],
  ["the category, and keypoints that are of it", { category_id: 99 }, { keypoints: [1, 2, 2] }],
])("%s: the person is asked", async (_, mine, theirs) => {
  const visit = opened();
  visit.server.change(1, theirs);
  edit(visit, mine);
  await visit.quiet();
  expect([visit.queue.status, visit.queue.conflicts.length, visit.told]).toEqual(["conflict", 1, []]);
});

test("keypoints and the category of an annotation go together, in both directions", () => {
  const base = { ...EMPTY_ANNOTATION, category_id: 1 };
  const [posed, other] = [{ ...base, keypoints: [1, 2, 2] }, { ...base, category_id: 2 }];
  expect([merged(base, posed, other), merged(base, other, posed)]).toEqual([null, null]);
});

/** Images that are opened beside the stage, to save what an earlier visit left there; of other datasets, too. */

import { expect, test, vi } from "vitest";

import type { Transport } from "../src/api/client";
import { IndexedDbStore, type PendingEntry } from "../src/api/pending-store";
import { Editor } from "../src/editor/editor";
import { EMPTY_ANNOTATION, type AnnotationKey } from "../src/model/records";
import { arrives } from "./arrives";
import { eachWithSite, type Site } from "./site";
import { PERSON } from "./story";

const TARGET = { ...EMPTY_ANNOTATION, category_id: PERSON.id, segmentation: [[50, 50, 80, 50, 80, 80]] };

let site: Site;
eachWithSite((made) => (site = made));

/** A shape that a closed tab had made in each of these images; the browser keeps what is put there. */
function leftBehind(...images: number[]): void {
  const made = { userId: 1, key: "made-before" as AnnotationKey, facts: null, base: null, attempted: null, tab: "closed" };
  const entries = images.map((imageId): PendingEntry => ({ ...made, imageId, target: TARGET, fileName: `${imageId}.jpg` }));
  vi.spyOn(IndexedDbStore.prototype, "list").mockResolvedValue(entries);
  for (const act of ["put", "remove", "adopt"] as const) vi.spyOn(IndexedDbStore.prototype, act).mockResolvedValue();
}

/** The first image is one of another dataset, where one may have another role. */
function firstIsElsewhere(role: "annotator" | "viewer" = "annotator"): void {
  site.elsewhere.set(1, 2);
  const server = site.servers.get(1)!;
  const { transport } = server;
  const dataset = { status: 200, body: { id: 2, name: "plates", role } };
  const answer: Transport = (ask) => (ask.path === "/api/datasets/2" ? Promise.resolve(dataset as never) : transport(ask));
  Object.assign(server, { transport: answer });
}

test("what is saved beside the stage takes no place from the images that were just left", async () => {
  leftBehind(3, 4);
  const workspace = await site.open(1);
  const first = workspace.session;
  await workspace.go(2);
  await workspace.elsewhere.save();
  await workspace.settled();
  expect([3, 4].map((id) => site.servers.get(id)!.all().length)).toEqual([2, 2]);
  expect([workspace.elsewhere.waiting, workspace.unsaved]).toEqual([[], 0]);
  await workspace.go(1);
  expect(workspace.session, "with its undo").toBe(first);
});

test("neither another role nor the end of this dataset touches what waits for another one", async () => {
  leftBehind(1);
  firstIsElsewhere();
  const workspace = await site.open(2);
  site.faults.set("/api/images/1/annotations", 503);
  await workspace.elsewhere.save();
  await arrives(() => expect(workspace.elsewhere.waiting).toMatchObject([{ id: 1, stuck: false }]));
  const waits = (): void => {
    expect([workspace.unsaved, workspace.elsewhere.waiting, workspace.earlier.gone]).toMatchObject([1, [{ id: 1 }], []]);
  };
  const handed = vi.spyOn(Editor.prototype, "setCategories");
  site.categories = [PERSON];
  site.tell("annotator", "0-0", "a");
  await arrives(() => expect(workspace.session.editor.categories).toHaveLength(1));
  expect(handed.mock.contexts.map((editor) => (editor as Editor).image.id)).toEqual([2]);
  site.tell("viewer");
  await arrives(() => expect(workspace.session.editor.readOnly).toBe(true));
  waits();
  for (const part of ["api/images/2", "api/datasets/1"]) site.faults.set(part, 404);
  site.sources.at(-1)!.say("end", { reason: "gone" });
  await arrives(() => expect(workspace.session.absence).toBe("dataset"));
  waits();
  site.faults.delete("/api/images/1/annotations");
  workspace.retry();
  await workspace.settled();
  expect(site.servers.get(1)!.all()).toHaveLength(2);
});

test("the end of another dataset is not that of this one", async () => {
  leftBehind(1);
  firstIsElsewhere();
  const workspace = await site.open(2);
  const { session } = workspace;
  site.faults.set("/api/images/1/annotations", 503);
  await workspace.elsewhere.save();
  await arrives(() => expect(workspace.elsewhere.waiting).toHaveLength(1));
  site.faults.clear();
  for (const part of ["api/images/1", "api/datasets/2"]) site.faults.set(part, 404);
  workspace.retry();
  await arrives(() => expect(workspace.earlier.gone).toMatchObject([{ id: 1 }]));
  expect([workspace.session, workspace.session.absence, workspace.unsaved]).toEqual([session, null, 0]);
});

test("who may only look at another dataset saves nothing there", async () => {
  leftBehind(1);
  firstIsElsewhere("viewer");
  const workspace = await site.open(2);
  await workspace.elsewhere.save();
  expect(workspace.session.editor.notice).toContain("You may only look at plates");
  expect([workspace.unsaved, site.servers.get(1)!.all().length]).toEqual([0, 1]);
});

test.each([true, false])("who goes to look at what is stuck in another dataset is asked only for what is kept nowhere (%s)", async (isKept) => {
  leftBehind(1);
  firstIsElsewhere();
  const workspace = await site.open(2);
  vi.spyOn(IndexedDbStore.prototype, "holdsAlone", "get").mockReturnValue(!isKept);
  site.faults.set("/api/images/1/annotations", 422);
  await workspace.elsewhere.save();
  await arrives(() => expect(workspace.elsewhere.waiting).toMatchObject([{ id: 1, stuck: true }]));
  await workspace.go(1);
  expect([site.left, workspace.unsaved]).toEqual(["/images/1", isKept ? 0 : 1]);
  // Who stays after all can save it from here as before.
  expect(workspace.elsewhere.waiting).toMatchObject([{ id: 1 }]);
});

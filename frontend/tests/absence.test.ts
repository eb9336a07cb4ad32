/** What is told and what becomes of changes when the image, or the person's access to it, goes. */

import { expect, test, vi } from "vitest";

import { EMPTY_ANNOTATION, newKey } from "../src/model/records";
import { Session } from "../src/session";
import type { Workspace } from "../src/workspace";
import { arrives } from "./arrives";
import { eachWithSite, type Site } from "./site";
import { PERSON } from "./story";

let site: Site;
eachWithSite((made) => (site = made));

const ALL = ["api/images", "api/annotations", "api/datasets/1"];

/** The person is taken out of the dataset. */
function removeMember(): void {
  for (const part of ALL) site.faults.set(part, 404);
}

function removeAll({ session: { editor } }: Workspace): void {
  editor.remove([...editor.document.entries()].map(([key]) => key));
}

test("an image that was deleted can be looked at as it was, says so, and leaves the way to the others", async () => {
  const workspace = await site.open();
  const { editor } = workspace.session;
  site.faults.set("api/images/1", 404);
  site.sources.at(-1)!.say("end", { reason: "gone" });
  await arrives(() => expect(workspace.session.absence).toBe("image"));
  const { session } = workspace;
  expect([session.editor.readOnly, session.editor.notice]).toEqual([true, "This image was deleted."]);
  expect([session.annotations.length, session.neighbours?.next, workspace.unsaved]).toEqual([1, 2, 0]);
  expect(editor).not.toBe(session.editor);
  const asked = site.asked.length;
  await session.refresh();
  session.resume();
  expect([site.asked.length, site.sources.at(-1)!.readyState]).toEqual([asked, 2]);
  await workspace.go(2);
  expect([workspace.session.absence, workspace.session.editor.readOnly]).toEqual([null, false]);
});

test("somebody who is out of the dataset hears it at the first change, which waits, and goes on when it is hers again", async () => {
  const workspace = await site.open();
  for (const part of ["api/images", "api/annotations", "api/datasets/1"]) site.faults.set(part, 404);
  const { editor } = workspace.session;
  editor.remove([...editor.document.entries()].map(([key]) => key));
  await arrives(() => expect(workspace.session.absence).toBe("dataset"));
  expect(workspace.session.editor.notice).toBe(
    "You have no access to this dataset any more, or it was deleted. 1 change could not be saved and stays here as long as this page is open.",
  );
  expect([workspace.earlier.gone, workspace.elsewhere.waiting]).toMatchObject([[{ id: 1, name: "1.jpg" }], []]);
  const asked = site.asked.length;
  workspace.retryStopped();
  await arrives(() => expect(site.asked.length).toBeGreaterThan(asked));
  expect([workspace.session.absence, workspace.session.editor.readOnly]).toEqual(["dataset", true]);
  site.faults.clear();
  workspace.retryStopped();
  await arrives(() => expect(workspace.session.absence).toBeNull());
  expect(workspace.session.editor.readOnly).toBe(false);
});

test.each([503, 401])("as long as nobody tells why (%s), no reason is given, and it is asked for again", async (status) => {
  const workspace = await site.open();
  site.faults.set("api/images/1", 404);
  site.faults.set("api/datasets/1", status);
  site.sources.at(-1)!.say("end", { reason: "gone" });
  await arrives(() => expect(workspace.session.absence).toBe("unknown"));
  const { editor } = workspace.session;
  expect([editor.readOnly, editor.notice]).toEqual([true, "This image was deleted, or you have no access to it any more."]);
  const asked = (): number => site.asked.filter((each) => each === "GET /api/datasets/1").length;
  await arrives(() => expect(asked()).toBeGreaterThan(1));
  expect(workspace.session.absence).toBe("unknown");
  site.faults.delete("api/datasets/1");
  await arrives(() => expect(workspace.session.absence).toBe("image"));
  expect(workspace.session.editor.notice).toBe("This image was deleted.");
});

test("who was out for a moment only is not told that the image was deleted, and goes on", async () => {
  const workspace = await site.open();
  site.faults.set("api/images/1", 404);
  removeAll(workspace);
  const release = site.hold("/api/datasets/1");
  site.sources.at(-1)!.say("end", { reason: "gone" });
  await arrives(() => expect(site.asked).toContain("GET /api/datasets/1"));
  site.faults.clear();
  release();
  await arrives(() => expect(workspace.session.absence).toBe("unknown"));
  await arrives(() => expect(workspace.session.absence).toBeNull());
  await workspace.settled();
  expect(site.servers.get(1)!.all()).toEqual([]);
});

test("where the browser keeps nothing, changes wait in the page and are saved when the dataset is hers again", async () => {
  const workspace = await site.open();
  removeMember();
  removeAll(workspace);
  await arrives(() => expect(workspace.session.absence).toBe("dataset"));
  expect(workspace.holdsAlone, "who closes the page is warned").toBe(true);
  site.faults.clear();
  workspace.retryStopped();
  await arrives(() => expect(workspace.session.absence).toBeNull());
  await workspace.settled();
  expect([site.servers.get(1)!.all(), workspace.earlier.gone, workspace.holdsAlone]).toEqual([[], [], false]);
});

test("so do those of somebody who may only look for a while", async () => {
  const workspace = await site.open();
  site.role = "viewer";
  site.faults.set("/api/annotations/", 403);
  removeAll(workspace);
  await arrives(() => expect(workspace.session.editor.readOnly).toBe(true));
  expect(workspace.holdsAlone).toBe(true);
  site.faults.clear();
  site.tell("annotator");
  await arrives(() => expect(workspace.session.editor.readOnly).toBe(false));
  await workspace.settled();
  expect([site.servers.get(1)!.all(), workspace.holdsAlone]).toEqual([[], false]);
});

test("whoever hears it of an image that was left hears it of the one on the stage, and what is given up saves nothing later", async () => {
  const workspace = await site.open(1);
  const first = workspace.session;
  await workspace.go(2);
  site.faults.set("/api/annotations/", 503);
  first.editor.remove([...first.editor.document.entries()].map(([key]) => key));
  await arrives(() => expect(first.queue.status).toBe("offline"));
  site.faults.clear();
  removeMember();
  first.queue.retry();
  await arrives(() => expect(workspace.session.absence).toBe("dataset"));
  expect([workspace.session.id, workspace.earlier.gone, first.queue.status]).toMatchObject([2, [{ id: 1 }], "gone"]);
  site.faults.clear();
  workspace.retryStopped();
  await arrives(() => expect(workspace.session.absence).toBeNull());
  // Late as it may be, it gives nothing up once more.
  const { session } = workspace;
  site.faults.set("/api/images/1", 404);
  site.faults.set("/api/datasets/1", 404);
  await first.refresh();
  await site.rests();
  expect(workspace.session).toBe(session);
  site.faults.clear();
  await workspace.go(1);
  await workspace.settled();
  expect(site.servers.get(1)!.all()).toEqual([]);
});

test("whoever is out of the dataset does not get to see what was made ready or left before", async () => {
  vi.spyOn(Session.prototype, "ready", "get").mockReturnValue(Promise.resolve());
  const workspace = await site.open(1);
  await workspace.go(2);
  await arrives(() => expect(site.asked.some((each) => each.startsWith("GET /api/images/3/visit"))).toBe(true));
  await site.rests();
  removeMember();
  site.sources.at(-1)!.say("end", { reason: "gone" });
  await arrives(() => expect(workspace.session.absence).toBe("dataset"));
  const { session } = workspace;
  for (const id of [3, 1]) {
    session.editor.say(null);
    await workspace.go(id);
    expect(workspace.session).toBe(session);
    expect(session.editor.notice).toBe("You have no access to this dataset any more, or it was deleted.");
  }
});

test("who is on the way from an image that is gone to another one arrives there, whatever is tried again meanwhile", async () => {
  const workspace = await site.open();
  site.faults.set("api/images/1", 404);
  site.sources.at(-1)!.say("end", { reason: "gone" });
  await arrives(() => expect(workspace.session.absence).toBe("image"));
  const release = site.hold("/api/images/2/visit");
  const going = workspace.go(2);
  site.faults.clear();
  workspace.retry();
  release();
  await going;
  await workspace.settled();
  expect([workspace.session.id, site.address]).toEqual([2, "/images/2"]);
});

/** Leaves image 1 for 2 with a change that the server does not take. */
async function leaveUnsaved(): Promise<Workspace> {
  const workspace = await site.open(1);
  site.faults.set("/api/annotations/", 503);
  removeAll(workspace);
  await arrives(() => expect(workspace.session.queue.status).toBe("offline"));
  await workspace.go(2);
  return workspace;
}

const whyOf = ({ earlier }: Workspace): unknown => earlier.gone.map(({ id, why }) => [id, why]);

async function savedFromElsewhere(workspace: Workspace): Promise<void> {
  expect([whyOf(workspace), workspace.elsewhere.waiting]).toMatchObject([[], [{ id: 1, stuck: false }]]);
  await workspace.elsewhere.save();
  await workspace.settled();
  expect([site.servers.get(1)!.all(), workspace.elsewhere.waiting, workspace.session.id]).toEqual([[], [], 2]);
}

test("what was left waits to be saved again as soon as a viewer may edit again", async () => {
  const workspace = await leaveUnsaved();
  site.tell("viewer");
  await arrives(() => expect(workspace.session.editor.readOnly).toBe(true));
  expect(whyOf(workspace)).toEqual([[1, "viewer"]]);
  site.faults.clear();
  site.tell("annotator");
  await arrives(() => expect(workspace.session.editor.readOnly).toBe(false));
  await savedFromElsewhere(workspace);
});

test("so does it when the dataset is the person's again, whatever did not open meanwhile", async () => {
  const workspace = await leaveUnsaved();
  removeMember();
  site.sources.at(-1)!.say("end", { reason: "gone" });
  await arrives(() => expect(workspace.session.absence).toBe("dataset"));
  await workspace.go(1);
  expect(whyOf(workspace)).toEqual([[1, "dataset"]]);
  site.faults.clear();
  workspace.retryStopped();
  await arrives(() => expect(workspace.session.absence).toBeNull());
  await savedFromElsewhere(workspace);
});

test("an image that was deleted is not called back by going on to another one", async () => {
  const workspace = await site.open();
  site.faults.set("api/images/1", 404);
  site.faults.set("/api/annotations/", 404);
  removeAll(workspace);
  await arrives(() => expect(workspace.session.absence).toBe("image"));
  await workspace.go(2);
  expect([whyOf(workspace), workspace.elsewhere.waiting]).toEqual([[[1, "image"]], []]);
});

test("where the browser keeps nothing, what waits in vain can be deleted", async () => {
  const workspace = await site.open();
  site.faults.set("api/images/1", 404);
  site.faults.set("/api/annotations/", 404);
  removeAll(workspace);
  await arrives(() => expect(workspace.session.absence).toBe("image"));
  await workspace.earlier.deleteGone("image");
  expect([workspace.earlier.gone, workspace.holdsAlone, await workspace.earlier.list()]).toEqual([[], false, []]);
});

const DRAWN = { ...EMPTY_ANNOTATION, category_id: PERSON.id, bbox: [1, 2, 3, 4] as const };

/** What is seen, and what of it is marked as not saved. */
const seen = ({ session: { editor, queue } }: Workspace): unknown =>
  [...editor.document.entries()].map(([key, { bbox, iscrowd }]) => [bbox ? "drawn" : "square", iscrowd, queue.refused.get(key) ?? null]);

test("what is not saved stays to be seen, marked, by who is out of the dataset, and is saved when that is over", async () => {
  const workspace = await site.open();
  removeMember();
  const { editor } = workspace.session;
  editor.edit("Crowd", [...editor.document.entries()].map(([key]) => key), (old) => ({ ...old, iscrowd: 1 }));
  editor.transact("Draw", new Map([[newKey(), DRAWN]]));
  site.faults.set("api/datasets/1", 503);
  await arrives(() => expect(workspace.session.absence).toBe("unknown"));
  const marked = (why: string): unknown => [["square", 1, why], ["drawn", 0, why]];
  expect(seen(workspace)).toEqual(marked("This image was deleted, or you have no access to it any more."));
  site.faults.set("api/datasets/1", 404);
  await arrives(() => expect(workspace.session.absence).toBe("dataset"));
  expect(seen(workspace)).toEqual(marked("You have no access to this dataset any more, or it was deleted."));
  expect(workspace.unsaved, "nothing is tried from here").toBe(0);
  site.faults.clear();
  workspace.retryStopped();
  await arrives(() => expect(workspace.session.absence).toBeNull());
  await workspace.settled();
  expect(seen(workspace)).toEqual([["square", 1, null], ["drawn", 0, null]]);
  expect(site.servers.get(1)!.all()).toHaveLength(2);
});

test("so it does for who may only look, and what was deleted is there as it is on the server", async () => {
  const workspace = await site.open();
  site.role = "viewer";
  site.faults.set("/api/annotations/", 403);
  site.faults.set("/api/images/1/annotations", 403);
  removeAll(workspace);
  workspace.session.editor.transact("Draw", new Map([[newKey(), DRAWN]]));
  await arrives(() => expect(workspace.session.editor.readOnly).toBe(true));
  const why = "You may only look at this dataset now.";
  expect(seen(workspace)).toEqual([["square", 0, `You deleted it. ${why}`], ["drawn", 0, why]]);
  expect([workspace.session.queue.status, workspace.unsaved]).toEqual(["refused", 0]);
  site.faults.clear();
  site.tell("annotator");
  await arrives(() => expect(workspace.session.editor.readOnly).toBe(false));
  await workspace.settled();
  expect(seen(workspace)).toEqual([["drawn", 0, null]]);
  expect(site.servers.get(1)!.all()).toHaveLength(1);
});

const SAYS_SO = "what somebody gives up who %s is not shown any longer, and what the server has is seen again";

test.each(["may only look", "is out of the dataset", "was on it before"])(SAYS_SO, async (who) => {
  const workspace = await site.open(1);
  const isOut = who === "is out of the dataset";
  if (isOut) removeMember();
  else site.faults.set("annotations", 503);
  const { editor } = workspace.session;
  editor.edit("Crowd", [...editor.document.entries()].map(([key]) => key), (old) => ({ ...old, iscrowd: 1 }));
  editor.transact("Draw", new Map([[newKey(), DRAWN]]));
  if (!isOut) site.tell("viewer");
  await arrives(() => expect(workspace.session.editor.readOnly).toBe(true));
  if (isOut) await arrives(() => expect(workspace.session.absence).toBe("dataset"));
  await site.rests();
  const shown = workspace.session;
  expect([shown.queue.status, shown.queue.refused.size]).toEqual(["refused", 2]);
  if (who === "was on it before") await workspace.go(2);
  await workspace.elsewhere.deleteGone(isOut ? "dataset" : "viewer");
  await workspace.go(1);
  expect(workspace.session, "the very same").toBe(shown);
  expect([seen(workspace), shown.queue.status, shown.onlySeen]).toEqual([[["square", 0, null]], "saved", []]);
  expect([workspace.earlier.gone, await workspace.earlier.list()]).toEqual([[], []]);
});

test("what somebody else changes of what is only shown is theirs from then on, and not marked", async () => {
  const workspace = await site.open();
  site.faults.set("/api/annotations/", 503);
  const { editor } = workspace.session;
  editor.edit("Crowd", [...editor.document.entries()].map(([key]) => key), (old) => ({ ...old, iscrowd: 1 }));
  site.tell("viewer");
  await arrives(() => expect(seen(workspace)).toEqual([["square", 1, "You may only look at this dataset now."]]));
  site.faults.clear();
  site.servers.get(1)!.change(1, { iscrowd: 0, bbox: [1, 2, 3, 4] });
  await workspace.session.refresh();
  expect([seen(workspace), workspace.session.queue.status]).toEqual([[["drawn", 0, null]], "saved"]);
  expect(whyOf(workspace), "mine waits on").toEqual([[1, "viewer"]]);
});

test("whoever looks again while another image is on its way means the one on the stage", async () => {
  const workspace = await site.open();
  site.faults.set("api/images/1", 404);
  site.sources.at(-1)!.say("end", { reason: "gone" });
  await arrives(() => expect(workspace.session.absence).toBe("image"));
  const release = site.hold("/api/images/2/visit");
  const going = workspace.go(2);
  site.faults.clear();
  workspace.lookAgain();
  await arrives(() => expect(workspace.session.absence).toBeNull());
  release();
  await going;
  await site.rests();
  expect([workspace.session.id, site.address]).toEqual([1, "/images/1"]);
});

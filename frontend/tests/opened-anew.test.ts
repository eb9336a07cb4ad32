/** What becomes of changes when the image on the stage is opened anew, for another role or because it is there again. */

import { expect, test } from "vitest";

import type { Workspace } from "../src/workspace";
import { arrives } from "./arrives";
import { eachWithSite, type Site } from "./site";

let site: Site;
eachWithSite((made) => (site = made));

/** Moves the square so far, as with the arrow keys: the step stays open a moment for the next one. */
function moveSquare({ session: { editor } }: Workspace, by: number): void {
  editor.select([...editor.document.entries()].map(([key]) => key));
  editor.nudge(by, 0);
}

function endStep({ session: { editor } }: Workspace): void {
  editor.settle();
}

const shownSquare = ({ session: { editor } }: Workspace): unknown => [...editor.document.entries()][0]?.[1].segmentation;
const squareAt = (x: number): number[][] => [[x, 10, x + 30, 10, x + 30, 40, x, 40]];

const IN_NEW = "what is changed %s is in the image that another role opens anew, and is saved from there";

test.each(["before it is asked for", "while it loads"])(IN_NEW, async (when) => {
  const workspace = await site.open(1);
  const { editor } = workspace.session;
  const isLate = when === "while it loads";
  const release = isLate ? site.hold("/api/images/1/visit") : () => undefined;
  site.faults.set("/api/annotations/", 503);
  if (!isLate) moveSquare(workspace, 5);
  site.tell("owner");
  if (isLate) {
    await arrives(() => expect(site.asked.filter((each) => each.startsWith("GET /api/images/1/visit"))).toHaveLength(2));
    moveSquare(workspace, 5);
  }
  release();
  await arrives(() => expect(workspace.session.editor).not.toBe(editor));
  expect([shownSquare(workspace), workspace.unsaved]).toEqual([squareAt(15), 1]);
  site.faults.clear();
  workspace.retry();
  await workspace.settled();
  expect([site.servers.get(1)!.now(1)!.segmentation, await workspace.earlier.list()]).toEqual([squareAt(15), []]);
  moveSquare(workspace, 3);
  endStep(workspace);
  await workspace.settled();
  expect([site.servers.get(1)!.now(1)!.segmentation, await workspace.earlier.list()]).toEqual([squareAt(18), []]);
});

test("an answer that comes after another role had the image opened anew puts nothing back that was saved since", async () => {
  const workspace = await site.open(1);
  const before = workspace.session;
  const release = site.hold("/api/annotations/", 1);
  moveSquare(workspace, 5);
  endStep(workspace);
  await arrives(() => expect(site.asked).toContain("PATCH /api/annotations/1"));
  site.tell("owner");
  await arrives(() => expect(workspace.session).not.toBe(before));
  moveSquare(workspace, 3);
  endStep(workspace);
  await workspace.settled();
  release();
  await site.rests();
  expect([await workspace.earlier.list(), workspace.holdsAlone]).toEqual([[], false]);
  await workspace.go(2);
  await workspace.go(1);
  await site.rests();
  expect([workspace.session.queue.status, shownSquare(workspace)]).toEqual(["saved", squareAt(18)]);
});

test("an answer that comes late takes nothing away that the image has still to save", async () => {
  const workspace = await site.open(1);
  const before = workspace.session;
  const release = site.hold("/api/annotations/", 1);
  moveSquare(workspace, 5);
  endStep(workspace);
  await arrives(() => expect(site.asked).toContain("PATCH /api/annotations/1"));
  const later = site.hold("/api/annotations/", 1);
  site.tell("owner");
  await arrives(() => expect(workspace.session).not.toBe(before));
  // The first request is done now, and the one that follows it waits.
  release();
  await arrives(() => expect(site.servers.get(1)!.now(1)!.version).toBe(2));
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([workspace.unsaved, await workspace.earlier.list()]).toMatchObject([1, [{ imageId: 1 }]]);
  later();
  await workspace.settled();
  expect([site.servers.get(1)!.now(1)!.segmentation, await workspace.earlier.list()]).toEqual([squareAt(15), []]);
});

test("nor does one that comes after the image was shown as deleted", async () => {
  const workspace = await site.open(1);
  const release = site.hold("/api/annotations/", 1);
  moveSquare(workspace, 5);
  endStep(workspace);
  await arrives(() => expect(site.asked).toContain("PATCH /api/annotations/1"));
  site.faults.set("/api/datasets/1", 404);
  site.sources.at(-1)!.say("end", { reason: "gone" });
  await arrives(() => expect(workspace.session.absence).toBe("dataset"));
  release();
  await site.rests();
  expect([workspace.earlier.gone, await workspace.earlier.list()]).toMatchObject([[{ id: 1 }], [{ imageId: 1 }]]);
  site.faults.clear();
  workspace.retryStopped();
  await arrives(() => expect(workspace.session.absence).toBeNull());
  await workspace.settled();
  expect([workspace.session.queue.status, site.servers.get(1)!.now(1)!.segmentation]).toEqual(["saved", squareAt(15)]);
  expect([workspace.earlier.gone, await workspace.earlier.list()]).toEqual([[], []]);
});

test("where the image that they go back to does not open for another role, the address is that of the one they see", async () => {
  const workspace = await site.open(2, ["/images/1", "/images/2"]);
  const release = site.hold("/api/images/1/visit");
  site.travel(-1);
  site.tell("viewer");
  site.faults.set("/api/images/1/visit", 503);
  release();
  await arrives(() => expect(workspace.session.editor.notice).toBe("The image does not open. No."));
  expect([workspace.session.id, site.address]).toEqual([2, "/images/2"]);
});

test.each(["on their way", "on their way back"])("another role does not call back who is %s to another image", async (way) => {
  const workspace = await site.open(2, ["/images/1", "/images/2"]);
  const [to, address] = way === "on their way" ? [3, "/images/3"] : [1, "/images/1"];
  const release = site.hold(`/api/images/${to}/visit`);
  if (to === 3) void workspace.go(3);
  else site.travel(-1);
  site.tell("viewer");
  release();
  await arrives(() => expect(workspace.session.id).toBe(to));
  await site.rests();
  expect([workspace.session.id, site.address, workspace.session.page.role]).toEqual([to, address, "viewer"]);
  expect(workspace.session.editor.notice).toContain("You may only look at this dataset now");
  // What was on the stage before has the new role, too.
  await workspace.go(2);
  expect([workspace.session.editor.readOnly, site.address]).toEqual([true, "/images/2"]);
});

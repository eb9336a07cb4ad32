import { expect, test, vi } from "vitest";

import { COMBINE } from "../src/editor/combining";
import { COMMANDS } from "../src/editor/commands";
import { reject } from "../src/editor/deciding";
import { Session } from "../src/session";
import { arrives } from "./arrives";
import { click, eachWithSite, pointer, type Site } from "./site";
import { CUP, PERSON } from "./story";

const HELD = "Finish the shape in hand or drop it, then leave the image.";

let site: Site;
eachWithSite((made) => (site = made));

test("an image of another dataset gets a page of its own, with the categories that it has there", async () => {
  const workspace = await site.open();
  const { session } = workspace;
  site.elsewhere.set(4, 2);
  await workspace.go(4);
  expect(site.left).toBe("/images/4");
  expect([workspace.session, workspace.session.id, site.address]).toEqual([session, 1, "/images/1"]);
  await workspace.go(2);
  expect([workspace.session.id, workspace.session.page.dataset.name]).toEqual([2, "cups"]);
});

test("what another tab has taken up meanwhile waits here no longer", async () => {
  const workspace = await site.open();
  workspace.earlier.note([{ imageId: 3, fileName: "3.jpg" } as never]);
  expect(workspace.elsewhere.waiting).toMatchObject([{ id: 3, name: "3.jpg" }]);
  await workspace.elsewhere.save();
  expect([workspace.elsewhere.waiting, workspace.earlier.gone]).toEqual([[], []]);
});

test("a shape in hand stops every way to another image", async () => {
  const workspace = await site.open(2);
  const { session } = workspace;
  const { editor } = session;
  editor.hand.choose("polygon");
  click(editor, 60, 60);
  const stays = (): void => {
    expect([workspace.session, editor.hand.path, editor.notice]).toEqual([session, "polygon.drawing", HELD]);
    expect(site.address).toBe("/images/2");
    editor.say(null);
  };
  await workspace.go(3);
  stays();
  await workspace.navigation.doneAndNext();
  stays();
  await workspace.navigation.toUnannotated("previous");
  stays();

  editor.hand.intend("cancel");
  editor.chooseCategory(PERSON.id);
  editor.hand.choose("keypoints");
  click(editor, 60, 60);
  expect(editor.hand.path).toBe("keypoints.placing");
  await workspace.go(3);
  expect(workspace.session).toBe(session);
  editor.hand.intend("complete");
  await workspace.settled();
  expect(site.servers.get(2)!.all()).toHaveLength(2);
  await workspace.go(3);
  expect(workspace.session.id).toBe(3);
});

test("so does one that was taken up while the next image was loading", async () => {
  const workspace = await site.open(1);
  const { session } = workspace;
  const { editor } = session;
  const release = site.hold("/api/images/3");
  const going = workspace.go(3);
  editor.hand.choose("polygon");
  click(editor, 60, 60);
  release();
  await going;
  expect([workspace.session, editor.hand.path, editor.notice]).toEqual([session, "polygon.drawing", HELD]);
  expect(site.address).toBe("/images/1");
  editor.hand.intend("cancel");

  await workspace.go(2);
  const here = workspace.session.editor;
  here.hand.choose("polygon");
  click(here, 60, 60);
  site.travel(-1);
  await workspace.settled();
  expect([workspace.session.id, here.notice]).toEqual([2, HELD]);
  expect(site.address, "the address comes back to the shape").toBe("/images/2");
});

test("a session that leaves with an open step closes it, so that its changes are saved", async () => {
  const workspace = await site.open(1);
  const { session } = workspace;
  const { editor } = session;
  editor.select([...editor.document.entries()].map(([key]) => key));
  // Moved by the keyboard, the step stays open a moment for the next key.
  editor.nudge(5, 0);
  expect(editor.history.open).toBe(true);
  await workspace.go(2);
  expect(editor.history.open).toBe(false);
  await session.settled();
  expect(site.servers.get(1)!.now(1)!.segmentation).toEqual([[15, 10, 45, 10, 45, 40, 15, 40]]);

  // Nobody leaves with a gesture in hand; one that does leave puts it down.
  const here = workspace.session;
  const [square] = [...here.editor.document.entries()].map(([key]) => key);
  here.editor.select([square!]);
  here.editor.hand.choose("select");
  pointer(here.editor, "down", 25, 25);
  pointer(here.editor, "move", 60, 60);
  expect(here.editor.history.open).toBe(true);
  here.leave();
  expect([here.editor.hand.busy, here.editor.history.open, here.unsaved]).toEqual([false, false, 0]);
});

test("what is in hand comes along to an image that was open before, and nothing of before with it", async () => {
  const workspace = await site.open(1);
  const first = workspace.session.editor;
  expect([first.categoryId, first.hand.toolId]).toEqual([PERSON.id, "select"]);
  first.options.set(COMBINE, "subtract");
  await workspace.go(2);
  const second = workspace.session.editor;
  expect(second.options.get(COMBINE)).toBe("subtract");
  second.chooseCategory(CUP.id);
  second.hand.choose("polygon");
  second.options.set(COMBINE, "add");
  // What arrives on an image that left is nothing that the person chose.
  first.setCategories(first.categories);
  await workspace.go(1);
  expect(workspace.session.editor).toBe(first);
  expect([first.categoryId, first.hand.toolId, first.options.get(COMBINE)]).toEqual([CUP.id, "polygon", "add"]);

  const later = (await site.open(3)).session.editor;
  expect([later.categoryId, later.hand.toolId, later.options.get(COMBINE)]).toEqual([CUP.id, "polygon", "add"]);
});

test("what others changed is not taken over under a hand that has begun with it", async () => {
  const workspace = await site.open(1);
  const { session } = workspace;
  const { editor, queue } = session;
  const server = site.servers.get(1)!;
  const theirs = [[12, 12, 40, 10, 40, 40, 10, 40]];
  const [key] = [...editor.document.entries()].map(([each]) => each);
  await workspace.go(2);
  server.change(1, { segmentation: theirs });
  const release = site.hold("/api/images/1/annotations");
  await workspace.go(1);
  editor.select([key!]);
  pointer(editor, "down", 10, 10);
  expect(editor.hand.path).toBe("select.dragging_point");
  release();
  await site.rests();
  pointer(editor, "move", 20, 20);
  pointer(editor, "up", 20, 20);
  await arrives(() => expect(queue.conflicts).toEqual([key]));
  expect(server.now(1)!.segmentation).toEqual(theirs);
  queue.resolve(key!, "theirs");
  await workspace.settled();
  expect(editor.document.get(key!)!.segmentation).toEqual(theirs);
});

test("a sign-in that ended is told though nothing waits, and what others do is followed again after it", async () => {
  const workspace = await site.open(1);
  const { editor, queue } = workspace.session;
  const [key] = [...editor.document.entries()].map(([each]) => each);
  site.faults.set("/api/images/1", 401);
  site.sources.at(-1)!.say("end", { reason: "signed_out" });
  expect([queue.status, workspace.unsaved]).toEqual(["signed-out", 0]);
  workspace.retryStopped();
  await arrives(() => expect(queue.status, "still signed out").toBe("signed-out"));
  const opened = site.sources.length;
  site.faults.clear();
  site.servers.get(1)!.change(1, { iscrowd: 1 });
  workspace.retryStopped();
  await arrives(() => expect(editor.document.get(key!)!.iscrowd).toBe(1));
  expect(queue.status).toBe("saved");
  expect(site.sources).toHaveLength(opened + 1);
  expect(site.sources.at(-1)!.readyState, "open").toBe(0);
});

test("whoever turns back while an image is loading stays where the address is", async () => {
  const workspace = await site.open(2, ["/images/1", "/images/2"]);
  const release = site.hold("/api/images/1/annotations");
  site.travel(-1);
  site.travel(1);
  release();
  await workspace.settled();
  await site.rests();
  expect([workspace.session.id, site.address]).toEqual([2, "/images/2"]);

  const held = site.hold("/api/images/3/annotations");
  const going = workspace.go(3);
  await workspace.go(2);
  held();
  await going;
  expect([workspace.session.id, site.address]).toEqual([2, "/images/2"]);
});

test("a list of predictions that was asked for before a decision does not undo what the decision did", async () => {
  const wire = { set_id: 1, kind: "bbox", score: 0.5, category_id: PERSON.id, segmentation: null, bbox: [1, 2, 3, 4] };
  const [first, second] = [1, 2].map((id) => ({ ...wire, id, holes: [], keypoints: null, caption: null }));
  site.predictions = [first!, second!];
  const { session } = await site.open(1);
  const { predictions } = session.editor;
  await arrives(() => expect(predictions.count).toBe(2));

  // Somebody else rejected the first, which makes the page ask; meanwhile the second is rejected here.
  const release = site.hold("/api/images/1/predictions");
  site.predictions = [second!];
  site.tell("annotator", "1-2");
  reject(session.editor, [predictions.listed[1]!]);
  await session.settled();
  site.predictions = [];
  release();
  await arrives(() => expect(predictions.count).toBe(0));
  await site.rests();
  expect(predictions.count).toBe(0);
});

test("the picture of an image that was left is not fetched any longer", async () => {
  site.hasFiles = true;
  const workspace = await site.open(1);
  const isStopped = (id: number): boolean | undefined =>
    site.pictures.find(({ path }) => path === `/api/images/${id}/picture`)?.signal?.aborted;
  await arrives(() => expect(isStopped(1)).toBe(false));
  await workspace.go(2);
  expect(isStopped(1)).toBe(true);
  await arrives(() => expect(isStopped(2)).toBe(false));
});

test("who is made a viewer only looks from then on, and is told what became of unsaved changes", async () => {
  const workspace = await site.open(1);
  const { editor } = workspace.session;
  editor.hand.choose("polygon");
  click(editor, 60, 60);
  // The stream tells of it, whatever is in hand.
  site.tell("viewer");
  await arrives(() => expect(workspace.session.editor).not.toBe(editor));
  const now = workspace.session;
  await arrives(() => expect(now.editor.notice).toContain("You may only look at this dataset now"));
  expect([now.id, now.page.role, now.editor.readOnly]).toEqual([1, "viewer", true]);
  expect(now.editor.hand.tools.map(({ id }) => id)).not.toContain("polygon");

  // And back, which makes it a place to draw again.
  site.tell("annotator");
  await arrives(() => expect(workspace.session.editor.readOnly).toBe(false));
});

test("without live updates the first refusal tells of another role", async () => {
  const workspace = await site.open(1);
  const { editor } = workspace.session;
  site.role = "viewer";
  site.faults.set("/api/annotations/", 403);
  editor.select([...editor.document.entries()].map(([key]) => key));
  editor.nudge(5, 0);
  editor.signal.emit("settled");
  await arrives(() => expect(workspace.session.editor.readOnly).toBe(true));
  await arrives(() => expect(workspace.session.editor.notice).toContain("1 change could not be saved"));
});

test("whoever signs out leaves no copies of annotations in the browser, and keeps how it is set up", async () => {
  const workspace = await site.open(1);
  const { editor } = workspace.session;
  const assign = vi.fn();
  vi.stubGlobal("location", { pathname: "/images/1", assign });
  editor.select([...editor.document.entries()].map(([key]) => key));
  editor.hand.choose("select");
  COMMANDS.find(({ id }) => id === "copy")!.run(editor);
  editor.poses.put(PERSON.id, [0, 0, 2, 1, 1, 2, 0, 1, 2]);
  site.local.setItem("maskwright-clipboard-1-9", "{}");
  site.local.setItem("maskwright-display-1", "{}");
  const kept = (): (string | null)[] => Array.from({ length: site.local.length }, (_, i) => site.local.key(i)).sort();
  expect(kept()).toEqual(expect.arrayContaining(["maskwright-clipboard-1-1", "maskwright-poses-1"]));
  // Whoever stays signed in keeps them.
  site.faults.set("/api/session", 500);
  await workspace.account.signOut();
  expect(kept()).toContain("maskwright-clipboard-1-1");
  site.faults.set("/api/session", 401);
  await workspace.account.signOut();
  expect(assign).toHaveBeenCalledWith("/login");
  expect(kept().filter((place) => /clipboard|poses/.test(place!))).toEqual([]);
  expect(kept()).toContain("maskwright-display-1");
});

test("of images that were left only the next and the previous one keep their drawn shapes", async () => {
  const workspace = await site.open(1);
  const first = workspace.session;
  const closed = vi.spyOn(first, "close");
  await workspace.go(2);
  expect(closed, "it is the previous one").not.toHaveBeenCalled();
  await workspace.go(3);
  expect(closed).toHaveBeenCalled();
  await workspace.go(1);
  expect(workspace.session, "itself it is kept").toBe(first);
});

test("the status that was asked for last stays, whichever answer arrives last", async () => {
  const { session } = await site.open(1);
  const { editor } = session;
  const patches = (): number => site.asked.filter((each) => each === "PATCH /api/images/1").length;
  const release = site.hold("/api/images/1");
  const marked = [session.setStatus("done"), session.setStatus("empty")];
  await arrives(() => expect(patches()).toBe(1));
  release();
  expect(await Promise.all(marked)).toEqual([true, true]);
  expect([patches(), editor.image.status]).toEqual([2, "empty"]);

  // Asked before the change, answered after it.
  const late = site.hold("/api/images/1", 1);
  const refreshed = session.refresh();
  await session.setStatus("done");
  late();
  await refreshed;
  expect(editor.image.status).toBe("done");
});

test("three presses in a row lead three images on, and load none in between", async () => {
  const workspace = await site.open(1);
  const first = workspace.session;
  const { editor } = first;
  // Unsaved changes go on being saved on the way.
  const release = site.hold("/api/annotations/");
  editor.select([...editor.document.entries()].map(([key]) => key));
  editor.nudge(5, 0);
  editor.signal.emit("settled");
  const late = site.hold("/visit");
  const before = site.asked.length;
  const presses = [1, 2, 3].map(() => workspace.navigation.next());
  await Promise.all(presses);
  late();
  await arrives(() => expect(workspace.session.id).toBe(4));
  expect(site.address).toBe("/images/4");
  expect(workspace.unsaved).toBe(1);
  const asked = site.asked.slice(before);
  expect(asked.filter((each) => each.endsWith("/images/3/neighbours"))).toHaveLength(1);
  release();
  await workspace.settled();
  expect(first.unsaved).toBe(0);
  // One way back, not three.
  site.travel(-1);
  await arrives(() => expect(workspace.session).toBe(first));
});

test("what was pressed before they chose another way is forgotten", async () => {
  const workspace = await site.open(2);
  const { navigation } = workspace;
  const question = site.hold("/neighbours");
  const pressed = [navigation.next(), navigation.next()];
  await arrives(() => expect(site.asked.some((each) => each.endsWith("/images/3/neighbours"))).toBe(true));
  await workspace.go(1);
  question();
  await Promise.all(pressed);
  await site.rests();
  expect(workspace.session.id).toBe(1);
});

test("an image on the way that is gone ends the way, and the next press begins a new one", async () => {
  site.faults.set("/api/images/3", 404);
  const workspace = await site.open(2);
  const { navigation } = workspace;
  await Promise.all([navigation.next(), navigation.next()]);
  await site.rests();
  expect([workspace.session.id, navigation.underWay]).toEqual([2, false]);
  expect(workspace.session.editor.notice).not.toBeNull();
  site.faults.clear();
  await Promise.all([navigation.next(), navigation.next(), navigation.next()]);
  await arrives(() => expect(workspace.session.id).toBe(5));
});

test("the way back to what was just marked done goes on leading there until the image is gone", async () => {
  const workspace = await site.open(1);
  const { navigation } = workspace;
  site.gone.add(1);
  await navigation.doneAndNext();
  await arrives(() => expect(workspace.session.id).toBe(2));
  // Until nothing of the first is kept here.
  for (const id of [5, 4, 2]) await workspace.go(id);
  await workspace.session.refresh();
  const { session } = workspace;
  const previous = async (): Promise<unknown[]> => {
    await navigation.previous();
    await site.rests();
    return [workspace.session, session.editor.notice, navigation.near(session).previous];
  };
  session.editor.hand.choose("polygon");
  click(session.editor, 60, 60);
  expect(await previous()).toEqual([session, HELD, 1]);
  session.editor.hand.intend("cancel");
  site.faults.set("/api/images/1", 503);
  expect(await previous()).toEqual([session, "The image does not open. No.", 1]);
  site.faults.set("/api/images/1", 404);
  expect(await previous()).toEqual([session, expect.any(String), null]);
});

test("neighbours that were asked for earlier do not take the place of newer ones", async () => {
  const { session } = await site.open(1);
  const late = site.hold("/neighbours", 1);
  const first = session.refresh();
  site.gone.add(2);
  await session.refresh();
  expect(session.neighbours?.next).toBe(3);
  late();
  await first;
  expect(session.neighbours?.next).toBe(3);
});

test("categories that were asked for earlier do not take the place of newer ones", async () => {
  const { session } = await site.open(1);
  const name = (): string | undefined => session.editor.category(CUP.id)?.name;
  const late = site.hold("/api/datasets/1/categories", 1);
  site.categories = [PERSON, { ...CUP, name: "mug" }];
  site.tell("annotator", "0-0", "a");
  site.categories = [PERSON, { ...CUP, name: "pot" }];
  site.tell("annotator", "0-0", "b");
  await arrives(() => expect(name()).toBe("pot"));
  late();
  await site.rests();
  expect(name()).toBe("pot");
});

test("an image that was on its way while the categories changed has the new ones", async () => {
  const workspace = await site.open(1);
  const made = site.hold("/api/images/3/visit");
  const going = workspace.go(3);
  // It is made ready with the old ones, and only the browser's store keeps it waiting.
  made();
  site.categories = [PERSON, { ...CUP, name: "mug" }];
  site.tell("annotator", "0-0", "a");
  await going;
  await arrives(() => expect(workspace.session.editor.category(CUP.id)?.name).toBe("mug"));
});

test("an image that is being made ready is not asked for once more by whoever goes there", async () => {
  // Nothing is on a screen here, which the neighbours wait for.
  vi.spyOn(Session.prototype, "ready", "get").mockReturnValue(Promise.resolve());
  const release = site.hold("/api/images/2/visit");
  const workspace = await site.open(1);
  const asked = (): number => site.asked.filter((each) => each.startsWith("GET /api/images/2/visit")).length;
  await arrives(() => expect(asked()).toBe(1));
  const going = workspace.go(2);
  release();
  await going;
  expect([workspace.session.id, asked()]).toEqual([2, 1]);
});

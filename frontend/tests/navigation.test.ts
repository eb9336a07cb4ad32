import { expect, test } from "vitest";

import type { Answer, Ask } from "../src/api/client";
import type { Command } from "../src/editor/commands";
import { Navigation, type Here } from "../src/navigation";
import { PERSON, Story } from "./story";

const KNOWN = {
  image_id: 4,
  category_id: PERSON.id,
  version: 3,
  task: "instances",
  segmentation: null,
  holes: [],
  bbox: [10, 10, 20, 20],
  area: 400,
  iscrowd: 0,
  keypoints: null,
  num_keypoints: null,
  attributes: {},
  score: null,
  caption: null,
  other_keys: [],
};

class Visit {
  readonly story = new Story();
  readonly asked: string[] = [];
  readonly went: number[] = [];
  readonly statuses: string[] = [];
  answers: Record<string, unknown> = {};
  accepted = true;
  /** What is asked for there ends in an error that no answer of a server is. */
  breaks: string | null = null;
  /** Grows when they take another way meanwhile. */
  way = 0;
  /** What they have asked for is on the stage at once, unless it is kept from arriving. */
  here = 5;
  arrives = true;
  neighbours: Here["neighbours"] = { previous: 4, next: 6, position: 2, total: 3 };
  readonly navigation: Navigation;

  constructor() {
    const here: Here = {
      id: 5,
      editor: this.story.editor,
      neighbours: null,
      setStatus: (status) => {
        this.statuses.push(status);
        return Promise.resolve(this.accepted);
      },
    };
    this.navigation = new Navigation({
      transport: (ask) => new Promise((resolve) => resolve(this.#answer(ask))),
      datasetId: 1,
      query: "subset=val&sort=file_name",
      session: () => ({ ...here, id: this.here, neighbours: this.neighbours }),
      destination: () => {
        const id = this.went.at(-1) ?? this.here;
        return { id, neighbours: id === this.here ? this.neighbours : null };
      },
      way: () => this.way,
      go: (id) => {
        this.went.push(id);
        if (this.arrives) this.here = id;
      },
    });
  }

  #answer({ path }: Ask): Answer {
    this.asked.push(path);
    const address = path.split("?")[0]!;
    if (address === this.breaks) throw new Error("a mistake");
    const body = this.answers[address];
    const known = body !== undefined;
    return { status: known ? 200 : 404, body: body ?? { detail: "There is no such image." }, retryAfterSeconds: null };
  }

  get notice(): string | null {
    return this.story.editor.notice;
  }
}

test("to the nearest image that waits, with the filters of the grid", async () => {
  const visit = new Visit();
  visit.answers["/api/images/5/neighbours"] = { previous: null, next: 9, position: null, total: 1 };
  await visit.navigation.toUnannotated("next");
  expect(visit.asked).toEqual(["/api/images/5/neighbours?subset=val&sort=file_name&waiting=true"]);
  expect(visit.went).toEqual([9]);
  visit.answers["/api/images/9/neighbours"] = { previous: null, next: null, position: null, total: 1 };
  await visit.navigation.toUnannotated("previous");
  expect(visit.went).toEqual([9]);
  expect(visit.notice).toBe("No image before this one waits for its first annotation.");
});

test("to a number, or the reason why not", async () => {
  const visit = new Visit();
  visit.answers["/api/datasets/1/images"] = { items: [{ id: 12 }], next_cursor: null };
  await visit.navigation.toNumber(3);
  expect(visit.asked).toEqual(["/api/datasets/1/images?subset=val&sort=file_name&limit=1&skip=2"]);
  visit.answers["/api/datasets/1/images"] = { items: [], next_cursor: null };
  await visit.navigation.toNumber(99);
  expect([visit.went, visit.notice]).toEqual([[12], "There is no image 99 in this list."]);
  visit.answers = {};
  await visit.navigation.toNumber(1);
  expect([visit.went, visit.notice]).toEqual([[12], "There is no such image."]);
});

test("done and next stays when the server refuses, and at the end of the list", async () => {
  const visit = new Visit();
  visit.accepted = false;
  await visit.navigation.doneAndNext();
  expect(visit.went).toEqual([]);
  visit.accepted = true;
  await visit.navigation.doneAndNext();
  expect([visit.went, visit.statuses]).toEqual([[6], ["done", "done"]]);
  visit.neighbours = { previous: 5, next: null, position: 3, total: 3 };
  await visit.navigation.doneAndNext();
  expect([visit.went, visit.notice]).toEqual([[6], "This was the last image of the list."]);
});

test("the annotations of the image before are repeated as new ones, in one step", async () => {
  const visit = new Visit();
  const items = [1, 2].map((id) => ({ ...KNOWN, id, coco_id: id }));
  visit.answers["/api/images/4/annotations"] = { items, next_cursor: null };
  await visit.navigation.repeatPrevious();
  const { editor } = visit.story;
  expect(visit.story.annotations.map(({ bbox }) => bbox)).toEqual([[10, 10, 20, 20], [10, 10, 20, 20]]);
  expect([...editor.document.entries()].map(([key]) => editor.document.facts(key))).toEqual([null, null]);
  expect(editor.history.undoLabel).toBe("Repeat the previous image");
  editor.undo();
  expect(visit.story.annotations).toEqual([]);
});

test("there is nothing to repeat of an empty image, and nothing at all without one", async () => {
  const visit = new Visit();
  visit.answers["/api/images/4/annotations"] = { items: [], next_cursor: null };
  await visit.navigation.repeatPrevious();
  expect(visit.notice).toBe("The previous image has no annotations.");
  visit.neighbours = { previous: null, next: 6, position: 1, total: 2 };
  const repeat = visit.navigation.commands.find(({ id }) => id === "repeat-previous")!;
  expect(repeat.when!(visit.story.editor)).toBe(false);
});

test("each press counts from where the one before it leads, though nothing has arrived yet", async () => {
  const visit = new Visit();
  visit.arrives = false;
  const near = (previous: number | null, next: number | null): object => ({ previous, next, position: null, total: 9 });
  visit.answers["/api/images/6/neighbours"] = near(5, 7);
  visit.answers["/api/images/7/neighbours"] = near(6, null);
  const { navigation } = visit;
  await Promise.all([navigation.next(), navigation.next(), navigation.next(), navigation.previous()]);
  // Behind the last one is nothing, which keeps nobody from going back.
  expect(visit.went).toEqual([6, 7, 6]);
  expect(visit.asked).toEqual(expect.not.arrayContaining([expect.stringContaining("/visit")]));
  visit.answers["/api/images/6/neighbours"] = near(null, 12);
  await Promise.all([navigation.toUnannotated("next"), navigation.previous()]);
  expect(visit.asked.at(-2)).toBe("/api/images/6/neighbours?subset=val&sort=file_name&waiting=true");
  expect(visit.asked.at(-1)).toContain("/api/images/12/neighbours");
});

test("a press that fails keeps none of those after it from leading somewhere", async () => {
  const visit = new Visit();
  visit.breaks = "/api/images/5/neighbours";
  const { navigation } = visit;
  const failed = navigation.toUnannotated("next");
  const pressed = navigation.next();
  await expect(failed).rejects.toThrow("a mistake");
  await pressed;
  expect([visit.went, navigation.underWay]).toEqual([[6], false]);

  visit.breaks = "/api/images/5/annotations";
  await expect(navigation.repeatPrevious()).rejects.toThrow("a mistake");
  visit.breaks = null;
  visit.answers["/api/images/5/annotations"] = { items: [{ ...KNOWN, id: 1, coco_id: 1 }], next_cursor: null };
  await navigation.repeatPrevious();
  expect(visit.story.annotations).toHaveLength(1);
});

test("what is on its way is not called done, and keys held down wait for what they have brought", async () => {
  const visit = new Visit();
  visit.arrives = false;
  const { navigation } = visit;
  const named = (id: string): Command => navigation.commands.find((each) => each.id === id)!;
  expect(named("next-image").again!()).toBe(true);
  await navigation.next();
  expect(navigation.underWay).toBe(true);
  expect(["next-image", "previous-unannotated", "done-and-next"].map((id) => named(id).again!())).toEqual([false, false, false]);
  await navigation.doneAndNext();
  expect(visit.statuses).toEqual([]);
  visit.here = 6;
  expect(navigation.underWay).toBe(false);
  await Promise.all([navigation.doneAndNext(), navigation.doneAndNext()]);
  expect(visit.statuses).toEqual(["done"]);
});

test("a way that was asked for leads nowhere when they took another one before the answer", async () => {
  const visit = new Visit();
  visit.answers["/api/images/5/neighbours"] = { previous: null, next: 9, position: null, total: 1 };
  visit.answers["/api/datasets/1/images"] = { items: [{ id: 7 }] };
  const ways = [
    () => visit.navigation.toUnannotated("next"),
    () => visit.navigation.toUnannotated("previous"),
    () => visit.navigation.toNumber(3),
    () => visit.navigation.doneAndNext(),
  ];
  for (const way of ways) {
    const under = way();
    visit.way += 1;
    await under;
  }
  expect([visit.went, visit.statuses, visit.notice]).toEqual([[], ["done"], null]);
});

test("before an image is the one from which they went on to it, though it has left the list", async () => {
  const visit = new Visit();
  const { navigation, story } = visit;
  const named = (id: string): Command => navigation.commands.find((each) => each.id === id)!;
  // The list has only what is not done: 5 is not in it any more, and nothing else is before 6.
  await navigation.doneAndNext();
  visit.neighbours = { previous: null, next: 7, position: 1, total: 2 };
  expect(navigation.near({ id: 6, neighbours: visit.neighbours })).toEqual({ previous: 5, next: 7 });
  expect(["previous-image", "repeat-previous"].map((id) => named(id).when!(story.editor))).toEqual([true, true]);
  await navigation.previous();
  expect(visit.went).toEqual([6, 5]);

  // From there the way on is the list's. What did not open is tried again, unless it is gone: then the list leads back.
  visit.neighbours = { previous: null, next: 6, position: null, total: 2 };
  await navigation.next();
  visit.neighbours = { previous: 3, next: 7, position: 1, total: 2 };
  visit.arrives = false;
  visit.went.length = 0;
  const back = async (): Promise<number | undefined> => {
    await navigation.previous();
    return visit.went.pop();
  };
  expect([await back(), await back(), navigation.near({ id: 6, neighbours: visit.neighbours }).previous]).toEqual([5, 5, 5]);
  navigation.forget(5);
  expect(await back()).toBe(3);
});

test("nobody who goes back is led in a circle by an order that has changed meanwhile", async () => {
  const visit = new Visit();
  const { navigation } = visit;
  for (const next of [6, 7, 5]) {
    visit.neighbours = { previous: null, next, position: 1, total: 3 };
    await navigation.next();
  }
  visit.neighbours = { previous: null, next: null, position: 3, total: 3 };
  for (let press = 0; press < 4; press++) await navigation.previous();
  expect(visit.went).toEqual([6, 7, 5, 7, 6]);
});

test("who turns back while the next image is on its way is led to the one that was just marked done", async () => {
  const visit = new Visit();
  visit.arrives = false;
  visit.answers["/api/images/6/neighbours"] = { previous: 3, next: 7, position: 1, total: 2 };
  await Promise.all([visit.navigation.doneAndNext(), visit.navigation.previous()]);
  expect(visit.went).toEqual([6, 5]);
});

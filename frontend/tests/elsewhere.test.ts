import { expect, test, vi } from "vitest";

import { RequestError } from "../src/api/client";
import type { PendingStore } from "../src/api/pending-store";
import { EarlierChanges } from "../src/earlier-changes";
import { Elsewhere } from "../src/elsewhere";
import { LeftSessions } from "../src/left-sessions";
import type { Session } from "../src/session";

const NOTHING = {} as PendingStore;
const problem = (status: number): RequestError =>
  new RequestError({ status, title: "", code: "x", detail: "No." } as never);

/** As far as this looks at one. */
function left(id: number, status: string, unsaved = 1): Session {
  return { id, unsaved, image: { file_name: `${id}.jpg` }, queue: { status } } as unknown as Session;
}

function place(open: (id: number) => Promise<void>, ...sessions: Session[]) {
  const earlier = new EarlierChanges(NOTHING, 1);
  const say = vi.fn();
  const retry = vi.fn();
  const leftBehind = new LeftSessions();
  for (const session of sessions) leftBehind.add(session);
  const queue = { signedOut: vi.fn() };
  const shown = (): Session => ({ id: 1, absence: null, editor: { say }, queue }) as unknown as Session;
  const elsewhere = new Elsewhere({ earlier, left: leftBehind, shown, open, retry });
  const note = (...ids: number[]): void =>
    earlier.note(ids.map((imageId) => ({ imageId, fileName: `${imageId}.jpg` }) as never));
  return { earlier, elsewhere, note, say, retry, queue };
}

test("what waits is named once, but for the image on the stage and what is being saved", () => {
  const sessions = [left(2, "offline"), left(3, "saving"), left(4, "conflict"), left(5, "saved", 0)];
  const { elsewhere, note } = place(() => Promise.resolve(), ...sessions);
  note(1, 2, 6);
  expect(elsewhere.waiting).toEqual([
    { id: 2, name: "2.jpg", stuck: false },
    { id: 6, name: "6.jpg", stuck: false },
    { id: 4, name: "4.jpg", stuck: true },
  ]);
});

test("one press opens all that is not open; what is gone keeps no other from being saved", async () => {
  const opened: number[] = [];
  const open = (id: number): Promise<void> => {
    opened.push(id);
    return id === 3 ? Promise.reject(problem(404)) : Promise.resolve();
  };
  const { earlier, elsewhere, note, say, retry } = place(open, left(2, "offline"));
  note(2, 3, 4);
  await elsewhere.save();
  expect([opened, retry.mock.calls.length, say.mock.calls]).toEqual([[3, 4], 1, []]);
  expect(earlier.gone).toMatchObject([{ id: 3, name: "3.jpg" }]);
});

test.each([
  ["a busy server keeps no other from being saved, either", 503, 2, 0],
  ["without a connection no other is tried", 0, 1, 0],
  ["nor while one is signed out, which the bar on top tells, too", 401, 1, 1],
])("%s, and it is said why", async (_what, status, tried, signedOut) => {
  const open = vi.fn(() => Promise.reject(problem(status)));
  const { earlier, elsewhere, note, say, queue } = place(open);
  note(2, 3);
  await elsewhere.save();
  expect([open.mock.calls.length, say.mock.calls]).toEqual([tried, [["Not everything is saved yet. No."]]]);
  expect([queue.signedOut.mock.calls.length, earlier.gone, elsewhere.waiting.length]).toEqual([signedOut, [], 2]);
});

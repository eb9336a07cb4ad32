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
  const shown = (): Session => ({ id: 1, editor: { say } }) as unknown as Session;
  const elsewhere = new Elsewhere({ earlier, left: leftBehind, shown, open, retry });
  const note = (...ids: number[]): void =>
    earlier.note(ids.map((imageId) => ({ imageId, fileName: `${imageId}.jpg` }) as never));
  return { earlier, elsewhere, note, say, retry };
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

test("what does not answer keeps no other from being saved, either, and it is said why", async () => {
  const open = vi.fn(() => Promise.reject(problem(0)));
  const { earlier, elsewhere, note, say } = place(open);
  note(2, 3);
  await elsewhere.save();
  expect([open.mock.calls, say.mock.calls]).toEqual([[[2], [3]], [["Not everything is saved yet. No."]]]);
  expect([earlier.gone, elsewhere.waiting.length]).toEqual([[], 2]);
});

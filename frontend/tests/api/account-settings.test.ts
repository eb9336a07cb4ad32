import { expect, test } from "vitest";

import type { Answer, Ask } from "../../src/api/client";
import { AccountSettings } from "../../src/api/account-settings";

const VIEW = {
  color_by: "category",
  fill_opacity: 0.28,
  outline_only: false,
  labels: false,
  object_sort: "area",
  group_objects: false,
};

/** Answers when told to, in the order of the questions. */
function held() {
  const asked: { ask: Ask; answer: (answer: Answer) => void }[] = [];
  const transport = (ask: Ask) => new Promise<Answer>((answer) => asked.push({ ask, answer }));
  return { asked, transport };
}
const ok = (body: object): Answer => ({ status: 200, body, retryAfterSeconds: null });

test("a change is in force at once, and only it is sent", async () => {
  const { asked, transport } = held();
  const settings = new AccountSettings(transport);
  const done = settings.change({ keys: { fit: ["Q"] } });
  expect(settings.keys).toEqual({ fit: ["Q"] });
  expect(asked[0]!.ask).toMatchObject({ method: "PATCH", body: { keys: { fit: ["Q"] } } });
  asked[0]!.answer(ok({ keys: { fit: ["Q"], undo: ["U"] }, view: VIEW }));
  await done;
  expect(settings.keys).toEqual({ fit: ["Q"], undo: ["U"] });
});

test("an answer to an older question does not undo a newer change", async () => {
  const { asked, transport } = held();
  const settings = new AccountSettings(transport);
  const loaded = settings.load();
  const changed = settings.change({ view: { labels: true } });
  asked[0]!.answer(ok({ keys: {}, view: VIEW }));
  await loaded;
  expect(settings.view.labels).toBe(true);
  asked[1]!.answer(ok({ keys: {}, view: { ...VIEW, labels: true } }));
  await changed;
  expect(settings.view.labels).toBe(true);
});

test("an older answer that comes after a newer one undoes nothing either", async () => {
  const { asked, transport } = held();
  const settings = new AccountSettings(transport);
  const loaded = settings.load();
  const changed = settings.change({ keys: { fit: ["Q"] } });
  asked[1]!.answer(ok({ keys: { fit: ["Q"] }, view: VIEW }));
  await changed;
  asked[0]!.answer(ok({ keys: {}, view: VIEW }));
  await loaded;
  expect(settings.keys).toEqual({ fit: ["Q"] });
});

test("what the server does not keep holds on this page, and is told", async () => {
  const settings = new AccountSettings(() => Promise.resolve({ status: 0, body: null, retryAfterSeconds: null }));
  await settings.change({ keys: { fit: ["Q"], undo: null } });
  expect(settings.keys).toEqual({ fit: ["Q"] });
  expect(settings.trouble).toBe("The server does not answer.");
  await settings.change({ keys: null });
  expect(settings.keys).toEqual({});
});

test("a change that did not reach the server is told again before anything is looked for", async () => {
  const sent: [string, unknown][] = [];
  let answer: Answer = { status: 503, body: null, retryAfterSeconds: null };
  const settings = new AccountSettings(({ method, body }) => {
    sent.push([method, body]);
    return Promise.resolve(answer);
  });
  await settings.change({ keys: { fit: ["Q"] } });
  await settings.change({ view: { labels: true } });
  await settings.load();
  expect([settings.keys, settings.view.labels]).toEqual([{ fit: ["Q"] }, true]);
  expect(settings.trouble).not.toBeNull();
  sent.length = 0;
  answer = ok({ keys: { fit: ["Q"] }, view: { ...VIEW, labels: true } });
  await settings.load();
  expect(sent).toEqual([["PATCH", { keys: { fit: ["Q"] } }], ["PATCH", { view: { labels: true } }]]);
  expect(settings.trouble).toBeNull();
  await settings.load();
  expect(sent.at(-1)![0]).toBe("GET");

  // What the server refuses would be refused again.
  answer = { status: 422, body: { detail: "No such command." }, retryAfterSeconds: null };
  await settings.change({ keys: { nothing: ["Q"] } });
  expect(settings.trouble).toBe("No such command.");
  answer = ok({ keys: {}, view: VIEW });
  await settings.load();
  expect([sent.at(-1)![0], settings.keys]).toEqual(["GET", {}]);
});

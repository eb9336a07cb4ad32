import { expect, test } from "vitest";

import type { Ask } from "../../src/api/client";
import { loadVisit } from "../../src/api/visit";

test("an image that is passed by is not loaded to its end", async () => {
  const asked: Ask[] = [];
  const page = { items: [], next_cursor: "more" };
  const bodies = [{ image: { id: 5 }, neighbours: null, annotations: page }, { ...page, next_cursor: null }];
  const stop = new AbortController();
  await loadVisit((ask) => Promise.resolve({ status: 200, body: bodies[asked.push(ask) - 1], retryAfterSeconds: null }), 5, "", stop.signal);
  expect(asked.map(({ path }) => path)).toEqual(["/api/images/5/visit", "/api/images/5/annotations?limit=500&cursor=more"]);
  stop.abort();
  expect(asked.map(({ signal }) => signal?.aborted)).toEqual([true, true]);
});

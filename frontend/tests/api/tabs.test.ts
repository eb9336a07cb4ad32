import { afterEach, expect, test, vi } from "vitest";

import { Tabs } from "../../src/api/tabs";

afterEach(() => vi.unstubAllGlobals());

test("without locks, as over plain http, a tab that lives answers and one that is gone does not", async () => {
  vi.stubGlobal("navigator", {});
  const [first, second] = [new Tabs(), new Tabs()];
  expect(first.own).not.toBe(second.own);
  expect(await first.alive(["gone", second.own, first.own, ""])).toEqual(new Set([second.own]));
  // A browser without either way takes everything for left behind, as the only tab does.
  vi.stubGlobal("BroadcastChannel", undefined);
  expect(await new Tabs().alive([first.own])).toEqual(new Set());
});

test("nobody waits for an answer about entries of one's own", async () => {
  vi.stubGlobal("navigator", {});
  const tabs = new Tabs();
  const before = performance.now();
  expect(await tabs.alive([tabs.own, ""])).toEqual(new Set());
  expect(performance.now() - before).toBeLessThan(100);
});

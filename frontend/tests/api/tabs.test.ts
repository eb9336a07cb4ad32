import { afterEach, expect, test, vi } from "vitest";

import { Tabs } from "../../src/api/tabs";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test("without locks, as over plain http, a tab that lives answers and one that is gone does not", async () => {
  vi.stubGlobal("navigator", {});
  const [first, second] = [new Tabs(), new Tabs()];
  expect(first.own).not.toBe(second.own);
  expect(await first.alive(["gone", second.own, first.own, ""])).toEqual(new Set([second.own]));
  // A browser without either way takes everything for left behind, as the only tab does.
  vi.stubGlobal("BroadcastChannel", undefined);
  expect(await new Tabs().alive([first.own])).toEqual(new Set());
});

test("nobody waits for an answer about entries of one's own, nor longer than until all have answered", async () => {
  vi.stubGlobal("navigator", {});
  const [tabs, other] = [new Tabs(), new Tabs()];
  vi.useFakeTimers();
  expect(await tabs.alive([tabs.own, ""])).toEqual(new Set());
  vi.useRealTimers();
  const late = vi.spyOn(globalThis, "setTimeout");
  expect(await tabs.alive([other.own])).toContain(other.own);
  expect(late.mock.calls.length).toBeLessThan(40);
});

test("a page that is just being left is waited for, and one that stays only once", async () => {
  vi.useFakeTimers();
  const held = new Set(["staying", "leaving"]);
  const locks = {
    request: () => undefined,
    query: () => Promise.resolve({ held: [...held].map((tab) => ({ name: `maskwright-tab-${tab}` })) }),
  };
  vi.stubGlobal("navigator", { locks });
  const tabs = new Tabs();
  const waited = async (named: readonly string[]): Promise<[number, string[]]> => {
    const begun = Date.now();
    const alive = tabs.alive(named);
    await vi.runAllTimersAsync();
    return [Date.now() - begun, [...(await alive)]];
  };
  setTimeout(() => held.delete("leaving"), 500);
  expect(await waited(["leaving"])).toEqual([500, ["staying"]]);
  expect(await waited(["staying"])).toEqual([1_000, ["staying"]]);
  expect(await waited(["staying"])).toEqual([0, ["staying"]]);
});

test("without locks, one that kept silent is waited for only once", async () => {
  vi.stubGlobal("navigator", {});
  vi.useFakeTimers();
  const tabs = new Tabs();
  const waited = async (): Promise<number> => {
    const begun = Date.now();
    const alive = tabs.alive(["dead"]);
    await vi.runAllTimersAsync();
    expect(await alive).not.toContain("dead");
    return Date.now() - begun;
  };
  expect([await waited(), await waited()]).toEqual([1_000, 0]);
});

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { IndexedDbStore, type PendingEntry } from "../../src/api/pending-store";
import { keyOfId } from "../../src/model/records";

const entry = (id: number): PendingEntry => ({
  ...{ userId: 1, imageId: 7, key: keyOfId(id), facts: null, base: null, target: null, attempted: null },
});

/** As much of IndexedDB as writing takes. It gives up as long as it `fails`. */
class Disk {
  fails = false;

  open(): object {
    const request = { result: this, onsuccess: (): void => undefined };
    queueMicrotask(() => request.onsuccess());
    return request;
  }

  transaction(): object {
    const done = { oncomplete: (): void => undefined, onabort: (): void => undefined };
    const objectStore = (): object => ({ put: () => ({}), delete: () => ({}) });
    const commit = (): void => queueMicrotask(() => (this.fails ? done.onabort() : done.oncomplete()));
    return Object.assign(done, { error: new Error("Full."), objectStore, commit });
  }
}

let disk: Disk;
beforeEach(() => {
  disk = new Disk();
  vi.stubGlobal("navigator", {});
  vi.stubGlobal("indexedDB", disk);
});
afterEach(() => {
  vi.unstubAllGlobals();
});

test("a browser that keeps things again is trusted again, once nothing waits in the page alone", async () => {
  const store = new IndexedDbStore();
  disk.fails = true;
  await expect(store.put(entry(1))).rejects.toThrow("Full.");
  await expect(store.put(entry(2))).rejects.toThrow("Full.");
  disk.fails = false;
  await store.put(entry(1));
  expect(store.holdsAlone, "2 is only in the page").toBe(true);
  await store.put(entry(2));
  const writing = store.put(entry(1));
  expect(store.holdsAlone).toBe(false);
  await writing;
});

test("the same where what waited in the page alone does not wait any more", async () => {
  const store = new IndexedDbStore();
  disk.fails = true;
  await expect(store.put(entry(1))).rejects.toThrow("Full.");
  disk.fails = false;
  await store.remove(entry(1));
  const writing = store.put(entry(2));
  expect(store.holdsAlone).toBe(false);
  await writing;
});

test("what a browser did not keep is removed with what is in the page; from one that does keep it, it is missed", async () => {
  const store = new IndexedDbStore();
  disk.fails = true;
  await expect(store.remove(entry(1))).rejects.toThrow("Full.");
  await expect(store.put(entry(1))).rejects.toThrow("Full.");
  await store.remove(entry(1));
  expect(store.holdsAlone).toBe(false);
});

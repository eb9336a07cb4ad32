import { expect, test } from "vitest";

import type { PendingEntry, PendingStore } from "../src/api/pending-store";
import { EarlierChanges } from "../src/earlier-changes";
import { keyOfId } from "../src/model/records";

const entry = (imageId: number, id: number, name: { fileName?: string } = {}): PendingEntry => ({
  ...{ userId: 1, imageId, key: keyOfId(id), facts: null, base: null, target: null, attempted: null, ...name },
});

const CUPS = { id: 7, name: "cups.jpg" };
/** Kept by an earlier version, which did not say what the image is called. */
const EIGHT = { id: 8, name: "image 8" };

class Store implements PendingStore {
  entries = [entry(7, 1, { fileName: "cups.jpg" }), entry(7, 2, { fileName: "cups.jpg" }), entry(8, 3)];
  readonly adopted: PendingEntry[] = [];

  put(): Promise<void> {
    return Promise.resolve();
  }

  remove({ imageId, key }: PendingEntry): Promise<void> {
    this.entries = this.entries.filter((one) => one.imageId !== imageId || one.key !== key);
    return Promise.resolve();
  }

  list(): Promise<PendingEntry[]> {
    return Promise.resolve(this.entries);
  }

  adopt(entries: readonly PendingEntry[]): Promise<void> {
    this.adopted.push(...entries);
    return Promise.resolve();
  }
}

test("an image that does not open any more keeps no other from being saved, and its changes until somebody deletes them", async () => {
  const store = new Store();
  const earlier = new EarlierChanges(store, 1);
  let told = 0;
  earlier.changed = () => (told += 1);
  earlier.note(await earlier.list());
  expect([earlier.waiting, earlier.gone]).toMatchObject([[CUPS, EIGHT], []]);

  earlier.didNotOpen(9, { absence: null });
  earlier.didNotOpen(7, { absence: null });
  expect([earlier.waiting, earlier.gone, told]).toMatchObject([[EIGHT], [CUPS], 1]);
  expect(store.entries).toHaveLength(3);

  await earlier.deleteGone("viewer");
  expect(store.entries, "each reason by itself").toHaveLength(3);
  await earlier.deleteGone("image");
  expect([earlier.waiting, earlier.gone, told]).toMatchObject([[EIGHT], [], 3]);
  expect(store.entries).toEqual([entry(8, 3)]);
  expect(store.adopted.map(({ imageId }) => imageId), "what another tab left is this one's first").toEqual([7, 7]);
});

import { expect, test } from "vitest";

import type { LoadedPicture } from "../../src/api/pictures";
import { Prefetch } from "../../src/api/prefetch";
import type { ImageRecord } from "../../src/model/records";

const pictureOf = (id: number): LoadedPicture =>
  ({ picture: { size: { width: id, height: id }, levels: [], remote: false, onArrival: null, close: () => undefined }, whole: true });

function scene(fails: readonly number[] = []) {
  const loaded: number[] = [];
  const closed: number[] = [];
  const forgotten: number[] = [];
  const prefetch = new Prefetch({
    load: async (id) => {
      loaded.push(id);
      await Promise.resolve();
      if (fails.includes(id)) throw new Error("gone");
      return { image: { id } as ImageRecord };
    },
    forget: ({ image }) => forgotten.push(image.id),
    picture: ({ id }) => Promise.resolve(pictureOf(id)),
    close: ({ picture }) => closed.push(picture.size.width),
  });
  return { prefetch, loaded, closed, forgotten };
}

const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

test("the likeliest is made ready first, and what is not wanted any more is let go", async () => {
  const { prefetch, loaded, closed, forgotten } = scene();
  prefetch.want([5, 3]);
  await rest();
  expect(loaded).toEqual([5, 3]);
  prefetch.want([6, 5]);
  await rest();
  expect(loaded, "what is there is not fetched again").toEqual([5, 3, 6]);
  expect([closed, forgotten]).toEqual([[3], [3]]);
  expect(prefetch.made.map(({ image }) => image.id)).toEqual([5, 6]);
  const { made, picture } = prefetch.take(5);
  expect(made?.image.id).toBe(5);
  expect((await picture)?.picture.size.width).toBe(5);
  expect(prefetch.take(5)).toMatchObject({ made: null, picture: null });
});

test("what was handed over and is not wanted after all is stopped and closed", async () => {
  const { prefetch, closed, forgotten } = scene();
  prefetch.want([5]);
  await rest();
  const ahead = prefetch.take(5);
  prefetch.want([]);
  expect(ahead.stop.signal.aborted, "it is somebody else's now").toBe(false);
  prefetch.drop(ahead);
  await rest();
  expect([ahead.stop.signal.aborted, closed, forgotten]).toEqual([true, [5], [5]]);
});

test("what was handed over and is only passed by stays ready until others are wanted", async () => {
  const { prefetch, loaded, closed, forgotten } = scene();
  prefetch.want([5]);
  await rest();
  prefetch.giveBack(5, prefetch.take(5));
  prefetch.want([5]);
  await rest();
  expect([loaded, closed, forgotten]).toEqual([[5], [], []]);
  const ahead = prefetch.take(6);
  prefetch.giveBack(6, ahead);
  expect(ahead.stop.signal.aborted, "nothing of it was there").toBe(true);
  prefetch.want([]);
  await rest();
  expect([closed, forgotten]).toEqual([[5], [5]]);
});

test("what comes when it is not wanted any more is let go", async () => {
  const { prefetch, forgotten } = scene();
  prefetch.want([6]);
  prefetch.want([]);
  await rest();
  expect(forgotten).toEqual([6]);
});

test("what is on its way is handed over, and asked for once", async () => {
  const { prefetch, loaded, forgotten } = scene();
  prefetch.want([5]);
  const ahead = prefetch.take(5);
  expect(ahead.made).toBeNull();
  expect((await ahead.making)?.image.id).toBe(5);
  prefetch.want([]);
  await rest();
  expect([loaded, forgotten, ahead.picture]).toEqual([[5], [], null]);
  prefetch.giveBack(5, ahead);
  prefetch.want([5]);
  await rest();
  expect([loaded, prefetch.made.length], "whoever passes by leaves it ready").toEqual([[5], 1]);
});

test("what was on its way and is given up is not kept, though it came", async () => {
  const { prefetch, forgotten } = scene();
  prefetch.want([5]);
  const ahead = prefetch.take(5);
  ahead.stop.abort();
  await ahead.making;
  prefetch.giveBack(5, ahead);
  await rest();
  expect([forgotten, prefetch.made]).toEqual([[5], []]);
});

test("one that does not come keeps nobody waiting", async () => {
  const { prefetch, loaded } = scene([5]);
  prefetch.want([5, 3]);
  await rest();
  expect(loaded).toEqual([5, 3]);
  expect(prefetch.take(5).made).toBeNull();
  expect(prefetch.take(3).made).not.toBeNull();
});

test("a picture that was just shown is kept instead of fetched", async () => {
  const { prefetch, loaded, closed } = scene();
  prefetch.keepPicture(3, pictureOf(33));
  prefetch.want([5, 3], (id) => id !== 3);
  await rest();
  expect(loaded).toEqual([5]);
  expect((await prefetch.take(3).picture)?.picture.size.width).toBe(33);
  prefetch.keepPicture(4, pictureOf(44));
  prefetch.want([]);
  await rest();
  expect(closed.sort()).toEqual([44, 5]);
});

import { expect, test } from "vitest";

import { Eye } from "../../src/editor/sight";
import type { Bounds } from "../../src/geometry/bounds";
import type { Decoded } from "../../src/geometry/flood";
import { rasterisedBox } from "../../src/geometry/raster";
import { CutPicture, type Picture, type Tile } from "../../src/render/picture";
import { TiledPixels } from "../../src/render/tiled-pixels";
import { levelFor, spared, tilesIn } from "../../src/render/tile-choice";
import { openTiled, placeOf, type TileLayout, type TilePlace } from "../../src/render/tiled-picture";

/** As the server tells it of an image of this size. */
function layoutOf(width: number, height: number): TileLayout {
  const levels = [];
  for (let [w, h] = [width, height]; ; w = Math.ceil(w / 2), h = Math.ceil(h / 2)) {
    levels.push({ width: w, height: h, columns: Math.ceil(w / 1024), rows: Math.ceil(h / 1024) });
    if (Math.max(w, h) <= 1024) break;
  }
  return { version: "1", width, height, tile_size: 1024, overlap: 1, levels };
}

const LARGE = layoutOf(20_000, 15_001);
const bounds = (left: number, top: number, right: number, bottom: number): Bounds => ({ left, top, right, bottom });
const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
const nameOf = ({ level, column, row }: TilePlace): string => `${level}/${column}/${row}`;

/** A server whose tiles come when the test says so; elements are names, for there is no page. */
function server() {
  const asked: string[] = [];
  const open = new Map<string, { resolve: (element: HTMLElement) => void; reject: (error: Error) => void }>();
  const freed: unknown[] = [];
  const stopped: string[] = [];
  const waits: { resolve: () => void; ms: number }[] = [];
  const options = {
    load: (place: TilePlace, signal: AbortSignal) => {
      const name = nameOf(place);
      asked.push(name);
      signal.addEventListener("abort", () => stopped.push(name));
      return new Promise<HTMLElement>((resolve, reject) => open.set(name, { resolve, reject }));
    },
    free: (element: HTMLElement) => void freed.push(element),
    missing: () => "missing" as unknown as HTMLElement,
    wait: (ms: number) => new Promise<void>((resolve) => waits.push({ resolve, ms })),
  };
  const send = async (name: string): Promise<void> => {
    open.get(name)!.resolve(name as unknown as HTMLElement);
    await rest();
  };
  const fail = async (name: string): Promise<void> => {
    open.get(name)!.reject(new Error("no answer"));
    await rest();
  };
  return { asked, freed, stopped, waits, options, send, fail };
}

async function opened(layout = LARGE) {
  const { options, ...rest } = server();
  const coming = openTiled(layout, options, new AbortController().signal);
  await rest.send(`${layout.levels.length - 1}/0/0`);
  return { picture: (await coming)!, ...rest };
}

test("the tiles of a level cover the picture, each with a pixel of its neighbours", () => {
  expect(placeOf(LARGE, { level: 0, column: 0, row: 0 })).toEqual(bounds(0, 0, 1025, 1025));
  expect(placeOf(LARGE, { level: 0, column: 19, row: 14 })).toEqual(bounds(19_455, 14_335, 20_000, 15_001));
  expect(placeOf(LARGE, { level: 1, column: 1, row: 1 })).toEqual(bounds(2046, 2046, 4098, 4098));
  // Rounded up, the last pixel of a level reaches over the edge.
  expect(placeOf(LARGE, { level: 1, column: 9, row: 7 })).toEqual(bounds(18_430, 14_334, 20_000, 15_002));
});

test("a level is as fine as the screen and no finer", async () => {
  const { picture } = await opened();
  expect(picture.levels.map(({ scale }) => scale)).toEqual([1, 0.5, 0.25, 0.125, 0.0625, 0.03125]);
  const fits = (needed: number): number => levelFor(picture, needed).scale;
  expect([4, 1, 0.51, 0.5, 0.3, 0.0625, 0.05, 0.001].map(fits)).toEqual([1, 1, 1, 0.5, 0.5, 0.0625, 0.0625, 0.03125]);
});

test("only what is in sight is wanted, the middle first", async () => {
  const { picture } = await opened();
  const found = tilesIn(picture.levels[0]!, bounds(5000, 5000, 6440, 5900)).map(({ at }) => [at.left, at.top]);
  expect(found).toHaveLength(6);
  expect(found[0]).toEqual([5119, 5119]);
  expect(tilesIn(picture.levels[0]!, bounds(-500, -500, -10, -10))).toEqual([]);
  expect(tilesIn(picture.levels.at(-1)!, bounds(0, 0, 20_000, 15_001))).toHaveLength(1);
});

test("the nearest of those out of sight are spared, as far as memory goes", async () => {
  const { picture } = await opened();
  const level = picture.levels[0]!;
  const seen = bounds(5120, 5120, 6144, 6144);
  const row = level.tiles.filter(({ at }) => at.top === 5119 && !(at.left < 6144 && at.right > 5120));
  const kept = spared(row, level, seen, 3_200_000);
  expect([...kept].map(({ at }) => at.left).sort((a, b) => a - b)).toHaveLength(3);
  expect(Math.max(...[...kept].map(({ at }) => Math.abs(at.left - 5119)))).toBeLessThanOrEqual(3 * 1024);
  expect(spared(row, level, seen, 1000).size).toBe(0);
});

const tileAt = (picture: Picture, level: number, index: number): Tile => picture.levels[level]!.tiles[index]!;

test("a tile is fetched once it is asked for, and tells when it has come", async () => {
  const { picture, asked, send } = await opened();
  expect(asked, "the coarsest alone is there from the beginning").toEqual(["5/0/0"]);
  expect(tileAt(picture, 5, 0).element()).toBe("5/0/0");
  let told = 0;
  picture.onArrival = () => (told += 1);
  const tile = tileAt(picture, 0, 0);
  expect([tile.element(), tile.element()]).toEqual([null, null]);
  expect(asked).toEqual(["5/0/0", "0/0/0"]);
  await send("0/0/0");
  expect([tile.element(), told]).toEqual(["0/0/0", 1]);
});

test("what nobody looks at any more is stopped, or gives its memory back", async () => {
  const { picture, asked, freed, stopped, send } = await opened();
  const [first, second] = [tileAt(picture, 0, 0), tileAt(picture, 0, 1)];
  first.element();
  second.element();
  await send("0/0/0");
  first.release();
  second.release();
  expect([freed, stopped]).toEqual([["0/0/0"], ["0/0/0", "0/1/0"]]);
  await send("0/1/0");
  expect(freed, "it came all the same").toEqual(["0/0/0", "0/1/0"]);
  expect(first.element()).toBeNull();
  expect(asked.at(-1), "it is fetched anew").toBe("0/0/0");
  tileAt(picture, 5, 0).release();
  expect(tileAt(picture, 5, 0).element(), "the coarsest stays").toBe("5/0/0");
  picture.close();
  expect(freed).toContain("5/0/0");
});

test("a few are on their way at a time, and those that are given up make room", async () => {
  const { picture, asked, send } = await opened();
  const tiles = picture.levels[0]!.tiles.slice(0, 9);
  for (const tile of tiles) tile.element();
  expect(asked.slice(1)).toEqual(["0/0/0", "0/1/0", "0/2/0", "0/3/0", "0/4/0", "0/5/0"]);
  tiles[6]!.release();
  await send("0/2/0");
  expect(asked.slice(7)).toEqual(["0/7/0"]);
  await send("0/0/0");
  await send("0/7/0");
  expect(asked.slice(7)).toEqual(["0/7/0", "0/8/0"]);
});

test("a tile that does not come is tried again in silence, then marked, and shown when it comes", async () => {
  const { picture, asked, waits, send, fail } = await opened();
  let told = 0;
  picture.onArrival = () => (told += 1);
  const tile = tileAt(picture, 0, 0);
  tile.element();
  for (let tries = 1; tries <= 3; tries++) {
    expect([tile.element(), told]).toEqual([null, 0]);
    await fail("0/0/0");
    if (tries < 3) waits[tries - 1]!.resolve();
    await rest();
  }
  expect(waits.map(({ ms }) => ms)).toEqual([500, 1000, 2000]);
  expect([tile.element(), told]).toEqual(["missing", 1]);
  waits[2]!.resolve();
  await rest();
  expect(asked.filter((name) => name === "0/0/0")).toHaveLength(4);
  await send("0/0/0");
  expect([tile.element(), told]).toEqual(["0/0/0", 2]);
});

test("without its coarsest tile there is no picture", async () => {
  const { options, fail } = server();
  const coming = openTiled(LARGE, options, new AbortController().signal);
  await fail("5/0/0");
  expect(await coming).toBeNull();
});

/** A picture whose colours tell where a pixel is, and the tiles of it that a server would make. */
function numbered(width: number, height: number) {
  const layout = { ...layoutOf(width, height), tile_size: 16, overlap: 1 };
  const levels = layout.levels.map(({ width: w, height: h }) => ({
    width: w,
    height: h,
    columns: Math.ceil(w / 16),
    rows: Math.ceil(h / 16),
  }));
  const loaded: string[] = [];
  const colour = (shrink: number, x: number, y: number): number[] => [x * shrink, y * shrink, shrink, 255];
  const load = (place: TilePlace): Promise<Decoded> => {
    loaded.push(nameOf(place));
    const shrink = 2 ** place.level;
    const at = placeOf({ ...layout, levels }, place);
    const [left, top] = [at.left / shrink, at.top / shrink];
    const [across, down] = [at.right / shrink - left, at.bottom / shrink - top];
    const data = Uint8ClampedArray.from(
      Array.from({ length: across * down }, (_, i) => colour(shrink, left + (i % across), top + Math.floor(i / across))).flat(),
    );
    return Promise.resolve({ width: across, height: down, data });
  };
  return { pixels: new TiledPixels({ layout: { ...layout, levels }, load }), loaded };
}

const at = ({ width, data }: Decoded, x: number, y: number): number[] => [...data.slice(4 * (y * width + x), 4 * (y * width + x) + 3)];

test("tools get the pixels of a part from the tiles that it touches", async () => {
  const { pixels, loaded } = numbered(100, 60);
  const part = await pixels.cells({ left: 14, top: 30, side: 1, across: 20, down: 5 });
  expect([part.width, part.height]).toEqual([20, 5]);
  expect([at(part, 0, 0), at(part, 1, 1), at(part, 2, 2), at(part, 19, 4)]).toEqual([
    [14, 30, 1],
    [15, 31, 1],
    [16, 32, 1],
    [33, 34, 1],
  ]);
  expect(loaded.sort()).toEqual(["0/0/1", "0/0/2", "0/1/1", "0/1/2", "0/2/1", "0/2/2"]);
  await pixels.cells({ left: 20, top: 33, side: 1, across: 5, down: 5 });
  expect(loaded, "what was looked at a moment ago is there").toHaveLength(6);
  const edge = await pixels.cells({ left: 90, top: 50, side: 1, across: 10, down: 10 });
  expect(at(edge, 9, 9)).toEqual([99, 59, 1]);
});

test("a colour is followed from tile to tile, and where it does not lead no tile is looked at", async () => {
  const { pixels, loaded } = numbered(100, 60);
  // Red tells the column, green the row: so a threshold of 10 is a square of 21 pixels.
  const runs = await new Eye(pixels).flood({ x: 40, y: 30, threshold: 10, contiguous: true });
  expect(runs).toEqual(rasterisedBox([30, 20, 21, 21], [60, 100]));
  expect(new Set(loaded)).toEqual(new Set(["0/1/1", "0/2/1", "0/3/1", "0/1/2", "0/2/2", "0/3/2"]));
});

test("cells of several pixels are looked up on a coarser level", async () => {
  const { pixels } = numbered(2100, 60);
  const pairs = await pixels.cells({ left: 10, top: 20, side: 2, across: 4, down: 3 });
  expect([at(pairs, 0, 0), at(pairs, 3, 2)]).toEqual([
    [10, 20, 2],
    [16, 24, 2],
  ]);
  const triples = await pixels.cells({ left: 9, top: 21, side: 3, across: 4, down: 3 });
  // The middle of the first lies at 10.5, 22.5, on the level in pixel 5, 11.
  expect(at(triples, 0, 0)).toEqual([10, 22, 2]);
});

test("of a picture that is cut here, the finest tiles are asked for when one of them is to be seen", () => {
  const asked: string[] = [];
  const cutting = { wanted: () => void asked.push("wanted"), closed: () => void asked.push("closed") };
  const picture = new CutPicture({ width: 4000, height: 3000 }, cutting);
  expect(asked, "it is shown whole").toEqual([]);
  expect(picture.levels[0]!.tiles[0]!.element()).toBeNull();
  expect(asked).toEqual(["wanted"]);
  picture.close();
  expect(asked).toEqual(["wanted", "closed"]);
});

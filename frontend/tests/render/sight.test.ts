import { afterEach, expect, test, vi } from "vitest";

import { SightError } from "../../src/editor/sight";
import type { Decoded } from "../../src/geometry/flood";
import { PictureEye } from "../../src/render/picture-eye";
import type { SightPicture } from "../../src/render/sight-protocol";
import { WorkerSight } from "../../src/render/worker-sight";

afterEach(() => vi.unstubAllGlobals());

const LAYOUT = {
  version: "1",
  width: 9000,
  height: 8000,
  tile_size: 1024,
  overlap: 1,
  levels: [{ width: 9000, height: 8000, columns: 9, rows: 8 }],
};
const PART = { left: 0, top: 0, right: 40, bottom: 30 };

const grey = (width: number, height: number): Decoded => ({
  width,
  height,
  data: new Uint8ClampedArray(4 * width * height),
});

/** An eye on a picture whose server answers by turns; the browser decodes each file. */
function eyeOn(answers: readonly (Response | Error)[], picture: Partial<SightPicture> = {}) {
  const left = [...answers];
  const asked: string[] = [];
  vi.stubGlobal("fetch", (address: string) => {
    asked.push(address);
    const next = left.shift()!;
    return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
  });
  vi.stubGlobal("createImageBitmap", () => Promise.resolve({ width: 1025, height: 1025 }));
  const known = { addresses: ["/whole"], tiles: "/tiles", width: 9000, height: 8000, ...picture };
  const eye = new PictureEye(known, (_, width, height) => grey(width, height));
  return { asked, look: async () => (await eye.open()).superpixels(PART, 10) };
}

const answer = (status: number, body: unknown = {}): Response => new Response(JSON.stringify(body), { status });

test.each([answer(503), answer(500), answer(401), new TypeError("Failed to fetch")])(
  "tiles that do not come once are told of truly, and come at the next look",
  async (failure) => {
    const { asked, look } = eyeOn([failure, answer(200, LAYOUT), new TypeError("Failed to fetch"), answer(200)]);
    await expect(look()).rejects.toThrow("did not come");
    // Now the levels come, but not the tile.
    await expect(look()).rejects.toThrow("did not come");
    expect(await look()).toMatchObject({ left: 0, top: 0, side: 1, across: 40, down: 30 });
    expect(asked).toEqual(["/tiles", "/tiles", "/tiles/0/0/0?v=1", "/tiles/0/0/0?v=1"]);
  },
);

test("a picture without tiles is looked at as a whole, as soon as it comes", async () => {
  const size = { width: 40, height: 30 };
  const { asked, look } = eyeOn([answer(503), answer(200)], { ...size, tiles: null });
  await expect(look()).rejects.toThrow("did not come");
  expect(await look()).toMatchObject({ across: 40, down: 30 });
  expect(asked).toEqual(["/whole", "/whole"]);
});

test("the file of a picture in tiles is looked at, exactly, as long as it is not too large to be decoded", async () => {
  const { asked, look } = eyeOn([answer(503), answer(200)], { width: 8000, height: 8000 });
  await expect(look()).rejects.toThrow("did not come");
  await look();
  expect(asked).toEqual(["/whole", "/whole"]);
});

test("one that the browser cannot decode is looked at by its tiles, before anything smaller", async () => {
  const addresses = ["/whole", "/small"];
  const { asked, look } = eyeOn([answer(404), answer(200, { ...LAYOUT, width: 40, height: 30 }), answer(200)], {
    addresses,
    width: 40,
    height: 30,
  });
  await look();
  expect(asked).toEqual(["/whole", "/tiles", "/tiles/0/0/0?v=1"]);
});

test("a picture of another size than its record, which is shown stretched, is looked at as it is shown", async () => {
  const size = { width: 40, height: 30 };
  const { asked, look } = eyeOn([answer(404), answer(200, LAYOUT), answer(200)], { ...size, addresses: ["/whole", "/small"] });
  expect(await look()).toMatchObject({ across: 40, down: 30 });
  expect(asked).toEqual(["/whole", "/tiles", "/small"]);
});

test("one that is not there, or too large to be decoded, is said to be so", async () => {
  await expect(eyeOn([answer(404)], { tiles: null, width: 40, height: 30 }).look()).rejects.toThrow("cannot be shown");
  await expect(eyeOn([answer(404)]).look()).rejects.toThrow("more than 64 megapixels");
});

test("a worker that dies answers what is open, and the next question starts another", async () => {
  const workers: { onerror?: () => void; terminated?: boolean; posted: unknown[] }[] = [];
  const sight = new WorkerSight({ addresses: [], tiles: null, width: 40, height: 30 }, () => {
    const worker = { posted: [] as unknown[] };
    workers.push(worker);
    return Object.assign(worker, {
      postMessage: (data: unknown) => void worker.posted.push(data),
      terminate: () => Object.assign(worker, { terminated: true }),
    }) as unknown as Worker;
  });
  const open = [sight.superpixels(PART, 10), sight.superpixels(PART, 20)];
  workers[0]!.onerror!();
  for (const each of open) await expect(each).rejects.toThrow(SightError);
  expect(workers[0]!.terminated).toBe(true);
  void sight.superpixels(PART, 30).catch(() => undefined);
  expect(workers).toHaveLength(2);
  // The picture again, then the question.
  expect(workers[1]!.posted).toHaveLength(2);
});

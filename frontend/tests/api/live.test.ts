import { expect, test } from "vitest";

import { LiveUpdates, type LiveListener } from "../../src/api/live";
import { FakeSource } from "./source";

class Scene {
  readonly sources: FakeSource[] = [];
  readonly heard: string[] = [];
  readonly timers: { run: () => void; ms: number }[] = [];
  readonly live: LiveUpdates;

  constructor() {
    const listener: LiveListener = {
      state: () => this.heard.push("state"),
      annotation: ({ id }) => this.heard.push(`annotation ${id}`),
      people: (people) => this.heard.push(`people ${people.length}`),
      refused: () => this.heard.push("refused"),
      ended: (reason) => this.heard.push(`ended ${reason}`),
    };
    this.live = new LiveUpdates({
      imageId: 5,
      since: 40,
      listener,
      open: (url) => {
        const source = new FakeSource(url);
        this.sources.push(source);
        return source;
      },
      later: (run, ms) => this.timers.push({ run, ms }),
    });
  }

  get last(): FakeSource {
    return this.sources.at(-1)!;
  }
}

test("it names the revision that it knows, and the newest one after a break", () => {
  const scene = new Scene();
  scene.live.start();
  scene.live.start();
  expect(scene.sources.map(({ url }) => url)).toEqual(["/api/images/5/events?since=40"]);
  scene.last.say("state", {}, "41");
  scene.last.say("annotation", { id: 7 }, "42");
  scene.last.say("people", { people: [] }, "42");
  expect(scene.heard).toEqual(["state", "annotation 7", "people 0"]);
  scene.last.fail();
  expect(scene.heard.pop()).toBe("refused");
  expect(scene.live.connected).toBe(false);
  scene.timers.pop()!.run();
  expect(scene.last.url).toContain("since=42");
});

test("where the server is away, the tries become rare, and often again once it answers", () => {
  const scene = new Scene();
  scene.live.start();
  const waits: number[] = [];
  for (let i = 0; i < 6; i++) {
    scene.last.fail();
    const { run, ms } = scene.timers.pop()!;
    waits.push(ms);
    run();
  }
  expect(waits).toEqual([2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  scene.last.say("state", {}, "41");
  scene.last.fail();
  expect(scene.timers.pop()!.ms).toBe(2_000);
});

test("nothing is heard of a stream that was left, and no old timer opens a new one", () => {
  const scene = new Scene();
  scene.live.start();
  const old = scene.last;
  old.fail();
  scene.live.stop();
  scene.timers.pop()!.run();
  expect(scene.sources).toHaveLength(1);
  scene.live.start();
  scene.heard.length = 0;
  old.say("annotation", { id: 1 }, "99");
  expect(scene.heard).toEqual([]);
});

test("a tab that nobody sees lets go of its stream after a while, and takes it up again", () => {
  const scene = new Scene();
  scene.live.start();
  scene.live.seen(false);
  scene.live.seen(true);
  scene.timers.shift()!.run();
  expect(scene.live.connected, "looked away for a moment only").toBe(true);
  scene.live.seen(false);
  scene.timers.shift()!.run();
  expect(scene.live.connected).toBe(false);
  scene.live.seen(true);
  expect(scene.sources).toHaveLength(2);
});

test("an end is told once and nobody tries again by himself", () => {
  const scene = new Scene();
  scene.live.start();
  scene.last.say("end", { reason: "too_many" });
  expect(scene.heard).toEqual(["ended too_many"]);
  expect(scene.timers).toEqual([]);
  expect(scene.live.connected).toBe(false);
  scene.live.seen(true);
  expect(scene.live.connected).toBe(true);
});

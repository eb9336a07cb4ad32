/**
 * One person alone, half of whose answers are lost, with tabs that are closed and opened again: nobody
 * else is ever spoken of, nothing is asked, and the server ends up with what the person saw last.
 */

import fc from "fast-check";
import { expect, test } from "vitest";

import type { PendingEntry } from "../../src/api/pending-store";
import { read } from "../../src/api/wire";
import { EMPTY_ANNOTATION, newKey, type Annotation } from "../../src/model/records";
import { PERSON } from "../story";
import { Visit } from "./decision-visit";
import { Server } from "./server";

const EDITS: Readonly<Record<string, (old: Annotation, value: number) => Annotation>> = {
  move: (old, value) => ({ ...old, bbox: [value, 1, 9, 9] }),
  worn: (old, value) => ({ ...old, attributes: { ...old.attributes, worn: value } }),
  // Few values, so that what is sent is often what was there before.
  crowd: (old) => ({ ...old, iscrowd: old.iscrowd === 1 ? 0 : 1 }),
};

const act = fc.record({
  which: fc.nat(5),
  what: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...Object.keys(EDITS)) },
    { weight: 3, arbitrary: fc.constantFrom("draw", "delete") },
    { weight: 5, arbitrary: fc.constantFrom("Y", "N") },
    { weight: 8, arbitrary: fc.constantFrom("Mod+Z", "Mod+Z", "Mod+Y") },
    { weight: 2, arbitrary: fc.constantFrom("close", "hear") },
  ),
  /** What becomes of the next requests. */
  line: fc.array(fc.constantFrom("whole", "mute", "mute", "cut"), { minLength: 1, maxLength: 4 }),
  rests: fc.boolean(),
});
type Act = typeof act extends fc.Arbitrary<infer A> ? A : never;

class World {
  readonly server = new Server();
  #shelf = new Map<string, PendingEntry>();
  visit: Visit;
  readonly troubles: string[] = [];
  #value = 10;

  constructor() {
    for (const left of [10, 110]) this.server.add({ category_id: PERSON.id, bbox: [left, 10, 30, 30] });
    this.visit = new Visit(this.server, this.#shelf);
  }

  async play({ which, what, line, rests }: Act): Promise<void> {
    const { editor, queue } = this.visit;
    const keys = [...editor.document.entries()].map(([key]) => key);
    const key = keys[which % Math.max(1, keys.length)];
    const value = this.#value++;
    this.visit.line = [...line];
    queue.retry();
    if (what in EDITS && key) editor.edit(what, [key], (old) => EDITS[what]!(old, value));
    else if (what === "draw") {
      const made = { ...EMPTY_ANNOTATION, category_id: PERSON.id, bbox: [value, 2, 3, 4] as const };
      editor.transact("Draw", new Map([[newKey(), made]]));
    } else if (what === "delete" && key) editor.remove([key]);
    else if (what === "Y" || what === "N") {
      const open = editor.predictions.listed;
      if (open.length > 0) this.visit.pick(open[which % open.length]!.id).press(what);
    } else if (what.startsWith("Mod")) this.visit.press(what);
    else if (what === "close") await this.#close();
    else if (what === "hear") {
      this.visit.hear();
      this.visit.list();
    }
    if (rests) await this.server.rests();
    this.note(what);
  }

  async #close(): Promise<void> {
    const { line } = this.visit;
    const before = this.seen;
    // What is still on its way arrives, or not, without anybody who hears the answer.
    this.visit.line = ["cut"];
    this.visit.queue.lost();
    this.#shelf = new Map(this.#shelf);
    this.visit = new Visit(this.server, this.#shelf);
    this.visit.line = line;
    // A drawing that had arrived is there twice until its key is asked about: whoever opens a page has a connection.
    if (this.seen[0].length > before[0].length) {
      this.visit.line = ["whole"];
      await this.server.rests();
    }
    this.compare("after closing", before);
  }

  note(what: string): void {
    const { told, queue } = this.visit;
    if (told.length > 0) this.troubles.push(`${what}: ${told.splice(0).join(" ")}`);
    if (queue.conflicts.length > 0) this.troubles.push(`${what}: a conflict`);
    if (queue.refused.size > 0) this.troubles.push(`${what}: ${[...queue.refused.values()].join(" ")}`);
  }

  compare(when: string, before: unknown): void {
    const [a, b] = [before, this.seen].map((each) => JSON.stringify(each));
    if (a !== b) this.troubles.push(`${when}: ${a} is ${b}`);
  }

  /** What the person sees, whatever it is called. */
  get seen(): readonly [string[], number[]] {
    const { editor } = this.visit;
    const shapes = [...editor.document.entries()].map(([, annotation]) => textOf(annotation));
    return [shapes.sort(), editor.predictions.listed.map(({ id }) => id).sort()];
  }

  get saved(): readonly [string[], number[]] {
    const { server } = this;
    const open = [...server.predictions].flatMap(([id, { state }]) => (state === "open" ? [id] : []));
    return [server.all().map((wire) => textOf(read(wire).annotation)).sort(), open.sort()];
  }
}

const textOf = (annotation: Annotation): string =>
  JSON.stringify({ ...annotation, attributes: Object.entries(annotation.attributes).sort() });

async function run(acts: readonly Act[]): Promise<void> {
  const world = new World();
  for (const each of acts) await world.play(each);
  await world.server.rests();
  const before = world.seen;
  for (let round = 0; round < 4; round++) {
    world.visit.line = ["whole"];
    world.visit.queue.retry();
    await world.server.rests();
    world.note("in the end");
  }
  world.compare("saving", before);
  expect(world.troubles).toEqual([]);
  const { queue } = world.visit;
  expect([queue.status, queue.unsaved, world.visit.shelf.size]).toEqual(["saved", 0, 0]);
  expect(world.saved).toEqual(before);
}

test("one person whose answers are lost is alone, and the server has in the end what was seen", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 4, maxLength: 20 }), (acts) => run(acts)),
    {
      seed: Number(process.env.FUZZ_SEED ?? 20261127),
      numRuns: Number(process.env.FUZZ_RUNS ?? 60),
      interruptAfterTimeLimit: 60_000,
    },
  );
}, 90_000);

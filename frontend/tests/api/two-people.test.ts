/**
 * Two people on one image, with whatever goes wrong in between: what one of them has saved is lost only
 * by what the other one does to it knowingly, nothing that was done vanishes unsaved and untold, and in
 * the end both see what the server has.
 */

import fc from "fast-check";
import { expect, test } from "vitest";

import type { PendingEntry } from "../../src/api/pending-store";
import { read, type WireAnnotation } from "../../src/api/wire";
import { changedParts } from "../../src/model/parts";
import { EMPTY_ANNOTATION, newKey, type Annotation, type AnnotationKey } from "../../src/model/records";
import { CUP, PERSON } from "../story";
import { Visit } from "./decision-visit";
import { Server } from "./server";

const EDITS: Readonly<Record<string, (old: Annotation, value: number) => Annotation>> = {
  move: (old, value) => ({ ...old, bbox: [value, 1, 9, 9] }),
  crowd: (old) => ({ ...old, iscrowd: old.iscrowd === 0 ? 1 : 0 }),
  worn: (old, value) => ({ ...old, attributes: { ...old.attributes, worn: value } }),
  torn: (old, value) => ({ ...old, attributes: { ...old.attributes, torn: value } }),
  category: (old) => ({ ...old, category_id: old.category_id === CUP.id ? PERSON.id : CUP.id }),
  caption: (old, value) => ({ ...old, caption: `no. ${value}` }),
};

const act = fc.record({
  who: fc.constantFrom(0, 1),
  which: fc.nat(5),
  what: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...Object.keys(EDITS)) },
    { weight: 2, arbitrary: fc.constantFrom("draw", "delete", "Y", "N", "hear") },
    { weight: 4, arbitrary: fc.constantFrom("Mod+Z", "Mod+Y") },
    { weight: 3, arbitrary: fc.constantFrom("cut", "mute", "connect", "close", "mine", "theirs", "wait") },
  ),
});
type Act = typeof act extends fc.Arbitrary<infer A> ? A : never;

/** Somebody with a browser, whose tabs come and go. */
class Person {
  readonly #shelf = new Map<string, PendingEntry>();
  visit: Visit;
  /** The newest version of each annotation of which this person knew when changing it so, or choosing. */
  readonly #known = new Map<string, number>();

  constructor(
    readonly server: Server,
    readonly id: number,
  ) {
    this.visit = new Visit(server, this.#shelf, { userId: id });
  }

  close(): void {
    const { line } = this.visit;
    // What is still on its way of the old tab comes to nothing.
    this.visit.line = ["cut"];
    this.visit = new Visit(this.server, this.#shelf, { userId: this.id });
    this.visit.line = line;
  }

  pick(which: number): AnnotationKey | null {
    const keys = [...this.visit.editor.document.entries()].map(([key]) => key);
    return keys.length > 0 ? keys[which % keys.length]! : null;
  }

  /** From now on it is this person's will that these parts are as they have just been made. */
  knows(key: AnnotationKey, parts: readonly string[], version = this.visit.editor.document.facts(key)?.version): void {
    const id = this.visit.editor.document.facts(key)?.id;
    if (id === undefined || version === undefined) return;
    for (const part of parts) this.#known.set(`${id} ${part}`, version);
  }

  didKnow(id: number, part: string, version: number): boolean {
    return Math.max(this.#known.get(`${id} ${part}`) ?? 0, this.#known.get(`${id} all`) ?? 0) >= version;
  }

  resolve(keep: "mine" | "theirs"): void {
    const { queue } = this.visit;
    for (const key of queue.conflicts) {
      const trouble = queue.trouble(key);
      const theirs = trouble?.kind === "conflict" ? trouble.theirs : null;
      this.knows(key, ["all"], theirs?.facts.version ?? Infinity);
      queue.resolve(key, keep);
    }
  }
}

class World {
  readonly server = new Server();
  readonly people: readonly Person[];
  /** Who made each part of each annotation what it is, as which version. */
  readonly #authors = new Map<string, { by: number; version: number }>();
  readonly lost: string[] = [];
  readonly saved = new Set<string>();
  #value = 10;

  constructor() {
    for (const left of [10, 110]) this.server.add({ category_id: PERSON.id, bbox: [left, 10, 30, 30] });
    this.people = [1, 2].map((id) => new Person(this.server, id));
    this.server.written = (before, after, wire) => this.#written(before, after, wire);
  }

  #written(before: WireAnnotation | null, after: WireAnnotation | null, { id, version, updated_by }: WireAnnotation): void {
    const by = updated_by!;
    const parts = before && after ? changedParts(read(before).annotation, read(after).annotation) : ["there"];
    // Whoever deletes it changes all of it.
    const overwritten = before && !after ? this.#partsOf(id) : parts;
    for (const part of overwritten) {
      const author = this.#authors.get(`${id} ${part}`);
      if (!author || author.by === by) continue;
      const isKnown = this.people[by - 1]!.didKnow(id, before && !after ? "there" : part, author.version);
      if (!isKnown) this.lost.push(`${part} of ${id}, made by ${author.by} as version ${author.version}, by ${by}`);
    }
    for (const part of parts) this.#authors.set(`${id} ${part}`, { by, version });
    for (const text of after ? textsOf(read(after).annotation) : []) this.saved.add(text);
  }

  #partsOf(id: number): string[] {
    return [...this.#authors.keys()].filter((name) => name.startsWith(`${id} `)).map((name) => name.slice(`${id} `.length));
  }

  async play({ who, which, what }: Act): Promise<void> {
    const person = this.people[who]!;
    const { visit } = person;
    const { editor } = visit;
    const key = person.pick(which);
    const value = this.#value++;
    if (what in EDITS && key) {
      const old = editor.document.get(key)!;
      const made = EDITS[what]!(old, value);
      person.knows(key, changedParts(old, made));
      editor.edit(what, [key], () => made);
    } else if (what === "draw") {
      const made = { ...EMPTY_ANNOTATION, category_id: PERSON.id, bbox: [value, 2, 3, 4] as const };
      editor.transact("Draw", new Map([[newKey(), made]]));
    } else if (what === "delete" && key) {
      person.knows(key, ["there"]);
      editor.remove([key]);
    } else if (what === "Y" || what === "N") {
      const open = editor.predictions.listed;
      if (open.length > 0) visit.pick(open[which % open.length]!.id).press(what);
    } else if (what === "hear") {
      visit.hear().list();
    } else if (what === "Mod+Z" || what === "Mod+Y") {
      visit.press(what);
    } else if (what === "cut") visit.line = ["cut"];
    else if (what === "mute") visit.line = ["mute", ...visit.line];
    else if (what === "connect") await this.#connect(person);
    else if (what === "close") person.close();
    else if (what === "mine" || what === "theirs") person.resolve(what);
    if (what !== "wait" && which % 2 === 0) await this.server.rests();
  }

  async #connect({ visit }: Person): Promise<void> {
    visit.line = ["whole"];
    visit.queue.retry();
    await this.server.rests();
  }

  /** Everybody has a connection, decides what there is to decide, and hears of everything. */
  async settle(): Promise<void> {
    for (let round = 0; round < 6; round++) {
      for (const [i, person] of this.people.entries()) {
        await this.#connect(person);
        person.resolve((round + i) % 2 === 0 ? "mine" : "theirs");
        await this.server.rests();
      }
      for (const { visit } of this.people) visit.hear().list();
      await this.server.rests();
    }
  }
}

const textsOf = ({ bbox, attributes, caption }: Annotation): string[] => [JSON.stringify(bbox), JSON.stringify(attributes), caption ?? ""];

const sorted = (all: readonly { id: number }[]): object[] => [...all].sort((a, b) => a.id - b.id);

/** What this person sees, by the ids that the server knows. */
function seen({ visit: { editor } }: Person): object[] {
  const { document } = editor;
  return sorted([...document.entries()].map(([key, annotation]) => ({ id: document.facts(key)?.id ?? 0, ...annotation })));
}

async function run(acts: readonly Act[]): Promise<void> {
  const world = new World();
  for (const each of acts) await world.play(each);
  await world.settle();
  expect(world.lost).toEqual([]);
  const { server, people } = world;
  const all = sorted(server.all().map((wire) => ({ id: wire.id, ...read(wire).annotation })));
  const open = [...server.predictions].flatMap(([id, { state }]) => (state === "open" ? [id] : []));
  for (const person of people) {
    const { queue, editor } = person.visit;
    expect([queue.status, queue.unsaved], `what ${person.id} has left`).toEqual(["saved", 0]);
    expect(seen(person), `what ${person.id} sees`).toEqual(all);
    expect(editor.predictions.listed.map(({ id }) => id).sort(), `what ${person.id} may decide`).toEqual(open);
  }
}

test("two people lose nothing of each other's, and see the same in the end", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 4, maxLength: 16 }), (acts) => run(acts)),
    { seed: 20261126, numRuns: Number(process.env.FUZZ_RUNS ?? 60), interruptAfterTimeLimit: 60_000 },
  );
}, 90_000);

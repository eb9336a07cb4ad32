/**
 * Two people on one image, with whatever goes wrong in between: what one of them has saved is lost only
 * by what the other one does to it knowingly, nothing that was done vanishes unsaved and untold, and in
 * the end both see what the server has.
 */

import fc from "fast-check";
import { expect, test } from "vitest";

import type { PendingEntry } from "../../src/api/pending-store";
import { read, type WireAnnotation } from "../../src/api/wire";
import { changedParts, type Part } from "../../src/model/parts";
import { EMPTY_ANNOTATION, newKey, sameAnnotation, type Annotation, type AnnotationKey } from "../../src/model/records";
import { PERSON } from "../story";
import { found, Visit } from "./decision-visit";
import { Server } from "./server";

/** Each value is another one, so that it tells whose it is. */
const EDITS: Readonly<Record<string, (old: Annotation, value: number) => Annotation>> = {
  move: (old, value) => ({ ...old, bbox: [value, 1, 9, 9] }),
  worn: (old, value) => ({ ...old, attributes: { ...old.attributes, worn: value } }),
  category: (old, value) => ({ ...old, category_id: value }),
  caption: (old, value) => ({ ...old, caption: `no. ${value}` }),
};

const act = fc.record({
  who: fc.constantFrom(0, 1),
  which: fc.nat(5),
  /** Whether the server is waited for, and whether others are heard of then, as live updates are. */
  rests: fc.constantFrom("heard", "heard", "unheard", "not"),
  what: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...Object.keys(EDITS)) },
    { weight: 2, arbitrary: fc.constantFrom("draw", "delete", "Y", "N", "hear one") },
    { weight: 5, arbitrary: fc.constantFrom("Mod+Z", "Mod+Z", "Mod+Y") },
    { weight: 3, arbitrary: fc.constantFrom("cut", "mute", "stranger", "connect", "close", "mine", "theirs") },
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
    const { line, told } = this.visit;
    // What is still on its way of the old tab comes to nothing.
    this.visit.line = ["cut"];
    this.visit = new Visit(this.server, this.#shelf, { userId: this.id });
    this.visit.line = line;
    this.visit.told.push(...told);
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

  /** What has been done here and not been seen on the server yet, by what it was done to. */
  readonly wills = new Map<string, string>();

  /** From now on it is this person's will that the annotation has this. */
  wants(key: AnnotationKey, before: Annotation | null, made: Annotation): void {
    const id = this.visit.editor.document.facts(key)?.id ?? key;
    const old = before ? valuesOf(before) : [];
    for (const value of valuesOf(made).filter((each) => !old.includes(each))) {
      this.wills.set(`${id} ${value.split(" ")[0]!}`, value);
    }
  }

  /** The person has taken something back, or been told or asked about something. */
  forgets(key?: AnnotationKey): void {
    if (!key) return this.wills.clear();
    const id = this.visit.editor.document.facts(key)?.id ?? key;
    for (const name of this.wills.keys()) if (name.startsWith(`${id} `) || name.startsWith(`${key} `)) this.wills.delete(name);
  }

  /** The newest version that this person knew when willing it. */
  known(id: number, part: string): number {
    return Math.max(this.#known.get(`${id} ${part}`) ?? 0, this.#known.get(`${id} all`) ?? 0);
  }

  resolve(keep: "mine" | "theirs"): void {
    const { queue } = this.visit;
    for (const key of queue.conflicts) {
      const trouble = queue.trouble(key);
      const theirs = trouble?.kind === "conflict" ? trouble.theirs : null;
      this.forgets(key);
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
  /** Who was the first to make it so, and as which version, by annotation, part and value. */
  readonly #makers = new Map<string, { by: number; version: number }>();
  readonly lost: string[] = [];
  /** What was called saved, and was not. */
  readonly unlike: string[] = [];
  /** Each value that an annotation had on the server. */
  readonly #saved = new Set<string>();
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
      const known = this.people[by - 1]!.known(id, before && !after ? "there" : part);
      const then = this.server.rows.get(id)!.versions.get(known);
      const isSame = then && before && !changedParts(read(then).annotation, read(before).annotation).includes(part as Part);
      if (known < author.version && !isSame) this.lost.push(`${part} of ${id}, made by ${author.by} as version ${author.version}, by ${by}`);
    }
    // What a prediction is accepted with unchanged is nobody's will: who changed it before hearing of that may.
    const first = after?.score === null ? EMPTY_ANNOTATION : found(0).shape;
    const made = !before && after ? changedParts(first, read(after).annotation) : [];
    for (const part of [...parts, ...made]) {
      const name = `${id} ${part}`;
      const value = `${name} ${after ? JSON.stringify(valueOf(after, part)) : version}`;
      // Whoever takes an own change back gives others back what was theirs.
      const maker = this.#makers.get(value) ?? { by, version };
      this.#makers.set(value, maker);
      this.#authors.set(name, maker.by === by ? { by, version } : maker);
    }
    if (after) for (const text of valuesOf(read(after).annotation)) this.#saved.add(text);
  }

  #partsOf(id: number): string[] {
    return [...this.#authors.keys()].filter((name) => name.startsWith(`${id} `)).map((name) => name.slice(`${id} `.length));
  }

  async play({ who, which, what, rests }: Act): Promise<void> {
    const person = this.people[who]!;
    const { visit } = person;
    const { editor } = visit;
    const key = person.pick(which);
    const value = this.#value++;
    if (what in EDITS && key) {
      const old = editor.document.get(key)!;
      const made = EDITS[what]!(old, value);
      person.knows(key, changedParts(old, made));
      person.wants(key, old, made);
      editor.edit(what, [key], () => made);
    } else if (what === "draw") {
      const made = { ...EMPTY_ANNOTATION, category_id: PERSON.id, bbox: [value, 2, 3, 4] as const };
      const drawn = newKey();
      person.wants(drawn, null, made);
      editor.transact("Draw", new Map([[drawn, made]]));
    } else if (what === "delete" && key) {
      // Of a deletion that may have arrived nobody can tell whose it was.
      const isBlind = visit.line[0] !== "whole" || visit.queue.unsaved > 0;
      person.knows(key, ["there"], isBlind ? Infinity : undefined);
      person.forgets(key);
      editor.remove([key]);
    } else if (what === "Y" || what === "N") {
      const open = editor.predictions.listed;
      if (open.length > 0) visit.pick(open[which % open.length]!.id).press(what);
    } else if (what === "hear one") {
      visit.hearOf(1 + (which % Math.max(1, this.server.rows.size)));
    } else if (what === "Mod+Z" || what === "Mod+Y") {
      person.forgets();
      const there = [...editor.document.entries()].map(([each]) => each);
      visit.press(what);
      for (const each of there) if (!editor.document.get(each)) person.knows(each, ["there"]);
    } else if (what === "cut" || what === "stranger") visit.line = [what];
    else if (what === "mute") visit.line = ["mute", ...visit.line];
    else if (what === "connect") await this.#connect(person);
    else if (what === "close") person.close();
    else if (what === "mine" || what === "theirs") person.resolve(what);
    if (rests === "not") return;
    await this.server.rests();
    this.#compare(person);
    if (rests === "heard") this.#hear();
  }

  /** What is called saved is what the server has, where nobody else has come since. */
  #compare({ id: by, visit: { queue, editor } }: Person): void {
    if (queue.status !== "saved" || queue.unsaved > 0) return;
    for (const [key, annotation] of editor.document.entries()) {
      const facts = editor.document.facts(key)!;
      const row = this.server.rows.get(facts.id)!;
      const since = [...row.versions].filter(([version]) => version > facts.version);
      const now = this.server.now(facts.id);
      if (since.some(([, { updated_by }]) => updated_by !== by)) continue;
      if (!now || !sameAnnotation(read(now).annotation, annotation)) this.unlike.push(`${facts.id} as ${by} has it`);
    }
  }

  async #connect({ visit }: Person): Promise<void> {
    visit.line = ["whole"];
    visit.queue.retry();
    await this.server.rests();
  }

  #hear(): void {
    for (const { visit } of this.people) if (visit.line[0] === "whole") visit.hear().list();
  }

  /** What somebody did that no version of the server ever had, though nothing was said about it. */
  get vanished(): string[] {
    const untold = this.people.filter(({ visit }) => visit.told.length === 0);
    return untold.flatMap(({ wills }) => [...wills.values()]).filter((value) => !this.#saved.has(value));
  }

  /** Everybody has a connection, decides what there is to decide, and hears of everything. */
  async settle(): Promise<void> {
    for (let round = 0; round < 6; round++) {
      for (const [i, person] of this.people.entries()) {
        await this.#connect(person);
        person.resolve((round + i) % 2 === 0 ? "mine" : "theirs");
        await this.server.rests();
      }
      this.#hear();
      await this.server.rests();
    }
  }
}

function valueOf(wire: WireAnnotation, part: string): unknown {
  const [field, name] = part.split("/") as [keyof WireAnnotation, string?];
  return name === undefined ? (wire[field] ?? wire.version) : wire.attributes[name];
}

/** What is unlike anything else in the story. */
function valuesOf({ bbox, attributes, caption }: Annotation): string[] {
  const named = Object.entries(attributes).map(([name, value]) => `${name} ${String(value)}`);
  return [`bbox ${String(bbox)}`, ...named, `caption ${caption}`];
}

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
  expect(world.unlike).toEqual([]);
  expect(world.vanished).toEqual([]);
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
    fc.asyncProperty(fc.array(act, { minLength: 8, maxLength: 24 }), (acts) => run(acts)),
    {
      seed: Number(process.env.FUZZ_SEED ?? 20261126),
      numRuns: Number(process.env.FUZZ_RUNS ?? 60),
      interruptAfterTimeLimit: 60_000,
    },
  );
}, 90_000);

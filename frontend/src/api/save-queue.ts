/**
 * Saves every annotation as soon as its gesture has ended.
 *
 * Each annotation has one request in flight at most; what changes meanwhile is
 * sent as one later request. What waits is kept in the browser too, until the
 * server has it. Nothing is ever thrown away by an error:
 *
 *   no answer, 5xx, 429   everything waits and is tried again
 *   401                   everything waits for the person to sign in again
 *   412, 404              a conflict, for the person to decide; but where the image itself answers
 *                         404 everything waits: a stranger to the dataset gets that for all there is
 *   any other 4xx         refused: shown with the reason, sent again when edited
 */

import { changedParts, withParts } from "../model/parts";
import {
  copiedFrom,
  keyOfId,
  sameAnnotation,
  type Annotation,
  type AnnotationKey,
} from "../model/records";
import { isForAll, mayHaveArrived, pathTo, problemOf, succeeded, type Answer, type Transport } from "./client";
import { Keeping, type KeepingOptions } from "./keeping";
import { Pause } from "./pause";
import { OnlySeen } from "./only-seen";
import type { PendingEntry } from "./pending-store";
import { Answers, type AnswersOptions } from "./save-answers";
import { isUndecided, Ruling, type RulingOptions } from "./save-decisions";
import { plan, type Plan } from "./save-plan";
import { NOTHING_UNHEARD, renew, storedOf, Slots, withRequest, type Slot, type Trouble } from "./save-slot";
import { TakingOver } from "./taking-over";
import { asNamed, read, readAnswer, type Known, type WireAnnotation } from "./wire";

export type SaveStatus = "saved" | "saving" | "offline" | "signed-out" | "gone" | "conflict" | "refused";

export interface SaveQueueOptions extends RulingOptions, AnswersOptions, KeepingOptions {
  readonly transport: Transport;
  /** True during a gesture: what the document shows is not final. */
  readonly held: () => boolean;
  /** The image is not there any more, or not for this person. */
  readonly gone?: () => void;
  readonly later?: (run: () => void, ms: number) => unknown;
}

type AboutCatchingUp = Parameters<TakingOver["catchUp"]> extends [unknown, ...infer Rest] ? Rest : never;

const MOST_IN_FLIGHT = 4;

export class SaveQueue {
  readonly #options: SaveQueueOptions;
  readonly #slots: Slots;
  readonly #unsaved = new Set<AnnotationKey>();
  readonly #listeners = new Set<() => void>();
  #inFlight = 0;
  readonly #pause: Pause;
  readonly #ruling: Ruling;
  readonly #keeping: Keeping;
  readonly #taking: TakingOver;
  readonly #answers: Answers;
  #decisions = 0;
  /** Whether another one saves what waited here. */
  #isRetired = false;
  /** What is not saved and only shown. */
  readonly onlySeen: OnlySeen;
  #settled: { promise: Promise<void>; resolve: () => void } | null = null;

  constructor(options: SaveQueueOptions) {
    this.#options = options;
    this.#slots = new Slots(options.document);
    this.#pause = new Pause(options.later);
    this.#ruling = new Ruling(options, this.#slots);
    this.#answers = new Answers(options, this.#slots);
    this.#taking = new TakingOver(options.document, this.#slots, this.#unsaved);
    this.#keeping = new Keeping(options, () => this.#changed());
    this.onlySeen = new OnlySeen(options.document, this.#slots, () => this.#changed());
    options.document.subscribe((diff, origin) => {
      if (origin !== "local") return;
      for (const { key } of diff) this.#touch(key);
      this.#changed();
    });
    options.predictions.subscribe((diff, origin) => {
      this.#decisions += diff.length;
      for (const each of diff) {
        const key = this.#ruling.decide(each, origin);
        if (origin === "local") this.#touch(key);
      }
      this.#changed();
    });
  }

  get unsaved(): number {
    return this.#unsaved.size;
  }

  get status(): SaveStatus {
    // Who is signed out sees nothing new either; without a connection there is only what waits.
    const { reason } = this.#pause;
    if (reason === "signed-out" || reason === "gone" || (reason && this.#unsaved.size > 0)) return reason;
    if (this.conflicts.length > 0) return "conflict";
    if (this.#inFlight > 0) return "saving";
    if (this.refused.size > 0) return "refused";
    return this.#unsaved.size > 0 ? "saving" : "saved";
  }

  get conflicts(): AnnotationKey[] {
    return [...this.#unsaved].filter((key) => this.trouble(key)?.kind === "conflict");
  }

  /** Why an annotation is not saved and will not be as it is, by key. */
  get refused(): ReadonlyMap<AnnotationKey, string> {
    const found = this.onlySeen.reasons;
    for (const key of this.#unsaved) {
      const trouble = this.trouble(key);
      if (trouble?.kind === "refused") found.set(key, trouble.detail);
    }
    return found;
  }

  /** Whether the server does not have this annotation as it is by now. */
  waits(key: AnnotationKey): boolean {
    return this.#unsaved.has(key);
  }

  /** What both sides of a conflict began with; null when nobody knows. */
  baseOf(key: AnnotationKey): Annotation | null {
    return this.#slots.find(key)?.base ?? null;
  }

  get isSignedOut(): boolean {
    return this.#pause.reason === "signed-out";
  }

  trouble(key: AnnotationKey): Trouble | null {
    return this.#slots.find(key)?.trouble ?? null;
  }

  /** A state that the server keeps as an earlier version: who brings it back restores that. */
  knowVersion(key: AnnotationKey, annotation: Annotation, version: number): void {
    this.#slots.of(key).versions.set(annotation, version);
  }

  /** Resolves when nothing is left to save. */
  settled(): Promise<void> {
    if (this.#unsaved.size === 0) return Promise.resolve();
    if (!this.#settled) {
      let resolve = (): void => undefined;
      const promise = new Promise<void>((done) => (resolve = done));
      this.#settled = { promise, resolve };
    }
    return this.#settled.promise;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes over what the server has. */
  load(all: readonly Known[]): void {
    for (const known of all) this.#slots.adopt(keyOfId(known.facts.id), known);
    const change = all.map(({ annotation, facts }) => [keyOfId(facts.id), annotation] as const);
    this.#options.document.apply(new Map(change), "remote");
  }

  /** Which version of what the document has, as the server confirmed it. */
  versions(): ReadonlyMap<AnnotationKey, number> {
    return this.#taking.versions();
  }

  /** Takes over what others did; false when not all of it was free. */
  catchUp(all: readonly Known[], ...about: AboutCatchingUp): boolean {
    // The answer will say what these are called here.
    const { creations } = this;
    const known = all.filter(({ facts }) => !creations.has(facts.client_key));
    const whole = this.#taking.catchUp(known, ...about);
    this.#changed();
    return whole && known.length === all.length;
  }

  /** The same for some annotations by their ids, null for one that is not there any more. */
  takeOver(found: ReadonlyMap<number, Known | null>): void {
    this.#taking.takeOver(found);
    this.#changed();
  }

  /** What the annotation with this id is called here; null when it is not here. */
  keyOf(id: number): AnnotationKey | null {
    return this.#slots.keyOf(id, this.#unsaved);
  }

  /** The client keys of what was made here and may be on the server before we hear its id. */
  get creations(): ReadonlySet<string | null> {
    return this.#slots.creations(this.#unsaved);
  }

  /** Whether the server is being told of a decision about a prediction. */
  get decides(): boolean {
    return [...this.#unsaved].some((key) => this.#slots.find(key)?.prediction && !this.trouble(key));
  }

  /** Grows with every decision, when it is made and when the server knows it. */
  get decisions(): number {
    return this.#decisions;
  }

  /** Whether what is decided about a prediction is not known to the server. */
  waitsFor(prediction: number): boolean {
    return this.#unsaved.has(this.#options.predictions.keyOf(prediction));
  }

  /** Takes up what an earlier visit could not save. Call after `load`. */
  recover(entries: readonly PendingEntry[]): void {
    this.#keeping.adopt(entries);
    const made = entries.filter(({ facts }) => !facts);
    for (const entry of entries) if (entry.facts) this.#recoverOne(entry);
    for (const entry of made) this.#recoverOne(entry);
    for (const { key } of made) this.#knowMade(key, this.#slots.of(key));
    this.#changed();
    this.pump();
  }

  /** Tries again at once: the connection is back, or the person signed in. */
  retry(): void {
    this.#pause.end();
    this.#changed();
    this.pump();
  }

  /** Nothing can be saved before the person signs in again. */
  signedOut(): void {
    this.#pause.reason = "signed-out";
    this.#changed();
  }

  /** Nothing can be saved here any more, unless the image comes back. */
  lost(): void {
    this.#pause.reason = "gone";
    this.#changed();
  }

  /**
   * Nothing is sent, kept in the browser or taken away there from now on, whatever answer is still to come: what
   * waits is left to whoever saves it next, who gets it at this very moment.
   */
  retire(): readonly PendingEntry[] {
    this.lost();
    this.pump();
    this.#isRetired = true;
    return this.#keeping.entries;
  }

  /** Sends what waits. Called whenever a gesture may have ended. */
  pump(): void {
    if (this.#isRetired || this.#unsaved.size === 0 || this.#options.held()) return;
    for (const key of this.#unsaved) {
      const slot = this.#slots.of(key);
      if (this.#isFree(key, slot)) {
        const next = this.#plan(key, slot);
        if (!next) {
          this.#done(key, slot);
          continue;
        }
        if (!this.#pause.reason) void this.#send(key, slot, next);
      }
      // With what is under way by now, of which a closed tab hears no answer.
      this.#keep(key, slot);
    }
    this.#changed();
  }

  /** The person's decision about a conflict. */
  resolve(key: AnnotationKey, keep: "mine" | "only-mine" | "theirs"): void {
    const slot = this.#slots.of(key);
    if (slot.trouble?.kind !== "conflict") return;
    const { theirs } = slot.trouble;
    const mine = this.#options.document.get(key);
    const base = slot.base;
    slot.trouble = null;
    if (theirs) this.#slots.adopt(key, theirs);
    else {
      slot.base = null;
      // Whichever version their deletion made: to keep mine is to bring it back from that.
      slot.deletion = null;
    }
    let result = theirs?.annotation ?? null;
    if (keep === "only-mine") result = mine;
    else if (keep === "mine") {
      // What only they changed stays theirs; what I changed becomes mine again.
      const both = mine && theirs && base;
      result = both ? withParts(theirs.annotation, mine, changedParts(base, mine)) : mine;
    }
    this.#options.document.apply(new Map([[key, result]]), "remote");
    // What stays is accepted, whatever became of that here meanwhile.
    if (slot.prediction && result) this.#options.predictions.decide([slot.prediction], "accepted", "remote");
    this.#touch(key);
    this.pump();
  }

  #isFree(key: AnnotationKey, slot: Slot): boolean {
    if (slot.sending || slot.trouble || this.#inFlight >= MOST_IN_FLIGHT) return false;
    if (slot.isPutOff && this.#options.inHand(key)) return false;
    slot.isPutOff = false;
    return true;
  }

  #touch(key: AnnotationKey): void {
    const slot = this.#slots.of(key);
    this.#unsaved.add(key);
    // Whatever was refused may be right now; a conflict stays until it is decided.
    if (slot.trouble?.kind === "refused") slot.trouble = null;
  }

  #plan(key: AnnotationKey, slot: Slot): Plan | null {
    const { base, attempted, deletion, versions, decided, unheard: { states, decisions } } = slot;
    const { document, imageId } = this.#options;
    const [target, facts] = [document.get(key), document.facts(key)];
    const savedAs = (state: Annotation): number | undefined => versions.get(state);
    const copyOf = slot.clientKey ? null : copiedFrom(key);
    const decision = { decided, wanted: this.#ruling.wanted(slot), unheard: decisions };
    const prediction = slot.prediction && { ...slot.prediction, ...decision };
    const clientKey = slot.clientKey ?? key;
    const unheard = states.length > 0;
    const known = { clientKey, base, target, facts, deletion, attempted };
    return plan(imageId, { ...known, copyOf, savedAs, prediction, unheard });
  }

  async #send(key: AnnotationKey, slot: Slot, next: Plan): Promise<void> {
    const sending = withRequest(slot.unheard, next);
    slot.sending = sending;
    this.#inFlight++;
    if (next.kind === "create") slot.attempted = next.sent;
    const answer = await this.#ask(next);
    const image = answer.status === 404 ? await this.#lookAtImage() : null;
    this.#inFlight--;
    if (this.#isRetired) return;
    slot.sending = null;
    if (mayHaveArrived(problemOf(answer))) slot.unheard = sending;
    if (image && !succeeded(image)) this.#failForAll(image);
    else if (succeeded(answer)) this.#succeed(key, slot, next, answer);
    else this.#fail(key, slot, next, answer);
    this.#changed();
    this.pump();
  }

  #succeed(key: AnnotationKey, slot: Slot, next: Plan, answer: Answer): void {
    this.#pause.answered();
    if (next.decides) this.#decisions += 1;
    if (next.kind === "delete") {
      slot.deletion = { version: next.ask.version! + 1, of: slot.base };
      slot.base = null;
      slot.unheard = NOTHING_UNHEARD;
    } else if (next.kind === "reject") {
      slot.decided = "rejected";
      slot.unheard = NOTHING_UNHEARD;
    } else if (next.kind === "reopen") this.#ruling.reopened(key, slot);
    else if (next.kind === "look") this.#answers.meet(key, slot, next, read(answer.body as WireAnnotation));
    else this.#have(key, slot, next, readAnswer(answer.body as WireAnnotation, next.sent));
    if (!this.#plan(key, slot)) this.#done(key, slot);
  }

  /** The server has what was asked for, or what it had made of the same question before. */
  #have(key: AnnotationKey, slot: Slot, next: Plan, found: Known): void {
    const known = asNamed(found, next.sent);
    const wasThere = next.kind === "create" && known.facts.updated_by !== this.#options.userId;
    if (next.decides && this.#ruling.meet(key, slot, next.sent!, known)) slot.attempted = null;
    else if (wasThere) this.#answers.join(key, slot, next.sent!, known);
    else this.#answers.accept(key, slot, next.sent, known);
    this.#dropTwin(key, keyOfId(known.facts.id));
  }

  /** A recovered creation that had reached the server, where `load` told so: nobody sees it twice meanwhile. */
  #knowMade(key: AnnotationKey, slot: Slot): void {
    const found = this.#slots.loadedAs(slot.clientKey ?? key);
    if (!found || this.#unsaved.has(keyOfId(found.facts.id))) return;
    const next = this.#plan(key, slot);
    if (next?.kind === "create") this.#have(key, slot, next, found);
  }

  /** The same annotation as `load` or others told of it, under its id. */
  #dropTwin(key: AnnotationKey, twin: AnnotationKey): void {
    if (twin === key || this.#unsaved.has(twin)) return;
    this.#slots.delete(twin);
    this.#options.document.apply(new Map([[twin, null]]), "answer");
  }

  #fail(key: AnnotationKey, slot: Slot, next: Plan, answer: Answer): void {
    const problem = problemOf(answer);
    const { status } = problem;
    if (isForAll(problem)) this.#failForAll(answer);
    else if (next.decides) {
      this.#decisions += 1;
      this.#ruling.refused(key, slot, next.kind, problem);
    }
    else if (status === 412 && problem.current) {
      this.#answers.meet(key, slot, next, read(problem.current));
    } else if (status === 404 && next.kind !== "create") this.#answers.meet(key, slot, next, null);
    // What it is made in was not there for a moment only.
    else if (status === 404) this.#pause.wait(null, () => this.pump());
    else if (problem.code === "copy_of_unknown") renew(key, slot);
    else if (next.kind === "create" && problem.code === "annotation_deleted") {
      // A first try had come, and somebody else has deleted what it made.
      renew(key, slot);
      if (this.#options.document.get(key)) slot.trouble = { kind: "conflict", theirs: null };
    } else {
      if (next.kind === "create") slot.attempted = null;
      slot.trouble = { kind: "refused", detail: problem.detail };
    }
  }

  /** A restoration that comes too late is told the content also of what somebody has deleted. */
  async #ask({ kind, ask }: Plan): Promise<Answer> {
    const { transport } = this.#options;
    const answer = await transport(ask);
    if (kind !== "restore" || answer.status !== 412) return answer;
    const found = await transport({ method: "GET", path: ask.path.replace("/restore", "") });
    return succeeded(found) ? answer : found;
  }

  #lookAtImage(): Promise<Answer> {
    return this.#options.transport({ method: "GET", path: pathTo("/api/images/{image_id}", this.#options.imageId) });
  }

  /** Nothing would be saved now: all of it waits. */
  #failForAll({ status, retryAfterSeconds }: Answer): void {
    if (status === 401) this.#pause.reason = "signed-out";
    else if (status === 404) {
      this.lost();
      this.#options.gone?.();
    } else this.#pause.wait(retryAfterSeconds, () => this.pump());
  }

  #done(key: AnnotationKey, slot: Slot): void {
    this.#unsaved.delete(key);
    if (slot.stored) {
      slot.stored = null;
      this.#keeping.remove(key);
    }
    if (this.#unsaved.size > 0) return;
    this.#settled?.resolve();
    this.#settled = null;
  }

  #keep(key: AnnotationKey, slot: Slot): void {
    const { document } = this.#options;
    const [target, facts] = [document.get(key), document.facts(key)];
    const { decided, clientKey } = slot;
    const unheard = slot.sending ?? slot.unheard;
    this.#keeping.keep(key, slot, { target, facts, decided, wanted: this.#ruling.wanted(slot), clientKey, unheard });
  }

  #recoverOne(entry: PendingEntry): void {
    const { document } = this.#options;
    const { key: kept, facts, base, target, attempted } = entry;
    const loadedAs = facts && keyOfId(facts.id);
    const unheard = entry.unheard ?? NOTHING_UNHEARD;
    const decision = entry.decision && isUndecided(entry.decision, unheard) ? entry.decision : null;
    // What is still to be decided keeps its key: the prediction belongs to that.
    const key = decision || !loadedAs ? kept : loadedAs;
    if (key !== kept) this.#keeping.remove(kept);
    const loaded = loadedAs && document.get(loadedAs);
    const now = loadedAs && document.facts(loadedAs);
    const slot = this.#slots.of(key);
    slot.clientKey = entry.clientKey ?? null;
    if (decision) this.#ruling.recover(key, slot, decision);
    else if (facts && unheard.states.length === 0 && sameAnnotation(loaded, target)) return this.#keeping.remove(key);
    slot.stored = key === kept ? storedOf(entry) : null;
    const found = loaded && now ? { annotation: loaded, facts: now } : null;
    if (decision && loadedAs && found) {
      this.#slots.adopt(key, found);
      this.#dropTwin(key, loadedAs);
    }
    slot.unheard = unheard;
    if (!found) slot.deletion = entry.deletion ?? null;
    document.apply(new Map([[key, target]]), "answer");
    this.#unsaved.add(key);
    // The create may have reached the server, or not: the key tells.
    if (!facts) slot.attempted = attempted ?? (decision?.wanted === "open" ? null : target);
    else if (now?.version !== facts.version && (found || (base && !decision))) {
      slot.base = base;
      this.#answers.meet(key, slot, { kind: target ? "change" : "delete", sent: target }, found);
    }
    // One more closed tab must find what it was based on, not what it collides with.
    if (facts && (!now || slot.trouble)) document.setFacts(key, facts);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

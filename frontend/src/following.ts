/**
 * What others do to the image on the stage, taken over as it happens.
 *
 * It enters the document as what the server has, so undo never meets it. What a
 * gesture has in hand, or what waits to be saved, is left alone until it is free;
 * where both sides changed the same annotation, its saving tells of the conflict.
 */

import { get, RequestError, type Transport } from "./api/client";
import {
  LiveUpdates,
  type EndReason,
  type LiveAnnotation,
  type LiveOptions,
  type LivePerson,
  type LiveState,
} from "./api/live";
import type { SaveQueue } from "./api/save-queue";
import { read, type Known } from "./api/wire";
import type { Editor } from "./editor/editor";
import { keyOfId } from "./model/records";
import { plural } from "./shapes/shape";

export interface FollowingOptions {
  readonly editor: Editor;
  readonly queue: SaveQueue;
  readonly transport: Transport;
  readonly userId: number;
  /** The image's own record, as it is now. */
  readonly image: (image: LiveState["image"]) => void;
  /** Something was missed: look at everything. False when not all of it could be taken over. */
  readonly refresh: () => Promise<boolean>;
  readonly reloadPredictions: () => Promise<void>;
  /** What the person may do here, as the server says now. */
  readonly role: (role: LiveState["role"]) => void;
  /** A text that changes with the dataset's categories. */
  readonly categories: (digest: string) => void;
  readonly people: () => void;
  readonly ended: (reason: EndReason) => void;
  readonly open?: LiveOptions["open"];
  readonly later?: LiveOptions["later"];
}

/** More annotations than this are read as one list. */
const MOST_SINGLE = 20;
/** What did not come is asked for again after this time. */
const RETRY_MS = 5_000;

export class Following {
  readonly #options: FollowingOptions;
  readonly #live: LiveUpdates;
  /** Told of, and not taken over yet; the newest event of each annotation. */
  readonly #pending = new Map<number, LiveAnnotation>();
  #everything = false;
  #started = false;
  #retries = false;
  #openPredictions: string | null = null;
  #working: Promise<void> | null = null;
  #people: readonly LivePerson[] = [];

  constructor(options: FollowingOptions) {
    this.#options = options;
    const { editor, queue, open, later } = options;
    this.#live = new LiveUpdates({
      imageId: editor.image.id,
      since: editor.image.revision,
      listener: {
        state: (state) => this.#see(state),
        annotation: (event) => {
          this.#pending.set(event.id, event);
          this.#work();
        },
        people: (people) => this.#setPeople(people),
        // What is wrong is told to whoever asks for the image itself.
        refused: () => void options.refresh(),
        ended: (reason) => {
          this.#setPeople([]);
          options.ended(reason);
        },
      },
      ...(open ? { open } : {}),
      ...(later ? { later } : {}),
    });
    editor.signal.on(["settled"], () => this.#work());
    queue.subscribe(() => {
      this.#work();
      this.#checkPredictions();
    });
  }

  /** Who else has the image open. */
  get others(): readonly LivePerson[] {
    return this.#people.filter(({ id }) => id !== this.#options.userId);
  }

  start(): void {
    this.#started = true;
    this.#live.start();
    this.#work();
  }

  stop(): void {
    this.#started = false;
    this.#live.stop();
    this.#setPeople([]);
  }

  seen(visible: boolean): void {
    this.#live.seen(visible);
  }

  /** Not everything that others did was taken over: what is left comes later. */
  lookAgain(): void {
    this.#everything = true;
    this.#retry();
  }

  #see(state: LiveState): void {
    this.#options.image(state.image);
    this.#options.categories(state.categories);
    this.#options.role(state.role);
    this.#setPeople(state.people);
    this.#openPredictions = state.open_predictions;
    this.#checkPredictions();
    this.#everything ||= state.missed;
    this.#work();
  }

  #setPeople(people: readonly LivePerson[]): void {
    this.#people = people;
    this.#options.people();
  }

  #checkPredictions(): void {
    const { queue, editor, reloadPredictions } = this.#options;
    if (this.#openPredictions === null || queue.decides) return;
    const changed = this.#openPredictions !== editor.predictions.digest;
    // Once for each time that we were told: our own later decisions make them differ, too.
    this.#openPredictions = null;
    if (changed) void reloadPredictions();
  }

  /** Takes over what is free. Called whenever something may have become so. */
  #work(): void {
    if (!this.#started || this.#working || (!this.#everything && this.#pending.size === 0)) return;
    const work = this.#everything ? this.#takeEverything() : this.#takeSome();
    if (!work) return;
    this.#working = work.finally(() => {
      this.#working = null;
    });
  }

  #takeEverything(): Promise<void> | null {
    if (this.#options.editor.hand.busy) return null;
    this.#everything = false;
    return this.#options.refresh().then((whole) => {
      if (whole) this.#next();
      else this.lookAgain();
    });
  }

  #takeSome(): Promise<void> | null {
    for (const event of this.#pending.values()) if (this.#has(event)) this.#pending.delete(event.id);
    const free = [...this.#pending.values()].filter((event) => this.#isFree(event));
    if (free.length === 0) return null;
    if (free.length > MOST_SINGLE) {
      this.#everything = true;
      return this.#takeEverything();
    }
    return this.#fetch(free);
  }

  /** What came meanwhile. */
  #next(): void {
    setTimeout(() => this.#work());
  }

  /** Once more after a pause; a hand that becomes free makes it sooner. */
  #retry(): void {
    if (this.#retries) return;
    this.#retries = true;
    const later = this.#options.later ?? ((run, ms) => setTimeout(run, ms));
    later(() => {
      this.#retries = false;
      this.#work();
    }, RETRY_MS);
  }

  async #fetch(events: readonly LiveAnnotation[]): Promise<void> {
    const found = await Promise.all(events.map((event) => this.#look(event)));
    const taken: LiveAnnotation[] = [];
    const states = new Map<number, Known | null>();
    for (const [i, event] of events.entries()) {
      const known = found[i];
      // Not an answer; or a hand has taken it up meanwhile, or it has no id here yet: it stays for later.
      if (known === undefined || !this.#isFree(event) || this.#isComing(known)) continue;
      if (this.#pending.get(event.id) === event) this.#pending.delete(event.id);
      states.set(event.id, known);
      taken.push(event);
    }
    const removed = taken.filter(({ change, id }) => change === "deleted" && this.#nameOf(id) !== null);
    const names = removed.map(({ id }) => this.#nameOf(id)!);
    this.#options.queue.takeOver(states);
    this.#tellDeletions(removed, names);
    if (taken.length > 0) this.#next();
    if (found.includes(undefined)) this.#retry();
  }

  /** The annotation as it is; null when it is not there, undefined when nobody knows. */
  async #look({ id, change }: LiveAnnotation): Promise<Known | null | undefined> {
    if (change === "deleted") return null;
    try {
      return read(await get(this.#options.transport, "/api/annotations/{annotation_id}", id));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      return error.problem.status === 404 ? null : undefined;
    }
  }

  /** Whether we have it as new as this, such as what we saved ourselves. */
  #has({ id, version, change }: LiveAnnotation): boolean {
    const { editor, queue } = this.#options;
    const key = queue.keyOf(id);
    // Told late of what we have deleted since: the server would have nothing to answer with.
    if (!key) return change === "deleted" || editor.document.hasSeen(id, version);
    return (editor.document.facts(key)?.version ?? 0) >= version;
  }

  #isFree({ id, by, change }: LiveAnnotation): boolean {
    const { editor, queue, userId } = this.#options;
    const key = queue.keyOf(id);
    // Probably what we are just making ourselves, which need not be asked for.
    if (!key) return !(by === userId && change === "created" && queue.creations.size > 0);
    if (queue.trouble(key)?.kind === "conflict") return true;
    if (queue.waits(key)) return false;
    return !editor.holds(key);
  }

  /** Whether we made it and have not heard its id: the answer will say. */
  #isComing(known: Known | null): boolean {
    return known !== null && this.#options.queue.creations.has(known.facts.client_key);
  }

  #nameOf(id: number): string | null {
    const { editor, queue } = this.#options;
    const annotation = editor.document.get(queue.keyOf(id) ?? keyOfId(id));
    if (!annotation) return null;
    return editor.category(annotation.category_id)?.name ?? "annotation";
  }

  #tellDeletions(events: readonly LiveAnnotation[], names: readonly string[]): void {
    const theirs = events.filter(({ by }) => by !== this.#options.userId);
    if (theirs.length === 0) return;
    const by = theirs[0]!.by;
    const one = theirs.every((event) => event.by === by);
    const who = (one && this.#people.find(({ id }) => id === by)?.name) || "Somebody else";
    const what = theirs.length === 1 ? `“${names[events.indexOf(theirs[0]!)]!}”` : plural(theirs.length, "object");
    this.#options.editor.say(`${who} deleted ${what}.`);
  }
}

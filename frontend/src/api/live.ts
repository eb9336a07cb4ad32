/**
 * Follows an image: what happens to it, and who is there, as server-sent events.
 *
 * The browser connects again by itself after a break; where it gives up, because
 * a proxy answered with an error, we try again. Whether something was missed says
 * the first event of each connection. A tab that nobody sees lets go of its
 * stream, since a browser opens only a few connections to a server.
 */

import type { Schemas } from "./client";
import { pathTo } from "./client";

export type LiveState = Schemas["StateOut"];
export type LiveAnnotation = Schemas["AnnotationEvent"];
export type LivePerson = Schemas["PersonOut"];
export type EndReason = Schemas["EndEvent"]["reason"];

export interface LiveListener {
  readonly state: (state: LiveState) => void;
  readonly annotation: (event: LiveAnnotation) => void;
  readonly people: (people: readonly LivePerson[]) => void;
  /** The server refuses, or is away; it is tried again. */
  readonly refused: () => void;
  /** There will be no more, unless somebody calls `start` again. */
  readonly ended: (reason: EndReason) => void;
}

/** What we need of the browser's EventSource. */
export interface Source {
  readonly readyState: number;
  addEventListener(name: string, listener: (event: MessageEvent<string>) => void): void;
  close(): void;
}

export interface LiveOptions {
  readonly imageId: number;
  /** The revision that the annotations here belong to, at least. */
  readonly since: number;
  readonly listener: LiveListener;
  readonly open?: (url: string) => Source;
  readonly later?: (run: () => void, ms: number) => unknown;
}

const CLOSED = 2;
const FIRST_RETRY_MS = 2_000;
const LAST_RETRY_MS = 30_000;
/** Who looks into another tab for a moment stays. */
const HIDDEN_MS = 10_000;

export class LiveUpdates {
  readonly #options: Required<LiveOptions>;
  #source: Source | null = null;
  #since: number;
  #retryMs = FIRST_RETRY_MS;
  #wanted = false;
  /** Counts starts and stops, so that what was put off can tell that it is outdated. */
  #turn = 0;

  constructor(options: LiveOptions) {
    this.#since = options.since;
    this.#options = {
      open: (url) => new EventSource(url),
      later: (run, ms) => setTimeout(run, ms),
      ...options,
    };
  }

  get connected(): boolean {
    return this.#source !== null && this.#source.readyState !== CLOSED;
  }

  /** Begins to follow; does nothing while it follows already. */
  start(): void {
    this.#wanted = true;
    this.#turn += 1;
    if (!this.connected) this.#connect();
  }

  stop(): void {
    this.#wanted = false;
    this.#turn += 1;
    this.#close();
  }

  /** The tab is seen again, or is not any more. */
  seen(visible: boolean): void {
    if (!this.#wanted) return;
    const turn = ++this.#turn;
    if (visible) {
      this.start();
      return;
    }
    this.#options.later(() => {
      if (turn === this.#turn) this.#close();
    }, HIDDEN_MS);
  }

  #connect(): void {
    this.#close();
    const { imageId, open } = this.#options;
    const source = open(`${pathTo("/api/images/{image_id}/events", imageId)}?since=${this.#since}`);
    this.#source = source;
    const on = <Body>(name: string, take: (body: Body) => void): void => {
      source.addEventListener(name, (event) => {
        if (source !== this.#source) return;
        this.#retryMs = FIRST_RETRY_MS;
        this.#since = Number(event.lastEventId) || this.#since;
        take(JSON.parse(event.data) as Body);
      });
    };
    const { listener } = this.#options;
    on<LiveState>("state", (state) => listener.state(state));
    on<LiveAnnotation>("annotation", (event) => listener.annotation(event));
    on<Schemas["PeopleEvent"]>("people", ({ people }) => listener.people(people));
    on<Schemas["EndEvent"]>("end", ({ reason }) => {
      this.#close();
      listener.ended(reason);
    });
    source.addEventListener("error", () => {
      if (source !== this.#source || source.readyState !== CLOSED) return;
      this.#tryLater();
      listener.refused();
    });
  }

  #tryLater(): void {
    const turn = this.#turn;
    const wait = this.#retryMs;
    this.#retryMs = Math.min(wait * 2, LAST_RETRY_MS);
    this.#options.later(() => {
      if (turn === this.#turn) this.#connect();
    }, wait);
  }

  #close(): void {
    this.#source?.close();
    this.#source = null;
  }
}

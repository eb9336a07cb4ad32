/**
 * A window without a screen that has the editor page open, and the server behind it: a dataset
 * of five images, each with one square. What is ours is the real thing; only what the browser
 * would give, and the network, are played.
 */

import { afterEach, beforeEach, vi } from "vitest";

import type { Editor } from "../src/editor/editor";
import { screenPoint } from "../src/geometry/point";
import type { PageData } from "../src/session";
import { Workspace } from "../src/workspace";
import { Server } from "./api/server";
import { FakeSource } from "./api/source";
import { CUP, PERSON } from "./story";

const IDS = [1, 2, 3, 4, 5];
const USER = { id: 1, email: "me@example.org", name: "Me", since: "2026-01-01T00:00:00.000001+00:00" };
const SQUARE = [[10, 10, 40, 10, 40, 40, 10, 40]];

/** What `sessionStorage` and `localStorage` are, with room for so many characters. */
export class Shelf {
  readonly #kept = new Map<string, string>();
  room = 1_000_000;

  getItem(name: string): string | null {
    return this.#kept.get(name) ?? null;
  }

  setItem(name: string, text: string): void {
    if (text.length > this.room) throw new Error("QuotaExceededError");
    this.#kept.set(name, text);
  }

  removeItem(name: string): void {
    this.#kept.delete(name);
  }

  get length(): number {
    return this.#kept.size;
  }

  key(index: number): string | null {
    return [...this.#kept.keys()][index] ?? null;
  }
}

const imageOf = (id: number, has_file: boolean): object => ({
  ...{ id, dataset_id: 1, file_name: `${id}.jpg`, width: 200, height: 100, status: "new", has_file, revision: 0 },
  updated_at: "2026-01-01T00:00:00Z",
});

export class Site {
  readonly servers = new Map(IDS.map((id) => [id, new Server()]));
  readonly local = new Shelf();
  readonly session = new Shelf();
  readonly sources: FakeSource[] = [];
  /** Method and path of each request. */
  readonly asked: string[] = [];
  /** The signals of the requests for pictures. */
  readonly pictures: { readonly path: string; readonly signal: AbortSignal | null }[] = [];
  /** Requests that are kept waiting, by a part of the path, and what ends that. */
  readonly #gates: { readonly part: string; readonly until: Promise<void>; most: number }[] = [];
  /** Answers with this status instead, as long as it is here, by a part of the path. */
  readonly faults = new Map<string, number>();
  #unanswered = 0;
  hasFiles = false;
  /** What models found in each image, and nobody has decided about. */
  predictions: readonly object[] = [];
  /** What the person may do in the dataset. */
  role: "owner" | "annotator" | "viewer" = "annotator";
  categories = [PERSON, CUP];
  /** Images that are not in the list any more. */
  readonly gone = new Set<number>();
  /** Images of other datasets, by their ids. */
  readonly elsewhere = new Map<number, number>();
  /** The address for which this page was left. */
  left: string | null = null;
  /** What was changed of the images, by their ids. */
  readonly #changed = new Map<number, object>();
  #addresses: string[] = [];
  #at = 0;
  readonly #listeners = new Map<string, () => void>();

  constructor() {
    for (const server of this.servers.values()) server.add({ category_id: PERSON.id, segmentation: SQUARE });
    const { local, session } = this;
    vi.stubGlobal("window", { addEventListener: (name: string, act: () => void) => this.#listeners.set(name, act) });
    vi.stubGlobal("document", { activeElement: null, addEventListener: () => undefined, cookie: "", title: "", visibilityState: "visible" });
    vi.stubGlobal("navigator", {});
    vi.stubGlobal("localStorage", local);
    vi.stubGlobal("sessionStorage", session);
    vi.stubGlobal("history", { pushState: (_state: unknown, _title: string, url: string) => this.#push(url) });
    const pathname = (): string => new URL(this.address, "http://localhost").pathname;
    const assign = (url: string): void => void (this.left = url);
    vi.stubGlobal("location", Object.defineProperty({ assign }, "pathname", { get: pathname }));
    const { sources } = this;
    vi.stubGlobal("EventSource", class extends FakeSource {
      constructor(url: string) {
        super(url);
        sources.push(this);
      }
    });
    vi.stubGlobal("fetch", (path: string, init: RequestInit) => this.#fetch(path, init));
  }

  /** The last address is where the page is; the others came before. */
  async open(id = 1, addresses: readonly string[] = [`/images/${id}`]): Promise<Workspace> {
    this.#addresses = [...addresses];
    this.#at = addresses.length - 1;
    const image = imageOf(id, this.hasFiles) as never;
    const dataset = { id: 1, name: "cups" };
    const { categories } = this;
    const preferences = { keys: {}, view: {} };
    const person = { user: USER, role: "annotator", preferences } as const;
    const page = { image, dataset, ...person, categories, categories_digest: "", query: "", tiled_from_pixels: 16e6 };
    return Workspace.open(page as unknown as PageData);
  }

  get address(): string {
    return this.#addresses[this.#at]!;
  }

  /** The role is another one, and the stream says so. */
  tell(role: Site["role"], open_predictions = "0-0", categories = ""): void {
    this.role = role;
    const [, id = ""] = /images\/(\d+)/.exec(this.sources.at(-1)!.url) ?? [];
    const image = this.#image(Number(id), this.servers.get(Number(id))!);
    const state = { image, missed: false, role, categories, open_predictions, people: [] };
    this.sources.at(-1)!.say("state", state);
  }

  /** The back and forward buttons of the browser. */
  travel(steps: number): void {
    this.#at += steps;
    this.#listeners.get("popstate")!();
  }

  /**
   * Keeps requests waiting whose path has this part; the function it gives lets them go on. What
   * is only asked is answered as it is at the time of the question, however late that arrives.
   * With `most`, only the next ones wait.
   */
  hold(part: string, most = Infinity): () => void {
    let release = (): void => undefined;
    const until = new Promise<void>((done) => (release = done));
    const gate = { part, until, most };
    this.#gates.push(gate);
    return () => {
      this.#gates.splice(this.#gates.indexOf(gate), 1);
      release();
    };
  }

  /** Resolves when every request is answered, and whoever waited for the answers has gone on. */
  async rests(): Promise<void> {
    do for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve));
    while (this.#unanswered > 0);
  }

  #push(url: string): void {
    this.#addresses = [...this.#addresses.slice(0, this.#at + 1), url];
    this.#at += 1;
  }

  #fetch(path: string, init: RequestInit): Promise<Response> {
    this.#unanswered += 1;
    return this.#respond(path, init).finally(() => (this.#unanswered -= 1));
  }

  async #respond(path: string, init: RequestInit): Promise<Response> {
    const method = init.method ?? "GET";
    this.asked.push(`${method} ${path}`);
    if (path.endsWith("/picture") || path.includes("/thumbnail")) {
      this.pictures.push({ path, signal: init.signal ?? null });
      await stopped(init.signal);
    }
    const version = /\d+/.exec(new Headers(init.headers).get("If-Match") ?? "")?.[0];
    const body: unknown = typeof init.body === "string" ? JSON.parse(init.body) : undefined;
    const ask = (): Promise<Response> =>
      this.#answer(method as "GET", path, body, version === undefined ? undefined : Number(version));
    const waits = this.#gates.filter((gate) => path.includes(gate.part) && gate.most-- > 0);
    const early = method === "GET" ? await ask() : null;
    await Promise.all(waits.map(({ until }) => until));
    const fault = [...this.faults].find(([part]) => path.includes(part));
    if (fault) return Response.json({ detail: "No." }, { status: fault[1] });
    return early ?? ask();
  }

  async #answer(method: "GET", path: string, body: unknown, version?: number): Promise<Response> {
    const [, id = "", rest = ""] = /^\/api\/images\/(\d+)\/?([^?]*)/.exec(path) ?? [];
    const server = this.servers.get(Number(id));
    if (path.startsWith("/api/datasets/1/categories")) return page(this.categories);
    if (path === "/api/datasets/1") return Response.json({ id: 1, name: "cups", role: this.role });
    if (path.startsWith("/api/me/preferences")) return Response.json({ keys: {}, view: {} });
    if (rest === "neighbours") return Response.json(this.#neighbours(Number(id)));
    if (server && rest === "visit") return Response.json(this.#visit(Number(id), server));
    if (path === "/api/datasets/1/predictions") return page([]);
    if (server && rest === "annotations" && method === "GET") return page(server.all());
    if (rest === "predictions") return page(this.predictions);
    if (server && rest === "" && method !== "GET") this.#change(Number(id), body as object);
    if (server && rest === "") return Response.json(this.#image(Number(id), server));
    const answer = await (server ?? this.servers.get(1)!).transport({ method, path, body, version });
    return answer.body === null ? new Response(null, answer) : Response.json(answer.body, answer);
  }

  #image(id: number, server: Server): object {
    const dataset_id = this.elsewhere.get(id) ?? 1;
    return { ...imageOf(id, this.hasFiles), dataset_id, revision: revisionOf(server), ...this.#changed.get(id) };
  }

  #change(id: number, change: object): void {
    const minute = String(this.asked.length % 60).padStart(2, "0");
    this.#changed.set(id, { ...change, updated_at: `2026-01-01T01:${minute}:00Z` });
  }

  #visit(id: number, server: Server): object {
    const annotations = { items: server.all(), next_cursor: null };
    return { image: this.#image(id, server), neighbours: this.#neighbours(id), annotations };
  }

  #neighbours(id: number): object {
    const there = IDS.filter((each) => !this.gone.has(each));
    const previous = there.findLast((each) => each < id) ?? null;
    return { previous, next: there.find((each) => each > id) ?? null, position: id, total: there.length };
  }
}

/** Gives each test of a file a site of its own, and the globals back after it. */
export function eachWithSite(give: (site: Site) => void): void {
  beforeEach(() => give(new Site()));
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });
}

const page = (items: readonly unknown[]): Response => Response.json({ items, next_cursor: null });

const revisionOf = (server: Server): number => [...server.rows.values()].reduce((sum, { version }) => sum + version - 1, 0);

function stopped(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(new Error("AbortError"))));
}

/** A press, a move or a release at a place in the image. */
export function pointer(editor: Editor, type: "down" | "move" | "up", x: number, y: number): void {
  const screen = screenPoint(x, y);
  const rest = { pointerId: 1, device: "mouse", button: 0, shift: false, primary: false, alt: false, rubber: false } as const;
  editor.hand.pointer({ ...rest, type, screen, image: editor.toImage(screen), time: performance.now() });
}

export function click(editor: Editor, x: number, y: number): void {
  for (const type of ["move", "down", "up"] as const) pointer(editor, type, x, y);
}

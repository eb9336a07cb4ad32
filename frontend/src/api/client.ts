/**
 * JSON over HTTP, with the CSRF token that writing from a page needs. What the
 * routes are and what they take and give says `schema.d.ts`, which `make
 * openapi` writes from the server's own description.
 *
 * An answer is a value, also when it is an error: the caller decides what a
 * status means. Status 0 says that no answer came, so that nobody knows whether
 * the server did what it was asked.
 */

import type { components, paths } from "./schema";

/** The bodies of the API by name, such as `Schemas["ImageOut"]`. */
export type Schemas = components["schemas"];

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfterSeconds: number | null;
}

export interface Ask {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  /** The version that the request means, for `If-Match`. */
  readonly version?: number | undefined;
  /** Ends it when nobody waits for the answer any more, as if there were none. */
  readonly signal?: AbortSignal | undefined;
}

/** How requests leave. The page passes `fetchTransport`, tests a server of their own. */
export type Transport = (ask: Ask) => Promise<Answer>;

export type Problem = Pick<Schemas["Problem"], "status" | "detail" | "code"> & {
  /** Beside a stale version: what the annotation is by now. */
  readonly current?: Schemas["AnnotationOut"];
};

export const succeeded = ({ status }: Answer): boolean => status >= 200 && status < 300;

/** Whether it is no answer to this very request: any other one would get the same. */
export const isForAll = ({ status, code }: Problem): boolean =>
  status === 0 || status === 401 || status >= 500 || status === 408 || status === 429 || code === "busy";

/** Whether it may have been done without our hearing of it: whoever is signed out or too early hears that nothing was. */
export const mayHaveArrived = ({ status, code }: Problem): boolean => (status === 0 || status >= 500) && code !== "busy";

export function problemOf({ status, body }: Answer): Problem {
  const given = (typeof body === "object" && body !== null ? body : {}) as Partial<Problem>;
  const detail = status === 0 ? "The server does not answer." : `The server answered ${status}.`;
  return { detail, code: "error", ...given, status };
}

const TIMEOUT_MS = 30_000;
const NO_ANSWER: Answer = { status: 0, body: null, retryAfterSeconds: null };

export function csrfToken(cookies: string): string {
  const pair = cookies.split("; ").find((cookie) => cookie.startsWith("maskwright_csrf="));
  return pair ? decodeURIComponent(pair.slice("maskwright_csrf=".length)) : "";
}

export function fetchTransport(send: typeof fetch, cookies: () => string): Transport {
  return async ({ method, path, body, version, signal }) => {
    const headers: Record<string, string> = { Accept: "application/json" };
    if (method !== "GET") headers["X-CSRF-Token"] = csrfToken(cookies());
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (version !== undefined) headers["If-Match"] = `"${version}"`;
    try {
      const response = await send(path, {
        method,
        headers,
        credentials: "same-origin",
        signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), ...(signal ? [signal] : [])]),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const given = await readJson(response);
      // A page instead of data: something in between answered, such as a hotel's sign-in.
      if (response.ok && response.status !== 204 && given === null) return NO_ANSWER;
      const after = Number(response.headers.get("Retry-After") ?? NaN);
      return {
        status: response.status,
        body: given,
        retryAfterSeconds: Number.isFinite(after) ? after : null,
      };
    } catch {
      return NO_ANSWER;
    }
  };
}

/** COCO's ids may be integers of 64 bits; a number of this language would show another one. */
const UNSAFE_ID = /"coco_id":\s*-?\d{16}/;

/** The id of a record as its very text, where a number cannot hold it and the browser tells the text. */
function exactId(this: unknown, key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (key !== "coco_id" || typeof value !== "number" || Number.isSafeInteger(value)) return value;
  // A record of the server, and not what people keep in the attributes of one.
  return Object.hasOwn(this as object, "created_at") ? (context?.source ?? value) : value;
}

/** Null for an empty body, and for the error page of a proxy in between. */
async function readJson(response: Response): Promise<unknown> {
  const text = await response.text();
  if (text === "") return null;
  try {
    return UNSAFE_ID.test(text) ? JSON.parse(text, exactId) : JSON.parse(text);
  } catch {
    return null;
  }
}

type Route = keyof paths;

/** What a GET of the route answers. */
type Got<R extends Route> = paths[R] extends {
  get: { responses: { 200: { content: { "application/json": infer Body } } } };
}
  ? Body
  : never;

/** A path of the API: `pathTo("/api/images/{image_id}", 3)` is `/api/images/3`. */
export function pathTo(route: Route, ...ids: readonly number[]): string {
  const left = [...ids];
  return route.replaceAll(/\{\w+\}/g, () => String(left.shift()));
}

/** Reads one thing. Throws its problem as a RequestError. */
export async function get<R extends Route>(
  transport: Transport,
  route: R,
  id: number,
  query: Readonly<Record<string, string>> | string = "",
  signal?: AbortSignal,
): Promise<Got<R>> {
  const search = typeof query === "string" ? query : new URLSearchParams(query).toString();
  const path = pathTo(route, id) + (search && `?${search}`);
  const answer = await transport({ method: "GET", path, signal });
  if (!succeeded(answer)) throw new RequestError(problemOf(answer));
  return answer.body as Got<R>;
}

interface Page<Item> {
  readonly items: readonly Item[];
  readonly next_cursor?: string | null;
}

/** What the pages of a list hold, for a route that answers such pages. */
type ItemOf<R extends Route> = Got<R> extends Page<infer Item> ? Item : never;

/** All pages of a list, in order. Throws the problem of the page that failed. */
export async function listAll<R extends Route>(
  transport: Transport,
  route: R,
  id: number,
  filters: Readonly<Record<string, string>> = {},
): Promise<ItemOf<R>[]> {
  return listFrom(transport, route, id, filters, undefined);
}

/** What follows behind a page's cursor; nothing where the page was the last one. */
export async function listRest<R extends Route>(
  transport: Transport,
  route: R,
  id: number,
  cursor: string | null | undefined,
  signal?: AbortSignal,
): Promise<ItemOf<R>[]> {
  return cursor ? listFrom(transport, route, id, {}, cursor, signal) : [];
}

async function listFrom<R extends Route>(
  transport: Transport,
  route: R,
  id: number,
  filters: Readonly<Record<string, string>>,
  after: string | undefined,
  signal?: AbortSignal,
): Promise<ItemOf<R>[]> {
  const items: ItemOf<R>[] = [];
  let cursor: string | null | undefined = after;
  do {
    const query = { ...filters, limit: "500", ...(cursor ? { cursor } : {}) };
    const page = (await get(transport, route, id, query, signal)) as Page<ItemOf<R>>;
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor);
  return items;
}

export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

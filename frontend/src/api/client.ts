/**
 * JSON over HTTP, with the CSRF token that writing from a page needs.
 *
 * An answer is a value, also when it is an error: the caller decides what a
 * status means. Status 0 says that no answer came, so that nobody knows whether
 * the server did what it was asked.
 */

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
}

/** How requests leave. The page passes `fetchTransport`, tests a server of their own. */
export type Transport = (ask: Ask) => Promise<Answer>;

export interface Problem {
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly current?: unknown;
}

export const succeeded = ({ status }: Answer): boolean => status >= 200 && status < 300;

export function problemOf({ status, body }: Answer): Problem {
  const given = (typeof body === "object" && body !== null ? body : {}) as Partial<Problem>;
  return { detail: `The server answered ${status}.`, code: "error", ...given, status };
}

const TIMEOUT_MS = 30_000;

export function csrfToken(cookies: string): string {
  const pair = cookies.split("; ").find((cookie) => cookie.startsWith("maskwright_csrf="));
  return pair ? decodeURIComponent(pair.slice("maskwright_csrf=".length)) : "";
}

export function fetchTransport(send: typeof fetch, cookies: () => string): Transport {
  return async ({ method, path, body, version }) => {
    const headers: Record<string, string> = { Accept: "application/json" };
    if (method !== "GET") headers["X-CSRF-Token"] = csrfToken(cookies());
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (version !== undefined) headers["If-Match"] = `"${version}"`;
    try {
      const response = await send(path, {
        method,
        headers,
        credentials: "same-origin",
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const after = Number(response.headers.get("Retry-After") ?? NaN);
      return {
        status: response.status,
        body: await readJson(response),
        retryAfterSeconds: Number.isFinite(after) ? after : null,
      };
    } catch {
      return { status: 0, body: null, retryAfterSeconds: null };
    }
  };
}

/** Null for an empty body, and for the error page of a proxy in between. */
async function readJson(response: Response): Promise<unknown> {
  const text = await response.text();
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

interface Page {
  readonly items: readonly unknown[];
  readonly next_cursor: string | null;
}

/** All pages of a list, in order. Throws the problem of the page that failed. */
export async function listAll(transport: Transport, path: string): Promise<unknown[]> {
  const items: unknown[] = [];
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const answer = await transport({ method: "GET", path: `${path}?limit=500${query}` });
    if (!succeeded(answer)) throw new RequestError(problemOf(answer));
    const page = answer.body as Page;
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null);
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

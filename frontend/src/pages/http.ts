/**
 * Requests to our own server: JSON in and out, with the header that proves
 * that a page of ours sends them, and errors a person can read.
 */

/** The body of an error answer (RFC 9457), as far as pages use it. */
export interface ProblemBody {
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly errors: readonly ProblemError[];
}

/** One thing that is wrong, and where in the request. */
export interface ProblemError {
  readonly loc: readonly (string | number)[];
  readonly code: string;
  readonly message: string;
}

/** A request that the server refused, or that never reached it (status 0). */
export class Problem extends Error {
  override readonly name = "Problem";

  constructor(readonly body: ProblemBody) {
    super(explain(body));
  }

  get status(): number {
    return this.body.status;
  }
}

/** What happened, what was kept and what to do, in one or two sentences. */
function explain(body: ProblemBody): string {
  switch (body.status) {
    case 0:
      return "The server cannot be reached. Nothing was changed; try again when the connection is back.";
    case 401:
      // A wrong password is a 401, too, and says so itself.
      return body.code === "unauthenticated"
        ? "You are signed out. Nothing was changed; sign in again in another tab and repeat it."
        : body.detail;
    case 500:
      return `${body.detail} Nothing was changed by this.`;
    case 503:
      return `${body.detail} Nothing was changed.`;
    default:
      return body.code === "csrf_failed"
        ? "This page has become too old to change things. Nothing was changed; reload it and try again."
        : body.detail;
  }
}

const UNREACHABLE: ProblemBody = {
  title: "Not reachable",
  status: 0,
  detail: "The server cannot be reached.",
  code: "unreachable",
  errors: [],
};

/** An answer's text as a problem, whoever wrote it: a proxy's error page has no JSON. */
export function problemFrom(status: number, text: string): Problem {
  if (status === 0) return new Problem(UNREACHABLE);
  try {
    const body = JSON.parse(text) as Partial<ProblemBody>;
    if (typeof body.detail === "string") {
      return new Problem({
        title: body.title ?? "Error",
        status,
        detail: body.detail,
        code: body.code ?? "error",
        errors: body.errors ?? [],
      });
    }
  } catch {
    // Not JSON: described below by its status alone.
  }
  const detail = `The server answered with an error (${status}).`;
  return new Problem({ title: "Error", status, detail, code: "error", errors: [] });
}

/** The value of a cookie that scripts may read. */
export function cookie(name: string): string {
  for (const part of document.cookie.split("; ")) {
    const [key, value = ""] = part.split("=", 2);
    if (key === name) return decodeURIComponent(value);
  }
  return "";
}

/** The headers of a writing request. */
export function proof(): Record<string, string> {
  return { "X-CSRF-Token": cookie("maskwright_csrf") };
}

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

async function send(method: Method, url: string, headers: HeadersInit, body?: BodyInit): Promise<string> {
  let response: Response;
  try {
    response = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) });
  } catch {
    throw new Problem(UNREACHABLE);
  }
  const text = await response.text();
  if (!response.ok) throw problemFrom(response.status, text);
  return text;
}

/** Send `body` as JSON and read the answer, or null where there is none. */
export async function requestJson<T>(method: Method, url: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (method !== "GET") Object.assign(headers, proof());
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const text = await send(method, url, headers, body === undefined ? undefined : JSON.stringify(body));
  return (text === "" ? null : JSON.parse(text)) as T;
}

/** A part of a page, as the server renders it. */
export async function requestHtml(url: string): Promise<DocumentFragment> {
  // A plain Accept keeps errors in JSON; a page in place of a part would show up inside the page.
  const text = await send("GET", url, { Accept: "*/*" });
  return document.createRange().createContextualFragment(text);
}

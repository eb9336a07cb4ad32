import { find } from "./dom";
import { Problem, requestHtml, requestJson } from "./http";

/** A job as `GET /api/jobs/{id}` answers it, as far as pages use it. */
export interface Job {
  readonly id: number;
  readonly state: "queued" | "running" | "succeeded" | "failed" | "cancelled";
  readonly done: number;
  readonly total: number;
  readonly message: string;
}

const RETRY_MS = 2000;

export function hasEnded(job: Job): boolean {
  return job.state !== "queued" && job.state !== "running";
}

/**
 * Follow a job by its server-sent events, until it has ended or `stop` is
 * called. A broken connection is opened again; the first event afterwards is
 * the job as it is then, so nothing is missed.
 */
export function follow(url: string, changed: (job: Job) => void): () => void {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;

  function stop(): void {
    stopped = true;
    source?.close();
    clearTimeout(timer);
  }

  function open(): void {
    source = new EventSource(url);
    source.onmessage = (event: MessageEvent<string>): void => {
      const job = JSON.parse(event.data) as Job;
      if (hasEnded(job)) stop();
      changed(job);
    };
    source.onerror = (): void => {
      // The browser retries by itself, but not after an answer that is no event stream.
      source?.close();
      if (!stopped) timer = setTimeout(open, RETRY_MS);
    };
  }
  open();
  return stop;
}

/** Show how far a job is: a bar without a value while nobody knows the total. */
export function showProgress(bar: HTMLProgressElement, message: Element, job: Job): void {
  if (job.total > 0) {
    bar.max = job.total;
    bar.value = job.done;
  } else {
    bar.removeAttribute("value");
  }
  message.textContent =
    job.message || (job.state === "queued" ? "Waiting for a worker" : "Working");
}

/** The progress on a job's own page, which shows the report when the job has ended. */
export function job(root: HTMLElement): void {
  const bar = find<HTMLProgressElement>(root, "[data-bar]");
  const message = find(root, "[data-message]");
  follow(root.dataset["url"] ?? "", (now) => {
    showProgress(bar, message, now);
    if (hasEnded(now)) location.reload();
  });
}

/** Cancel a job; one that ended in the meantime is as good. */
export async function cancelJob(id: number): Promise<void> {
  try {
    await requestJson("DELETE", `/api/jobs/${id}`);
  } catch (error) {
    if (!(error instanceof Problem && error.status === 409)) throw error;
  }
}

const POLL_MS = 1000;

/** Keeps rows up to date while one of them has `data-active` and somebody looks. */
export function poll(root: HTMLElement, bind: (part: ParentNode) => void): void {
  async function look(): Promise<void> {
    if (!document.hidden && root.querySelector("[data-active]") !== null) {
      try {
        const part = await requestHtml(root.dataset["url"] ?? "");
        const focused = focusedUrl(root);
        root.replaceChildren(part);
        bind(root);
        if (focused !== null) root.querySelector<HTMLElement>(focused)?.focus();
      } catch {
        // The next look may succeed; the rows stay as they were.
      }
    }
    setTimeout(() => void look(), POLL_MS);
  }
  setTimeout(() => void look(), POLL_MS);
}

/** Where the focus is among the rows, as a selector that finds it in new ones. */
function focusedUrl(root: HTMLElement): string | null {
  const focused = document.activeElement;
  if (!(focused instanceof HTMLElement) || !root.contains(focused)) return null;
  const { url } = focused.dataset;
  if (url !== undefined) return `[data-url="${CSS.escape(url)}"]`;
  const link = focused.getAttribute("href");
  return link === null ? null : `a[href="${CSS.escape(link)}"]`;
}

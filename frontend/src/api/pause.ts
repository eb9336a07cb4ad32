/** Why nothing is sent for a while, and until when. */

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;

export class Pause {
  reason: "offline" | "signed-out" | "gone" | null = null;
  readonly #later: (run: () => void, ms: number) => unknown;
  #retryMs = FIRST_RETRY_MS;

  constructor(later: (run: () => void, ms: number) => unknown = (run, ms) => setTimeout(run, ms)) {
    this.#later = later;
  }

  /** An answer came: the next pause is short again. */
  answered(): void {
    this.#retryMs = FIRST_RETRY_MS;
  }

  end(): void {
    this.reason = null;
    this.answered();
  }

  /** No answer: after a while, longer each time, or as the server says, `resume` is called. */
  wait(retryAfterSeconds: number | null, resume: () => void): void {
    if (this.reason) return;
    this.reason = "offline";
    const wait = retryAfterSeconds === null ? this.#retryMs : retryAfterSeconds * 1_000;
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
    this.#later(() => {
      if (this.reason !== "offline") return;
      this.reason = null;
      resume();
    }, wait);
  }
}

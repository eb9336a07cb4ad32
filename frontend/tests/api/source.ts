import type { Source } from "../../src/api/live";

/** A stream that the test speaks on. */
export class FakeSource implements Source {
  readyState = 0;
  readonly url: string;
  readonly #listeners = new Map<string, (event: MessageEvent<string>) => void>();

  constructor(url: string) {
    this.url = url;
  }

  addEventListener(name: string, listener: (event: MessageEvent<string>) => void): void {
    this.#listeners.set(name, listener);
  }

  close(): void {
    this.readyState = 2;
  }

  say(name: string, data: unknown, lastEventId = ""): void {
    this.#listeners.get(name)!({ data: JSON.stringify(data), lastEventId } as MessageEvent<string>);
  }

  /** The browser gives up, as after a proxy's error page. */
  fail(): void {
    this.readyState = 2;
    this.#listeners.get("error")!({} as MessageEvent<string>);
  }
}

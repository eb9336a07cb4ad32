/**
 * Which tabs of this browser have the editor open, so that none takes what
 * another one still answers for.
 *
 * A lock is held as long as a tab lives, and let go of by the browser however
 * that ends. Over plain http there are no locks: then the tabs are asked, and
 * one that lives answers.
 */

const LOCK = "maskwright-tab-";
const CHANNEL = "maskwright-tabs";
/** A page that is just being left lets go of its lock a moment later, and one that is asked answers. */
const LONGEST_MS = 1_000;
const MOMENT_MS = 25;

type Message = { readonly ask: true } | { readonly tab: string };

export class Tabs {
  readonly own = Math.random().toString(36).slice(2);
  readonly #locks: LockManager | undefined;
  readonly #channel: BroadcastChannel | null;
  readonly #heard = new Set<string>();
  /** Held their locks for the longest time, so that nobody waits for them once more. */
  readonly #staying = new Set<string>();
  /** Gave no answer for the longest time: they are gone, and names are never used again. */
  readonly #silent = new Set<string>();

  constructor() {
    this.#locks = (navigator as Partial<Navigator>).locks;
    this.#channel = this.#locks ? null : channel((message) => this.#hear(message));
    void this.#locks?.request(LOCK + this.own, () => new Promise(() => undefined));
  }

  /** Those of `named` that are open, beside this one. */
  async alive(named: readonly string[]): Promise<ReadonlySet<string>> {
    const others = named.filter((tab) => tab !== "" && tab !== this.own);
    if (others.length === 0) return new Set();
    return this.#locks ? this.#wait(this.#locks, others) : this.#ask(others);
  }

  /** Until all but those that stay have let go of their locks. */
  async #wait(locks: LockManager, others: readonly string[]): Promise<ReadonlySet<string>> {
    for (const moment of moments()) {
      const held = await this.#holders(locks);
      if (!others.some((tab) => held.has(tab) && !this.#staying.has(tab))) return held;
      await moment();
    }
    const held = await this.#holders(locks);
    for (const tab of held) this.#staying.add(tab);
    return held;
  }

  async #holders(locks: LockManager): Promise<ReadonlySet<string>> {
    const { held = [] } = await locks.query();
    const names = held.flatMap(({ name }) => (name?.startsWith(LOCK) ? [name.slice(LOCK.length)] : []));
    return new Set(names.filter((tab) => tab !== this.own));
  }

  /** Until all have answered. Without a way to ask, nobody does. */
  async #ask(others: readonly string[]): Promise<ReadonlySet<string>> {
    this.#heard.clear();
    if (!this.#channel) return new Set();
    this.#channel.postMessage({ ask: true } satisfies Message);
    for (const moment of moments()) {
      if (others.every((tab) => this.#heard.has(tab) || this.#silent.has(tab))) break;
      await moment();
    }
    for (const tab of others) if (!this.#heard.has(tab)) this.#silent.add(tab);
    return new Set(this.#heard);
  }

  #hear(message: Message): void {
    if ("tab" in message) {
      this.#heard.add(message.tab);
      // One that was only slow is waited for again.
      this.#silent.delete(message.tab);
    } else this.#channel?.postMessage({ tab: this.own } satisfies Message);
  }
}

function channel(hear: (message: Message) => void): BroadcastChannel | null {
  if (typeof BroadcastChannel === "undefined") return null;
  const made = new BroadcastChannel(CHANNEL);
  made.onmessage = ({ data }: MessageEvent<Message>) => hear(data);
  return made;
}

/** Ways to wait for a moment, until it took long enough. */
function* moments(): Generator<() => Promise<void>> {
  for (let waited = 0; waited < LONGEST_MS; waited += MOMENT_MS) {
    yield () => new Promise((resolve) => setTimeout(resolve, MOMENT_MS));
  }
}

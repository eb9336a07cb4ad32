/**
 * How the person likes the editor: keys of their own, and how objects are drawn
 * and listed. Kept on the server, the same in every browser. A change is in force
 * at once. When the server cannot be told it stays so on this page, and is told
 * later, with the next change or when the page looks for others.
 */

import type { ChangedKeys } from "../editor/keymap";
import { pathTo, problemOf, succeeded, type Answer, type Schemas, type Transport } from "./client";

export type ViewChoices = Required<Schemas["ViewOut"]>;

/** Null brings a command's own keys back. */
export interface SettingsChange {
  readonly keys?: Readonly<Record<string, readonly string[] | null>> | null;
  readonly view?: Partial<ViewChoices>;
}

/** The server's own defaults, for as long as it has not answered. */
const DEFAULT_VIEW: ViewChoices = {
  color_by: "category",
  fill_opacity: 0.28,
  outline_only: false,
  labels: false,
  object_sort: "area",
  group_objects: false,
};

export class AccountSettings {
  readonly #transport: Transport;
  readonly #listeners = new Set<() => void>();
  #keys: ChangedKeys;
  #view: ViewChoices;
  /** Changes that have no answer yet, and how often there was one to send. */
  #underWay = 0;
  #sent = 0;
  /** What the server does not have yet, the oldest first. */
  #waiting: readonly SettingsChange[] = [];
  /** Why the last change is not kept; null when it is. */
  trouble: string | null = null;

  /** Begins with those that came with the page. */
  constructor(transport: Transport, { keys, view }: Partial<Schemas["PreferencesOut"]> = {}) {
    this.#transport = transport;
    this.#keys = keys ?? {};
    this.#view = { ...DEFAULT_VIEW, ...view };
  }

  /** The commands whose keys are not their own, by id. */
  get keys(): ChangedKeys {
    return this.#keys;
  }

  get view(): ViewChoices {
    return this.#view;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What another browser changed meanwhile. Without an answer everything stays as it is. */
  async load(): Promise<void> {
    if (this.#waiting.length > 0) return this.#send([]);
    // The answer to a change that is under way tells as much.
    if (this.#underWay > 0) return;
    const before = this.#sent;
    const answer = await this.#transport({ method: "GET", path: pathTo("/api/me/preferences") });
    // It may be older than a change that was made meanwhile, even one that is answered already.
    if (before === this.#sent) this.#adopt(answer);
  }

  /** In force at once, without telling the server: for a slider that is still being dragged. */
  preview(view: Partial<ViewChoices>): void {
    this.#view = { ...this.#view, ...view };
    this.#changed();
  }

  async change(change: SettingsChange): Promise<void> {
    this.#apply(change);
    await this.#send([change]);
  }

  /** Tells the server, what waited first. What it refuses would be refused again, and waits no longer. */
  async #send(changes: readonly SettingsChange[]): Promise<void> {
    const left = [...this.#waiting, ...changes];
    this.#waiting = [];
    this.#sent += 1;
    this.#underWay += 1;
    let answer: Answer | null = null;
    for (let body = left[0]; body; body = left[0]) {
      answer = await this.#transport({ method: "PATCH", path: pathTo("/api/me/preferences"), body });
      if (mayComeLater(answer)) break;
      left.shift();
    }
    this.#underWay -= 1;
    this.#waiting = [...left, ...this.#waiting];
    if (!answer) return;
    this.trouble = succeeded(answer) ? null : problemOf(answer).detail;
    this.#adopt(answer);
    this.#changed();
  }

  #apply({ keys, view }: SettingsChange): void {
    if (keys === null) this.#keys = {};
    else if (keys) {
      const merged = Object.entries({ ...this.#keys, ...keys });
      this.#keys = Object.fromEntries(merged.filter((pair): pair is [string, readonly string[]] => pair[1] !== null));
    }
    this.#view = { ...this.#view, ...view };
    this.#changed();
  }

  /** An answer to an older question must not undo a newer change. */
  #adopt(answer: Answer): void {
    if (!succeeded(answer) || this.#underWay > 0 || this.#waiting.length > 0) return;
    const { keys, view } = answer.body as Schemas["PreferencesOut"];
    this.#keys = keys ?? {};
    this.#view = { ...DEFAULT_VIEW, ...view };
    this.#changed();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** The server was not there, too busy, or does not know at the moment who this is. */
const mayComeLater = ({ status }: Answer): boolean =>
  status === 0 || status === 401 || status === 429 || status >= 500;

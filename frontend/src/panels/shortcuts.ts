/**
 * The commands with the keys that are in force, for tooltips, menus and lists.
 * Panels find it by `shortcuts()`; reading it follows what the person changes.
 */

import { getContext, setContext } from "svelte";
import { createSubscriber } from "svelte/reactivity";

import type { AccountSettings } from "../api/account-settings";
import type { Command } from "../editor/commands";
import { withKeys } from "../editor/keymap";
import { keyLabel } from "../editor/keys";

const CONTEXT = Symbol("shortcuts");

export class Shortcuts {
  readonly mac: boolean;
  readonly settings: AccountSettings;
  readonly #defaults: () => readonly Command[];
  readonly #follow: () => void;
  #made: { readonly of: readonly Command[]; readonly keys: unknown; readonly commands: readonly Command[] } | null =
    null;

  constructor(settings: AccountSettings, defaults: () => readonly Command[], mac: boolean) {
    this.settings = settings;
    this.mac = mac;
    this.#defaults = defaults;
    this.#follow = createSubscriber((update) => settings.subscribe(update));
  }

  /** With their own keys. */
  get defaults(): readonly Command[] {
    return this.#defaults();
  }

  /** With the keys in force. */
  get commands(): readonly Command[] {
    this.#follow();
    const { keys } = this.settings;
    const of = this.#defaults();
    if (this.#made?.of !== of || this.#made.keys !== keys) {
      this.#made = { of, keys, commands: withKeys(of, keys) };
    }
    return this.#made.commands;
  }

  label(key: string): string {
    return keyLabel(key, this.mac);
  }

  /** The first key of a command as people read it, or nothing. */
  key(id: string): string {
    const key = this.commands.find((command) => command.id === id)?.keys[0];
    return key === undefined ? "" : this.label(key);
  }

  /** `Undo (Ctrl Z)`: a tooltip with the command's key, when it has one. */
  tip(text: string, id: string): string {
    const key = this.key(id);
    return key === "" ? text : `${text} (${key})`;
  }
}

export const provideShortcuts = (shortcuts: Shortcuts): Shortcuts => setContext(CONTEXT, shortcuts);

export const useShortcuts = (): Shortcuts => getContext<Shortcuts>(CONTEXT);

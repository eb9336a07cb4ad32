/** Keys that a person changed: data in, commands with their keys out. */

import type { Command } from "./commands";

export type ChangedKeys = Readonly<Record<string, readonly string[]>>;

/** What stands for itself everywhere: keys of the page, and of moving about in it. */
const RESERVED = new Set([" ", "Tab", "Shift+Tab", "Escape"]);

export const assignable = (key: string): boolean => !RESERVED.has(key);

/** The commands with the keys that are in force; one that is told `as` another has that one's. */
export function withKeys(commands: readonly Command[], changed: ChangedKeys): Command[] {
  const keys = new Map(commands.map(({ id, keys: own }) => [id, changed[id] ?? own]));
  return commands.map((command) => ({
    ...command,
    keys: keys.get(command.as ?? command.id) ?? command.keys,
  }));
}

/** What has the key besides `id`. */
export function takenBy(commands: readonly Command[], key: string, id: string): Command[] {
  return commands.filter((command) => !command.as && command.id !== id && command.keys.includes(key));
}

/**
 * The keys of each command that another one has as well. Two commands that share
 * a key from the start do so on purpose: only one of them can run at a time.
 */
export function clashes(commands: readonly Command[], changed: ChangedKeys): Map<string, string[]> {
  const now = withKeys(commands, changed);
  const defaults = new Map(commands.map(({ id, keys }) => [id, keys]));
  const found = new Map<string, string[]>();
  for (const { id, keys, as } of now) {
    if (as) continue;
    const shared = keys.filter((key) =>
      takenBy(now, key, id).some(
        (other) => !(defaults.get(id)!.includes(key) && defaults.get(other.id)!.includes(key)),
      ),
    );
    if (shared.length > 0) found.set(id, shared);
  }
  return found;
}

/** What to change so that the command has these keys: null where they are its own ones. */
export function keysChange(
  commands: readonly Command[],
  id: string,
  keys: readonly string[],
): Record<string, readonly string[] | null> {
  const own = commands.find((command) => command.id === id)?.keys ?? [];
  return { [id]: keys.join(" ") === own.join(" ") ? null : keys };
}

/** The same, and whoever has one of the keys besides loses it. */
export function takeKey(
  commands: readonly Command[],
  changed: ChangedKeys,
  id: string,
  key: string,
): Record<string, readonly string[] | null> {
  const now = withKeys(commands, changed);
  const mine = now.find((command) => command.id === id)?.keys ?? [];
  const losers = takenBy(now, key, id).map(({ id: other, keys }) =>
    keysChange(commands, other, keys.filter((each) => each !== key)),
  );
  return Object.assign({}, ...losers, keysChange(commands, id, [...mine.filter((each) => each !== key), key]));
}

/** The commands as help sheet, palette and key list show them: data in, lines out. */

import { GROUPS, type Command, type Group } from "../editor/commands";

export interface HelpLine {
  readonly label: string;
  readonly help: string;
  readonly keys: readonly string[];
}

export interface HelpGroup {
  readonly group: Group;
  readonly lines: readonly HelpLine[];
}

export const words = (query: string): string[] => query.toLowerCase().split(/\s+/).filter(Boolean);

/** The groups with what has a key; commands that belong together are one line. */
export function helpGroups(commands: readonly Command[], query = ""): HelpGroup[] {
  return GROUPS.map((group) => {
    const members = commands.filter(
      (command) => command.group === group && command.keys.length > 0 && !command.as,
    );
    return { group, lines: helpLines(members).filter((line) => mentions(line, query)) };
  }).filter(({ lines }) => lines.length > 0);
}

function helpLines(commands: readonly Command[]): HelpLine[] {
  const lines = new Map<string, HelpLine>();
  for (const { label, help, keys, together } of commands) {
    const name = together ?? label;
    const line = lines.get(name);
    lines.set(name, { label: name, help, keys: [...(line?.keys ?? []), ...keys] });
  }
  return [...lines.values()];
}

/** Commands that belong together, such as those of the nine digits, as one; all in order. */
export function families(commands: readonly Command[]): { readonly name: string; readonly members: readonly Command[] }[] {
  const found = new Map<string, Command[]>();
  for (const command of commands) {
    const name = command.together ?? command.label;
    found.set(name, [...(found.get(name) ?? []), command]);
  }
  return [...found].map(([name, members]) => ({ name, members }));
}

/** Whether label, help or keys have every word of the query. */
export function mentions({ label, help, keys }: HelpLine, query: string): boolean {
  const text = `${label} ${help} ${keys.join(" ")} ${keys.join(" ").replaceAll("Mod", "Ctrl")}`.toLowerCase();
  return words(query).every((word) => text.includes(word));
}

/** Three keys or more with the same modifiers name these once: `Shift ←`, `→`, `↑`, `↓`. */
export function shortened(keys: readonly string[]): readonly string[] {
  const first = keys[0] ?? "";
  const modifiers = first.slice(0, first.lastIndexOf("+", first.length - 2) + 1);
  if (keys.length < 3 || modifiers === "" || !keys.every((key) => key.startsWith(modifiers))) return keys;
  return [first, ...keys.slice(1).map((key) => key.slice(modifiers.length))];
}

export interface PaletteEntry {
  readonly id: string;
  readonly label: string;
  readonly group: string;
  readonly help: string;
  readonly keys: readonly string[];
  readonly color?: string;
  readonly run: () => void;
}

/** The entries that match, the best first; without a query those used last, then all in order. */
export function ranked<E extends Pick<PaletteEntry, "id" | "label" | "help">>(
  entries: readonly E[],
  query: string,
  recent: readonly string[],
): E[] {
  const parts = words(query);
  const age = (id: string): number => {
    const at = recent.indexOf(id);
    return at < 0 ? recent.length : at;
  };
  return entries
    .map((entry) => ({ entry, score: matchScore(entry, parts) }))
    .filter(({ score }) => score >= 0)
    .sort((a, b) => b.score - a.score || age(a.entry.id) - age(b.entry.id))
    .map(({ entry }) => entry);
}

/** How well the words fit, each at its best; -1 when one of them does not fit at all. */
function matchScore({ label, help }: { label: string; help: string }, parts: readonly string[]): number {
  const text = label.toLowerCase();
  let sum = 0;
  for (const part of parts) {
    const score = wordScore(text, part) || (help.toLowerCase().includes(part) ? 1 : 0);
    if (score === 0) return -1;
    sum += score;
  }
  return sum;
}

/** 8 the whole label, 6 its beginning, 5 of a word's, 4 within, 2 letters in order, 0 not. */
function wordScore(text: string, part: string): number {
  const at = text.indexOf(part);
  if (at >= 0) {
    if (text === part) return 8;
    if (at === 0) return 6;
    return new RegExp(`[\\s:(-]${escaped(part)}`).test(text) ? 5 : 4;
  }
  // One letter alone would fit nearly everything.
  return part.length > 1 && inOrder(text, part) ? 2 : 0;
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** Letters in order, the first of them at the beginning of a word: `gop` finds "go to next problem". */
function inOrder(text: string, part: string): boolean {
  const start = text.search(new RegExp(`(^|[\\s:(-])${escaped(part[0]!)}`));
  if (start < 0) return false;
  let at = start;
  for (const letter of part) {
    at = text.indexOf(letter, at) + 1;
    if (at === 0) return false;
  }
  return true;
}

const MOST_RECENT = 12;

/** The list of ids used last with one more on top. */
export const withRecent = (recent: readonly string[], id: string): string[] =>
  [id, ...recent.filter((other) => other !== id)].slice(0, MOST_RECENT);

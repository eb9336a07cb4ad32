/** The commands as help sheet and palette list them: data in, lines out. */

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

/** The groups with what has a key; commands that belong together are one line. */
export function helpGroups(commands: readonly Command[], query = ""): HelpGroup[] {
  return GROUPS.map((group) => {
    const members = commands.filter((command) => command.group === group && command.keys.length > 0);
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

function mentions({ label, help, keys }: HelpLine, query: string): boolean {
  const text = `${label} ${help} ${keys.join(" ")}`.toLowerCase();
  return words(query).every((word) => text.includes(word));
}

export const words = (query: string): string[] => query.toLowerCase().split(/\s+/).filter(Boolean);

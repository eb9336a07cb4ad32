/** From a key press to the command that it means. */

import type { Command } from "./commands";
import type { Editor } from "./editor";

export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
}

/** `Mod+Shift+Z` for the press; null while only a modifier is down. */
export function keyName(press: KeyPress, mac: boolean): string | null {
  if (["Control", "Meta", "Shift", "Alt", "AltGraph"].includes(press.key)) return null;
  const mod = mac ? press.metaKey : press.ctrlKey;
  const letter = press.key.length === 1 ? press.key.toUpperCase() : press.key;
  // Signs such as ? and + come with Shift on some keyboards and without on others.
  const shift = press.shiftKey && (press.key.length > 1 || /[A-Z]/.test(letter));
  return [mod && "Mod", press.altKey && "Alt", shift && "Shift", letter].filter(Boolean).join("+");
}

export function commandFor(
  commands: readonly Command[],
  name: string,
  editor: Editor,
): Command | null {
  return (
    commands.find(({ keys, when }) => keys.includes(name) && (!when || when(editor))) ?? null
  );
}

const SIGNS: Readonly<Record<string, string>> = {
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
  Escape: "Esc",
};

/** The key as people read it: `Ctrl Shift Z`, or `⌘ ⇧ Z` on a Mac. */
export function keyLabel(key: string, mac: boolean): string {
  return key
    .split(/\+(?=.)/)
    .map((part) => {
      if (part === "Mod") return mac ? "⌘" : "Ctrl";
      if (part === "Shift" && mac) return "⇧";
      return SIGNS[part] ?? part;
    })
    .join(" ");
}

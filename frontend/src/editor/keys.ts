/** From a key press to the command that it means. */

import type { Command } from "./commands";
import type { Editor } from "./editor";

export interface KeyPress {
  readonly key: string;
  /** The place on the keyboard, such as `KeyA`. */
  readonly code: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
}

/** `Mod+Shift+Z` for the press; null while only a modifier is down. */
export function keyName(press: KeyPress, mac: boolean): string | null {
  if (["Control", "Meta", "Shift", "Alt", "AltGraph"].includes(press.key)) return null;
  const mod = mac ? press.metaKey : press.ctrlKey;
  const letter = latin(press);
  // Signs such as ? and + come with Shift on some keyboards and without on others.
  const shift = press.shiftKey && (press.key.length > 1 || /[A-Z]/.test(letter));
  return [mod && "Mod", press.altKey && "Alt", shift && "Shift", letter].filter(Boolean).join("+");
}

/** On a keyboard of another script a letter's key means the Latin letter at its place. */
function latin({ key, code }: KeyPress): string {
  if (key.length > 1) return key;
  const foreign = /\p{L}/u.test(key) && !/\p{Script=Latin}/u.test(key);
  return foreign && code.startsWith("Key") ? code.slice(3) : key.toUpperCase();
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

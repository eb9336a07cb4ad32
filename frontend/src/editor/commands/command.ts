/**
 * What a command is. Key lists, palette, help sheet and tooltips are made from
 * nothing else.
 *
 * A key is written as `Mod+Shift+Z`, where Mod is Ctrl, or Cmd on a Mac; a
 * letter stands for the letter, not for the place on the keyboard.
 */

import type { Editor } from "../editor";

/** In the order of the help sheet. */
export const GROUPS = ["Tools", "Edit", "Objects", "Category", "View", "Image", "Help"] as const;

export type Group = (typeof GROUPS)[number];

export interface Command {
  readonly id: string;
  readonly label: string;
  readonly group: Group;
  /** One sentence for whoever has never used it. */
  readonly help: string;
  readonly keys: readonly string[];
  /** Commands with the same words here share one line of the help sheet. */
  readonly together?: string;
  /** Has the keys of the command with this id, and is no line of its own: one or the other runs. */
  readonly as?: string;
  /** Runs only while this holds; always, when left out. */
  readonly when?: (editor: Editor) => boolean;
  /** Whether a key that is held down runs it once more; always, when left out. */
  readonly again?: () => boolean;
  readonly run: (editor: Editor) => void;
  /** Not in the palette, because it means nothing without the gesture in hand. */
  readonly gesture?: boolean;
}

export const canEdit = (editor: Editor): boolean => !editor.readOnly;
export const hasSelection = (editor: Editor): boolean => editor.view.selection.size > 0;
export const busy = (editor: Editor): boolean => editor.hand.busy;
export const canEditSelection = (editor: Editor): boolean =>
  canEdit(editor) && hasSelection(editor) && !busy(editor);

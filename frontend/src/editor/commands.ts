/**
 * Everything one can do without pointing, as commands: help sheet, palette,
 * tooltips and keys are made from this one list.
 *
 * A key is written as `Mod+Shift+Z`, where Mod is Ctrl, or Cmd on a Mac; a
 * letter stands for the letter, not for the place on the keyboard.
 */

import type { Annotation, AnnotationKey } from "../model/records";
import type { Editor } from "./editor";
import { toggle } from "./view";

export interface Command {
  readonly id: string;
  readonly label: string;
  readonly group: "Tools" | "Edit" | "View" | "Image" | "Category" | "Help";
  readonly keys: readonly string[];
  /** Runs only while this holds; always, when left out. */
  readonly when?: (editor: Editor) => boolean;
  /** `key` is the one of `keys` that was pressed. */
  readonly run: (editor: Editor, key: string) => void;
  /** Not in the palette, because it means nothing without the gesture in hand. */
  readonly gesture?: boolean;
}

const canEdit = (editor: Editor): boolean => !editor.readOnly;
const hasSelection = (editor: Editor): boolean => editor.view.selection.size > 0;
const busy = (editor: Editor): boolean => editor.hand.busy;

function hideSelection(editor: Editor): void {
  const { hidden, selection } = editor.view;
  const anyShown = [...selection].some((key) => !hidden.has(key));
  for (const key of selection) if (anyShown) hidden.add(key); else hidden.delete(key);
  editor.signal.emit("view");
}

export function toggleAll(editor: Editor): void {
  const { hidden } = editor.view;
  const all = [...editor.document.entries()].map(([key]) => key);
  const anyHidden = all.some((key) => hidden.has(key));
  for (const key of all) if (anyHidden) hidden.delete(key); else hidden.add(key);
  editor.signal.emit("view");
}

function toggleLock(editor: Editor): void {
  for (const key of editor.view.selection) toggle(editor.view.locked, key);
  editor.signal.emit("view");
}

/** With the select tool a digit also gives the selection the category. */
export function pickCategory(editor: Editor, categoryId: number): void {
  editor.chooseCategory(categoryId);
  if (editor.hand.toolId !== "select" || editor.hand.busy || editor.readOnly) return;
  if (editor.view.selection.size === 0) return;
  editor.edit("Change category", editor.view.selection, (annotation) =>
    annotation.category_id === categoryId ? null : { ...annotation, category_id: categoryId },
  );
}

/** What is shown and not locked, in the order of the document. */
function* touchable(editor: Editor): Generator<[AnnotationKey, Annotation]> {
  for (const entry of editor.document.entries()) {
    if (editor.visible(entry[0]) && !editor.view.locked.has(entry[0])) yield entry;
  }
}

/** All of the categories that the selection has, or of the current one where nothing is selected. */
function selectCategory(editor: Editor): void {
  const { selection } = editor.view;
  const wanted = new Set([...selection].map((key) => editor.document.get(key)?.category_id));
  if (selection.size === 0) wanted.add(editor.categoryId);
  const found = [...touchable(editor)].filter(([, { category_id: id }]) => wanted.has(id));
  editor.select(found.map(([key]) => key));
}

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

function nudgeCommand(prefix: "" | "Shift+", pixels: number): Command {
  return {
    id: `nudge-${pixels}`,
    label: `Move the selection by ${pixels} px`,
    group: "Edit",
    keys: Object.keys(ARROWS).map((arrow) => prefix + arrow),
    gesture: true,
    when: (editor) => canEdit(editor) && hasSelection(editor) && !busy(editor),
    run: (editor, key) => {
      const [x, y] = ARROWS[key.slice(prefix.length)]!;
      editor.nudge(x * pixels, y * pixels);
    },
  };
}

function digitCommand(digit: number): Command {
  return {
    id: `category-${digit}`,
    label: `Category ${digit}`,
    group: "Category",
    keys: [String(digit)],
    when: (editor) => editor.categories.length >= digit,
    run: (editor) => pickCategory(editor, editor.categories[digit - 1]!.id),
  };
}

export const COMMANDS: readonly Command[] = [
  {
    id: "complete",
    label: "Finish the shape",
    group: "Edit",
    keys: ["Enter"],
    gesture: true,
    when: busy,
    run: (editor) => void editor.hand.intend("complete"),
  },
  {
    id: "step-back",
    label: "Drop the last point",
    group: "Edit",
    keys: ["Backspace"],
    gesture: true,
    when: busy,
    run: (editor) => void editor.hand.intend("step-back"),
  },
  {
    id: "cancel",
    label: "Cancel the gesture, or select nothing",
    group: "Edit",
    keys: ["Escape"],
    gesture: true,
    run: (editor) => {
      if (!editor.hand.intend("cancel")) editor.select([]);
    },
  },
  {
    id: "undo",
    label: "Undo",
    group: "Edit",
    keys: ["Mod+Z"],
    when: (editor) => editor.hand.busy || editor.history.undoLabel !== null,
    run: (editor) => editor.undo(),
  },
  {
    id: "redo",
    label: "Redo",
    group: "Edit",
    keys: ["Mod+Shift+Z", "Mod+Y"],
    when: (editor) => editor.history.redoLabel !== null,
    run: (editor) => editor.redo(),
  },
  {
    id: "delete",
    label: "Delete the selection",
    group: "Edit",
    keys: ["Delete", "Backspace"],
    when: (editor) => canEdit(editor) && hasSelection(editor) && !busy(editor),
    run: (editor) => editor.remove(editor.view.selection),
  },
  nudgeCommand("", 1),
  nudgeCommand("Shift+", 10),
  {
    id: "select-all",
    label: "Select everything",
    group: "Edit",
    keys: ["Mod+A"],
    when: (editor) => !busy(editor),
    run: (editor) => editor.select([...touchable(editor)].map(([key]) => key)),
  },
  {
    id: "select-category",
    label: "Select everything of this category",
    group: "Edit",
    keys: ["Mod+Shift+A"],
    when: (editor) => !busy(editor),
    run: selectCategory,
  },
  {
    id: "select-others",
    label: "Invert the selection",
    group: "Edit",
    keys: ["Mod+I"],
    when: (editor) => !busy(editor),
    run: (editor) => {
      const { selection } = editor.view;
      editor.select([...touchable(editor)].map(([key]) => key).filter((key) => !selection.has(key)));
    },
  },
  { id: "fit", label: "Fit the image", group: "View", keys: ["F"], run: (editor) => editor.fit() },
  {
    id: "zoom-in",
    label: "Zoom in",
    group: "View",
    keys: ["+", "="],
    run: (editor) => editor.zoom(1.25),
  },
  {
    id: "zoom-out",
    label: "Zoom out",
    group: "View",
    keys: ["-"],
    run: (editor) => editor.zoom(1 / 1.25),
  },
  {
    id: "zoom-actual",
    label: "Zoom to 100 %",
    group: "View",
    keys: ["0"],
    run: (editor) => editor.zoom(1 / editor.camera.scale),
  },
  {
    id: "hide-selection",
    label: "Hide or show the selection",
    group: "View",
    keys: ["H"],
    when: hasSelection,
    run: hideSelection,
  },
  { id: "hide-all", label: "Hide or show everything", group: "View", keys: ["Shift+H"], run: toggleAll },
  {
    id: "lock-selection",
    label: "Lock or unlock the selection",
    group: "View",
    keys: ["L"],
    when: hasSelection,
    run: toggleLock,
  },
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map(digitCommand),
];

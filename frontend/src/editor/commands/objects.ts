/** Hiding and locking objects. None of it changes an annotation. */

import type { Editor } from "../editor";
import { toggle } from "../view";
import { hasSelection, type Command } from "./command";

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

export const OBJECTS: readonly Command[] = [
  {
    id: "hide-selection",
    label: "Hide or show the selection",
    group: "Objects",
    help: "What is hidden stays in the list and in the file.",
    keys: ["H"],
    when: hasSelection,
    run: hideSelection,
  },
  {
    id: "hide-all",
    label: "Hide or show everything",
    group: "Objects",
    help: "Hides all objects, or shows all when any is hidden.",
    keys: ["Shift+H"],
    run: toggleAll,
  },
  {
    id: "lock-selection",
    label: "Lock or unlock the selection",
    group: "Objects",
    help: "A locked object is not picked or moved on the image.",
    keys: ["L"],
    when: hasSelection,
    run: toggleLock,
  },
];

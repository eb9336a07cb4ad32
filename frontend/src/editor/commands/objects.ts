/** Hiding and locking objects. None of it changes an annotation. */

import type { Editor } from "../editor";
import { toggle } from "../view";
import { restack } from "../stacking";
import { canEditSelection, hasSelection, type Command } from "./command";

function hideSelection(editor: Editor): void {
  const { hidden, selection } = editor.view;
  const anyShown = [...selection].some((key) => !hidden.has(key));
  for (const key of selection) if (anyShown) hidden.add(key); else hidden.delete(key);
  editor.signal.emit("view");
}

export function toggleAll(editor: Editor): void {
  const { hidden } = editor.view;
  editor.view.beforeIsolation = null;
  const all = [...editor.document.entries()].map(([key]) => key);
  const anyHidden = all.some((key) => hidden.has(key));
  for (const key of all) if (anyHidden) hidden.delete(key); else hidden.add(key);
  editor.signal.emit("view");
}

/** Hides all but the selection; asked again, everything is as it was before. */
function isolate(editor: Editor): void {
  const { view, document } = editor;
  const before = view.beforeIsolation;
  view.beforeIsolation = before ? null : new Set(view.hidden);
  view.hidden.clear();
  if (before) for (const key of before) view.hidden.add(key);
  else for (const [key] of document.entries()) if (!view.selection.has(key)) view.hidden.add(key);
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
    help: "A locked object is not picked or moved on the image, nor deleted.",
    keys: ["L"],
    when: hasSelection,
    run: toggleLock,
  },
  {
    id: "isolate",
    label: "Show only the selection, or everything again",
    group: "Objects",
    help: "Hides all other objects; asked again, everything is as it was before.",
    keys: ["Shift+I"],
    when: (editor) => hasSelection(editor) || editor.view.beforeIsolation !== null,
    run: isolate,
  },
  {
    id: "bring-forward",
    label: "Bring the selection forward",
    group: "Objects",
    help: "Above the next object that it overlaps; kept as the attribute z_order, the file's order stays.",
    keys: ["Mod+]"],
    when: canEditSelection,
    run: (editor) => restack(editor, 1),
  },
  {
    id: "send-back",
    label: "Send the selection back",
    group: "Objects",
    help: "Below the next object that it overlaps; kept as the attribute z_order, the file's order stays.",
    keys: ["Mod+["],
    when: canEditSelection,
    run: (editor) => restack(editor, -1),
  },
];

/** The gesture in hand, undo and redo, and what happens to the selection. */

import { removePoints, selectedPoints, selectPoints } from "../points";
import { busy, canEditSelection, type Command } from "./command";

const GESTURE: readonly Command[] = [
  {
    id: "complete",
    label: "Finish the shape",
    group: "Edit",
    help: "Keeps what is being drawn.",
    keys: ["Enter"],
    gesture: true,
    when: busy,
    run: (editor) => void editor.hand.intend("complete"),
  },
  {
    id: "step-back",
    label: "Drop the last point",
    group: "Edit",
    help: "Takes back one point of what is being drawn.",
    keys: ["Backspace"],
    gesture: true,
    when: busy,
    run: (editor) => void editor.hand.intend("step-back"),
  },
  {
    id: "cancel",
    label: "Cancel the gesture, or select nothing",
    group: "Edit",
    help: "Puts everything back as it was before the gesture.",
    keys: ["Escape"],
    gesture: true,
    run: (editor) => {
      if (editor.hand.intend("cancel")) return;
      if (selectedPoints(editor).length > 0) selectPoints(editor, []);
      else editor.select([]);
    },
  },
];

const DIRECTIONS = [
  ["left", "ArrowLeft", -1, 0],
  ["right", "ArrowRight", 1, 0],
  ["up", "ArrowUp", 0, -1],
  ["down", "ArrowDown", 0, 1],
] as const;

function nudges(prefix: "" | "Shift+", pixels: number): Command[] {
  return DIRECTIONS.map(([direction, arrow, x, y]) => ({
    id: `nudge-${direction}-${pixels}`,
    label: `Move ${direction} by ${pixels} px`,
    group: "Edit",
    help: "Moves the selected points, or else the selection; movements in quick succession are one step of undo.",
    keys: [prefix + arrow],
    together: `Move the selection by ${pixels} px`,
    gesture: true,
    when: canEditSelection,
    run: (editor) => editor.nudge(x * pixels, y * pixels),
  }));
}

export const EDIT: readonly Command[] = [
  ...GESTURE,
  {
    id: "undo",
    label: "Undo",
    group: "Edit",
    help: "Takes back the last step, also of what is saved already.",
    keys: ["Mod+Z"],
    when: (editor) => editor.hand.busy || editor.history.undoLabel !== null,
    run: (editor) => editor.undo(),
  },
  {
    id: "redo",
    label: "Redo",
    group: "Edit",
    help: "Does again what was undone.",
    keys: ["Mod+Shift+Z", "Mod+Y"],
    when: (editor) => editor.history.redoLabel !== null,
    run: (editor) => editor.redo(),
  },
  {
    id: "delete",
    label: "Delete the selection",
    group: "Edit",
    help: "Points first, where some are selected. Undo brings it back, with its id and its history.",
    keys: ["Delete", "Backspace"],
    when: canEditSelection,
    run: (editor) => {
      const points = selectedPoints(editor);
      if (points.length === 0) return editor.remove(editor.view.selection);
      removePoints(editor, points);
      selectPoints(editor, []);
    },
  },
  ...nudges("", 1),
  ...nudges("Shift+", 10),
];

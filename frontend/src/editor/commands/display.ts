/** How the picture is shown, apart from zoom and place. */

import { hasTones, withoutTones, type Display } from "../display";
import type { Editor } from "../editor";
import type { Command } from "./command";

function toggle(editor: Editor, name: "crosshair" | "minimap" | "invert"): void {
  const display: Display = { ...editor.view.display, [name]: !editor.view.display[name] };
  editor.setDisplay(display);
}

export const DISPLAY: readonly Command[] = [
  {
    id: "crosshair",
    label: "Crosshair",
    group: "View",
    help: "Lines through the pointer from edge to edge, to line shapes up.",
    keys: ["R"],
    run: (editor) => toggle(editor, "crosshair"),
  },
  {
    id: "minimap",
    label: "Minimap",
    group: "View",
    help: "A small picture in a corner; drag its frame to look elsewhere.",
    keys: ["Shift+N"],
    run: (editor) => toggle(editor, "minimap"),
  },
  {
    id: "invert-picture",
    label: "Invert the picture",
    group: "View",
    help: "Shows it as a negative. No pixel is changed.",
    keys: [],
    run: (editor) => toggle(editor, "invert"),
  },
  {
    id: "reset-view-settings",
    label: "Show the picture as it is",
    group: "View",
    help: "Takes brightness, contrast, gamma, inversion and channel back.",
    keys: ["Alt+O"],
    when: ({ view }) => hasTones(view.display),
    run: (editor) => editor.setDisplay(withoutTones(editor.view.display)),
  },
];

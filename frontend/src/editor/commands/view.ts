/** How the image is looked at. */

import { union, type Bounds } from "../../geometry/bounds";
import { measures } from "../../shapes";
import type { Editor } from "../editor";
import { hasSelection, type Command } from "./command";

function zoomToSelection(editor: Editor): void {
  let all: Bounds | null = null;
  for (const key of editor.view.selection) {
    const annotation = editor.document.get(key);
    if (annotation) all = union(all, measures(annotation).bounds);
  }
  if (all) editor.show(all);
}

export const VIEW: readonly Command[] = [
  {
    id: "fit",
    label: "Fit the image",
    group: "View",
    help: "Shows the whole image.",
    keys: ["F"],
    run: (editor) => editor.fit(),
  },
  {
    id: "zoom-in",
    label: "Zoom in",
    group: "View",
    help: "Zooms in on the middle; the wheel zooms at the pointer.",
    keys: ["+", "="],
    run: (editor) => editor.zoom(1.25),
  },
  {
    id: "zoom-out",
    label: "Zoom out",
    group: "View",
    help: "Zooms out from the middle; the wheel zooms at the pointer.",
    keys: ["-"],
    run: (editor) => editor.zoom(1 / 1.25),
  },
  {
    id: "zoom-actual",
    label: "Zoom to 100 %",
    group: "View",
    help: "One pixel of the image is one pixel of the page.",
    keys: ["0"],
    run: (editor) => editor.zoom(1 / editor.camera.scale),
  },
  {
    id: "zoom-selection",
    label: "Zoom to the selection",
    group: "View",
    help: "Shows what is selected as large as it fits.",
    keys: ["Z"],
    when: hasSelection,
    run: zoomToSelection,
  },
];

/** The eraser: strokes as the brush makes them, that take pixels away. */

import { BrushTool, FORM, SIZE } from "./brush";
import type { ToolKind } from "./tool";

export const eraser: ToolKind = {
  info: {
    id: "eraser",
    label: "Eraser",
    icon: "eraser",
    key: "E",
    help: "Takes pixels from the selected mask, or from the one under the pointer.",
    edits: true,
    options: [SIZE, FORM],
  },
  create: (editor) => new BrushTool(editor, true),
};

/** The drawing tools, in the order of the tool rail. A new one is one file and one line here. */

import type { Command } from "../editor/commands";
import type { ToolInfo } from "../editor/hand";
import { optionCommands } from "../editor/options";
import { box } from "./box";
import { brush } from "./brush";
import { eraser } from "./eraser";
import { PEN_ONLY } from "./fingers";
import { keypoints } from "./keypoints";
import { polygon } from "./polygon";
import { redraw } from "./redraw";
import { scissors } from "./scissors";
import { select } from "./select";
import { slice } from "./slice";
import { superpixels } from "./superpixels";
import type { ToolKind } from "./tool";
import { wand } from "./wand";

export const TOOLS: readonly ToolKind[] = [
  select,
  box,
  polygon,
  redraw,
  scissors,
  brush,
  eraser,
  wand,
  superpixels,
  slice,
  keypoints,
];

const PEN: Command = {
  id: PEN_ONLY.id,
  label: `${PEN_ONLY.label}: on or off`,
  group: "Tools",
  help: PEN_ONLY.help,
  keys: [],
  run: ({ options }) => options.set(PEN_ONLY, !options.get(PEN_ONLY)),
};

export function toolCommands(tools: readonly ToolInfo[]): Command[] {
  const choose = tools.map(({ id, label, key, help }): Command => ({
    id: `tool-${id}`,
    label: `${label} tool`,
    group: "Tools",
    help,
    keys: [key],
    run: (editor) => editor.hand.choose(id),
  }));
  return [...choose, ...optionCommands(tools), PEN];
}

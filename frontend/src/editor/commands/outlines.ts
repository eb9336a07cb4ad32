/** What happens to whole outlines. */

import { joinSelection } from "../joining";
import { busy, canEdit, type Command } from "./command";

export const OUTLINES: readonly Command[] = [
  {
    id: "trace",
    label: "Follow a border",
    group: "Edit",
    help: "While an outline is drawn: click where to begin on a neighbour's border and how far. Again: the other way round.",
    keys: ["T"],
    gesture: true,
    when: (editor) => editor.hand.traces,
    run: (editor) => editor.hand.trace(),
  },
  {
    id: "join",
    label: "Join the selection to one annotation",
    group: "Edit",
    help: "The first selected one keeps its id and fields; shapes that lie apart become parts of it.",
    keys: ["J"],
    when: (editor) => canEdit(editor) && !busy(editor) && editor.view.selection.size > 1,
    run: joinSelection,
  },
];

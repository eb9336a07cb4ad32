/** What happens to whole outlines. */

import { joinSelection } from "../joining";
import { busy, canEdit, type Command } from "./command";

export const OUTLINES: readonly Command[] = [
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

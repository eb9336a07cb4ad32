/** What becomes of the predictions: of the selected one, and of all that are listed. */

import { accept, acceptAndEdit, reject } from "../deciding";
import type { Editor } from "../editor";
import type { Command } from "./command";

const mayDecide = ({ readOnly, hand, predictions }: Editor): boolean =>
  !readOnly && !hand.busy && predictions.shown;

const decidable = (editor: Editor): boolean => mayDecide(editor) && editor.predictions.selected !== null;

export const PREDICTIONS: readonly Command[] = [
  {
    id: "accept-prediction",
    label: "Accept the prediction",
    group: "Image",
    help: "It becomes an annotation, and is saved like one.",
    keys: ["Y"],
    when: decidable,
    run: (editor) => accept(editor, [editor.predictions.selected!]),
  },
  {
    id: "edit-prediction",
    label: "Accept the prediction and edit it",
    group: "Image",
    help: "It becomes an annotation that is selected, so that its points can be dragged at once.",
    keys: ["Shift+Y"],
    when: decidable,
    run: (editor) => acceptAndEdit(editor, editor.predictions.selected!),
  },
  {
    id: "accept-all-predictions",
    label: "Accept all predictions that are listed",
    group: "Image",
    help: "Those of this image with enough score; one undo opens all of them again.",
    keys: [],
    when: (editor) => mayDecide(editor) && editor.predictions.listed.length > 0,
    run: (editor) => accept(editor, editor.predictions.listed),
  },
  {
    id: "reject-prediction",
    label: "Reject the prediction",
    group: "Image",
    help: "It is no longer shown; the next one is selected.",
    keys: ["N"],
    when: decidable,
    run: (editor) => reject(editor, [editor.predictions.selected!]),
  },
];

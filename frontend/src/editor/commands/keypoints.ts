/** What keys do to keypoints, while they are placed and afterwards. */

import type { Editor } from "../editor";
import { editablePose, keypointInHand, layoutFor, setVisibility, swapSides, withKeypoints } from "../keypoints";
import * as shapes from "../../shapes";
import * as poses from "../../shapes/poses";
import { busy, type Command } from "./command";

const placing = (editor: Editor): boolean => busy(editor) && editor.hand.toolId === "keypoints";
const inHand = (editor: Editor): boolean => !busy(editor) && keypointInHand(editor) !== null;

function toggleHidden(editor: Editor): void {
  if (placing(editor)) return void editor.hand.intend("hide");
  const { pose, index } = keypointInHand(editor)!;
  const hidden = poses.visibilityOf(pose.annotation.keypoints, index) === 1;
  setVisibility(editor, pose, index, hidden ? 2 : 1);
}

function makeAbsent(editor: Editor): void {
  if (placing(editor)) return void editor.hand.intend("skip");
  const { pose, index } = keypointInHand(editor)!;
  setVisibility(editor, pose, index, 0);
}

/** A pose can be put into the selection when it has an extent and no point yet. */
function canPose(editor: Editor): boolean {
  const pose = editablePose(editor);
  if (!pose || busy(editor)) return false;
  return !poses.hasPoint(pose.annotation.keypoints) && shapes.measures(pose.annotation).bounds !== null;
}

export const KEYPOINTS: readonly Command[] = [
  {
    id: "keypoint-hidden",
    label: "Keypoint hidden or visible",
    group: "Objects",
    help: "The point under the pointer or chosen in the list; while placing, the last one.",
    keys: ["Shift+V"],
    when: (editor) => placing(editor) || inHand(editor),
    run: toggleHidden,
  },
  {
    id: "keypoint-absent",
    label: "Skip the keypoint, or make it absent",
    group: "Objects",
    help: "While placing, the next point is left absent; afterwards, the one under the pointer or chosen in the list.",
    keys: ["Shift+S"],
    when: (editor) => placing(editor) || inHand(editor),
    run: makeAbsent,
  },
  {
    id: "keypoints-swap",
    label: "Swap left and right keypoints",
    group: "Objects",
    help: "Each point that has left or right in its name gets the place of its counterpart.",
    keys: ["Shift+R"],
    when: (editor) => !busy(editor) && !!editablePose(editor)?.annotation.keypoints,
    run: (editor) => swapSides(editor, editablePose(editor)!),
  },
  {
    id: "keypoints-pose",
    label: "Put a pose into the selection",
    group: "Objects",
    help: "A whole pose scaled into the box or outline of the selected object, to be put right.",
    keys: [],
    when: canPose,
    run: (editor) => {
      const { key, annotation, category } = editablePose(editor)!;
      const numbers = poses.scaled(layoutFor(editor, category), shapes.measures(annotation).bounds!);
      editor.transact("Place pose", new Map([[key, withKeypoints(annotation, numbers)]]));
    },
  },
];

/**
 * Everything one can do without pointing. A new subject is one file beside this
 * one and one line in COMMANDS; where two commands have the same key, the first
 * whose `when` holds runs.
 */

import { CATEGORIES } from "./categories";
import { CLIPBOARD } from "./clipboard";
import type { Command } from "./command";
import { DISPLAY } from "./display";
import { EDIT } from "./edit";
import { KEYPOINTS } from "./keypoints";
import { MASKS } from "./masks";
import { OBJECTS } from "./objects";
import { OUTLINES } from "./outlines";
import { PREDICTIONS } from "./predictions";
import { SELECTION } from "./selection";
import { VIEW } from "./view";

export { placeClip } from "./clipboard";
export { categoriesWhollyIn, pickCategory, toggleCategory } from "./categories";
export { GROUPS, type Command, type Group } from "./command";
export { toggleAll } from "./objects";

export const COMMANDS: readonly Command[] = [
  ...PREDICTIONS,
  ...EDIT,
  ...OUTLINES,
  ...CLIPBOARD,
  ...SELECTION,
  ...KEYPOINTS,
  ...OBJECTS,
  ...MASKS,
  ...VIEW,
  ...DISPLAY,
  ...CATEGORIES,
];

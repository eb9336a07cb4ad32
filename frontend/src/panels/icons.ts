/** Lucide's icons by name, for tools that name theirs. */

import Brush from "icon:brush";
import Eraser from "icon:eraser";
import Hexagon from "icon:hexagon";
import MousePointer2 from "icon:mouse-pointer-2";
import Pentagon from "icon:pentagon";
import Slice from "icon:slice";
import PersonStanding from "icon:person-standing";
import Scissors from "icon:scissors";
import Shapes from "icon:shapes";
import Spline from "icon:spline";
import SquareDashed from "icon:square-dashed";
import Wand from "icon:wand";
const ICONS: Readonly<Record<string, typeof Shapes>> = {
  "mouse-pointer-2": MousePointer2,
  "square-dashed": SquareDashed,
  pentagon: Pentagon,
  slice: Slice,
  spline: Spline,
  brush: Brush,
  eraser: Eraser,
  wand: Wand,
  hexagon: Hexagon,
  scissors: Scissors,
  "person-standing": PersonStanding,
};

export const iconNamed = (name: string): typeof Shapes => ICONS[name] ?? Shapes;

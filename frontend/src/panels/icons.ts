/** Lucide's icons by name, for tools that name theirs. */

import Brush from "@lucide/svelte/icons/brush";
import Eraser from "@lucide/svelte/icons/eraser";
import Hexagon from "@lucide/svelte/icons/hexagon";
import MousePointer2 from "@lucide/svelte/icons/mouse-pointer-2";
import Pentagon from "@lucide/svelte/icons/pentagon";
import Slice from "@lucide/svelte/icons/slice";
import PersonStanding from "@lucide/svelte/icons/person-standing";
import Scissors from "@lucide/svelte/icons/scissors";
import Shapes from "@lucide/svelte/icons/shapes";
import Spline from "@lucide/svelte/icons/spline";
import SquareDashed from "@lucide/svelte/icons/square-dashed";
import Wand from "@lucide/svelte/icons/wand";
import type { Component } from "svelte";

type Icon = Component<{ size?: number; strokeWidth?: number; "aria-hidden"?: "true" }>;

const ICONS: Readonly<Record<string, Icon>> = {
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

export const iconNamed = (name: string): Icon => ICONS[name] ?? Shapes;

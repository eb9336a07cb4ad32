/** The polygon tool: an outline that Enter, a double click or a click on the first point closes. */

import { COMBINE, combineWithSelected, heldMode, type CombineMode } from "../editor/combining";
import type { PointerInput } from "../editor/input";
import { distance, type ImagePoint } from "../geometry/point";
import { isFlat } from "../geometry/ring";
import { OutlineTool, type Points } from "./outline";
import { add, mayDraw, pickRadius } from "./pointing";
import { SNAP } from "./snapping";
import type { ToolKind } from "./tool";

class PolygonTool extends OutlineTool {
  override readonly readyHints = [
    { gesture: "Click", does: "first point" },
    { gesture: "Drag", does: "freehand" },
    { gesture: "T", does: "follow a border" },
    { gesture: "1–9", does: "category" },
  ];
  override readonly endHint = { gesture: "Enter", does: "close" };
  /** What the keys held at the first press say about the polygon. */
  #held: CombineMode | null = null;

  get #mode(): CombineMode {
    return this.#held ?? this.editor.options.get(COMBINE);
  }

  override get subtracts(): boolean {
    return this.#mode === "subtract";
  }

  begin(input: PointerInput): ImagePoint | null {
    if (!mayDraw(this.editor)) return null;
    this.#held = heldMode(input);
    return this.place(input).at;
  }

  end(points: Points, input: PointerInput): ImagePoint | null {
    const near = this.editor.imageLength(pickRadius(input));
    return points.length >= 3 && distance(points[0]!, input.image) <= near ? points[0]! : null;
  }

  complete(points: Points): void {
    // Following a border back to the first point has closed the outline already.
    const last = points.at(-1);
    const closed = last && distance(points[0]!, last) === 0;
    const open = closed ? points.slice(0, -1) : points;
    if (open.length < 3) this.editor.say("A polygon needs at least three points.");
    else if (isFlat(open.flatMap(({ x, y }) => [x, y]))) this.editor.say("All points lie on one line: nothing is inside.");
    else this.finish(open);
  }

  finish(points: Points): void {
    this.ready();
    const ring = points.flatMap(({ x, y }) => [x, y]);
    const mode = this.#mode;
    this.#held = null;
    if (mode === "new") add(this.editor, "Draw polygon", { segmentation: [ring] });
    else combineWithSelected(this.editor, { rings: [ring], holes: [] }, mode);
  }
}

export const polygon: ToolKind = {
  info: {
    id: "polygon",
    label: "Polygon",
    icon: "pentagon",
    key: "P",
    help: "Click points or drag freehand; Enter, a double click or the first point closes.",
    edits: true,
    options: [COMBINE, SNAP],
  },
  create: (editor) => new PolygonTool(editor),
};

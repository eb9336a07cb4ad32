/** The box tool: two clicks, or one drag. */

import { COMBINE, combineWithSelected, heldMode, type CombineMode } from "../editor/combining";
import { NO_PREVIEW, type Hint, type Preview } from "../editor/hand";
import type { Intent, PointerInput } from "../editor/input";
import { boundsOfBox, boxBetween } from "../geometry/bounds";
import { imagePoint, type ImagePoint } from "../geometry/point";
import { ringOfBounds } from "../geometry/ring";
import { add, drawn, isDrag, mayDraw } from "./pointing";
import { State, Tool, type ToolKind } from "./tool";

class BoxTool extends Tool {
  /** What the keys held at the first press say about the box. */
  held: CombineMode | null = null;

  protected initial(): State {
    return new Ready(this);
  }

  get mode(): CombineMode {
    return this.held ?? this.editor.options.get(COMBINE);
  }

  finish(from: ImagePoint, to: ImagePoint): void {
    this.become(new Ready(this));
    const box = boxBetween(from, to);
    if (box[2] === 0 || box[3] === 0) return;
    const { mode } = this;
    if (mode === "new") return add(this.editor, "Draw box", { bbox: box });
    const ring = ringOfBounds(boundsOfBox(box));
    combineWithSelected(this.editor, { rings: [ring], holes: [] }, mode);
  }
}

class Ready extends State<BoxTool> {
  override readonly name = "ready";

  override get cursor(): string {
    return "crosshair";
  }

  override get hints(): readonly Hint[] {
    return [
      { gesture: "Click", does: "first corner" },
      { gesture: "Drag", does: "whole box" },
      { gesture: "1–9", does: "category" },
    ];
  }

  override down(input: PointerInput): void {
    if (!mayDraw(this.editor)) return;
    this.tool.held = heldMode(input);
    this.tool.become(new Pressing(this.tool, input));
  }
}

/** From the first corner on; subclasses say what ends it. */
abstract class Spanning extends State<BoxTool> {
  override readonly busy = true;
  protected readonly from: ImagePoint;
  protected to: ImagePoint;

  constructor(tool: BoxTool, from: ImagePoint, to: ImagePoint) {
    super(tool);
    this.from = from;
    this.to = to;
  }

  override get cursor(): string {
    return "crosshair";
  }

  override get preview(): Preview {
    const { from, to } = this;
    const line = [from, imagePoint(to.x, from.y), to, imagePoint(from.x, to.y)];
    return { ...NO_PREVIEW, line, closed: true, subtracts: this.tool.mode === "subtract" };
  }

  override move(input: PointerInput): void {
    this.to = drawn(this.editor, input.image);
  }

  override intend(intent: Intent): boolean {
    if (intent === "complete") this.tool.finish(this.from, this.to);
    else this.tool.become(new Ready(this.tool));
    return true;
  }
}

/** The button is down on the first corner; a drag or a click may come of it. */
class Pressing extends Spanning {
  override readonly name = "pointing";
  readonly #pressed: PointerInput;

  constructor(tool: BoxTool, input: PointerInput) {
    const corner = drawn(tool.editor, input.image);
    super(tool, corner, corner);
    this.#pressed = input;
  }

  override get hints(): readonly Hint[] {
    return DRAG_HINTS;
  }

  override move(input: PointerInput): void {
    super.move(input);
    if (isDrag(this.#pressed.screen, input)) {
      this.tool.become(new Dragging(this.tool, this.from, this.to));
    }
  }

  override up(): void {
    this.tool.become(new Stretching(this.tool, this.from, this.to));
  }
}

class Dragging extends Spanning {
  override readonly name = "dragging";

  override get hints(): readonly Hint[] {
    return DRAG_HINTS;
  }

  override up(input: PointerInput): void {
    this.move(input);
    this.tool.finish(this.from, this.to);
  }
}

/** Between the two clicks. */
class Stretching extends Spanning {
  override readonly name = "stretching";

  override get hints(): readonly Hint[] {
    return [
      { gesture: "Click", does: "opposite corner" },
      { gesture: "Esc", does: "drop" },
    ];
  }

  override down(input: PointerInput): void {
    this.move(input);
    const { from, to } = this;
    // A second press on the first corner spans nothing yet.
    if (from.x !== to.x && from.y !== to.y) this.tool.become(new Closing(this.tool, from, to));
  }

  override interrupt(): void {}
}

/** The button is down on the second corner, which may still be moved. */
class Closing extends Dragging {
  override interrupt(): void {
    this.tool.become(new Stretching(this.tool, this.from, this.to));
  }
}

const DRAG_HINTS: readonly Hint[] = [
  { gesture: "Release", does: "finish" },
  { gesture: "Esc", does: "drop" },
];

export const box: ToolKind = {
  info: {
    id: "box",
    label: "Box",
    icon: "square-dashed",
    key: "B",
    help: "Two clicks on opposite corners, or one drag.",
    edits: true,
    options: [COMBINE],
  },
  create: (editor) => new BoxTool(editor),
};

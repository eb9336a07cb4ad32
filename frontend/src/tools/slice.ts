/** The slice tool: a line across the selected annotations makes two of each that it cuts through. */

import { NO_PREVIEW, type Hint, type Preview } from "../editor/hand";
import type { Intent, PointerInput } from "../editor/input";
import { sliceSelection } from "../editor/slicing";
import { distance, imagePoint, type ImagePoint } from "../geometry/point";
import { isDoubleClick, isDrag, type Press } from "./pointing";
import { State, Tool, type ToolKind } from "./tool";

class SliceTool extends Tool {
  protected initial(): State {
    return new Ready(this);
  }

  finish(line: readonly ImagePoint[]): void {
    this.become(new Ready(this));
    sliceSelection(this.editor, line);
  }

  /** Drawing with these points, or ready when none is left. */
  resume(points: readonly ImagePoint[], at: ImagePoint, lastPress: Press | null = null): void {
    this.become(points.length > 0 ? new Drawing(this, points, at, lastPress) : new Ready(this));
  }
}

class Ready extends State<SliceTool> {
  override readonly name = "ready";

  override get cursor(): string {
    return "crosshair";
  }

  override get hints(): readonly Hint[] {
    return [
      { gesture: "Drag", does: "straight cut across the selection" },
      { gesture: "Click", does: "first point of a line" },
    ];
  }

  override down(input: PointerInput): void {
    if (this.editor.readOnly) return;
    if (this.editor.view.selection.size > 0) this.tool.become(new Pressing(this.tool, [], input));
    else this.editor.say("Select what is to be cut first, then draw a line across it.");
  }
}

abstract class WithLine extends State<SliceTool> {
  override readonly busy = true;
  protected readonly points: readonly ImagePoint[];
  protected at: ImagePoint;

  constructor(tool: SliceTool, points: readonly ImagePoint[], at: ImagePoint) {
    super(tool);
    this.points = points;
    this.at = at;
  }

  override get cursor(): string {
    return "crosshair";
  }

  override get preview(): Preview {
    return { ...NO_PREVIEW, line: [...this.points, this.at], dots: this.points, filled: false };
  }

  override get hints(): readonly Hint[] {
    return [
      { gesture: "Click", does: "point" },
      { gesture: "Enter", does: "cut" },
      { gesture: "Backspace", does: "last point" },
      { gesture: "Esc", does: "drop" },
    ];
  }

  override intend(intent: Intent): boolean {
    if (intent === "cancel") this.tool.become(new Ready(this.tool));
    else if (intent === "step-back") this.tool.resume(this.points.slice(0, -1), this.at);
    else if (this.points.length >= 2) this.tool.finish(this.points);
    else this.editor.say("A cut needs two points at least.");
    return true;
  }
}

/** No button is down; the line follows the pointer. */
class Drawing extends WithLine {
  override readonly name = "drawing";
  readonly #lastPress: Press | null;

  constructor(tool: SliceTool, points: readonly ImagePoint[], at: ImagePoint, lastPress: Press | null) {
    super(tool, points, at);
    this.#lastPress = lastPress;
  }

  override move(input: PointerInput): void {
    this.at = input.image;
  }

  override down(input: PointerInput): void {
    if (this.#lastPress && isDoubleClick(this.#lastPress, input)) this.intend("complete");
    else this.tool.become(new Pressing(this.tool, this.points, input));
  }

  /** The point of the press was dropped already. */
  override interrupt(): void {}
}

/** The button is down; from the first point on a drag is the whole cut. */
class Pressing extends WithLine {
  override readonly name = "drawing";
  readonly #press: PointerInput;
  #dragged = false;

  constructor(tool: SliceTool, before: readonly ImagePoint[], press: PointerInput) {
    super(tool, withPoint(before, press.image), press.image);
    this.#press = press;
  }

  override move(input: PointerInput): void {
    this.#dragged ||= isDrag(this.#press.screen, input);
    if (this.#dragged) this.at = input.image;
  }

  override up(input: PointerInput): void {
    this.move(input);
    const points = this.#dragged ? withPoint(this.points, this.at) : this.points;
    if (this.#dragged && this.points.length === 1) this.tool.finish(points);
    else this.tool.resume(points, this.at, this.#press);
  }

  override interrupt(): void {
    this.tool.resume(this.points.slice(0, -1), this.at);
  }
}

/** A point that repeats the last adds nothing. */
function withPoint(points: readonly ImagePoint[], { x, y }: ImagePoint): readonly ImagePoint[] {
  const next = imagePoint(Math.round(x * 100) / 100, Math.round(y * 100) / 100);
  const last = points.at(-1);
  return last && distance(last, next) === 0 ? points : [...points, next];
}

export const slice: ToolKind = {
  info: {
    id: "slice",
    label: "Slice",
    icon: "slice",
    key: "X",
    help: "Draw a line across the selected annotation: it becomes two.",
    edits: true,
  },
  create: (editor) => new SliceTool(editor),
};

/**
 * The polygon tool: click points, hold and drag for freehand, and close by
 * Enter, a double click or a click on the first point.
 */

import { COMBINE, combineWithSelected, heldMode, type CombineMode } from "../editor/combining";
import { NO_PREVIEW, type Hint, type Preview } from "../editor/hand";
import type { Intent, PointerInput } from "../editor/input";
import { distance, type ImagePoint, type ScreenPoint } from "../geometry/point";
import { add, drawn, isDoubleClick, isDrag, mayDraw, pickRadius, type Press } from "./pointing";
import { State, Tool, type ToolKind } from "./tool";

/** Freehand sets a point each time the pointer has come this far. */
const TRACE_CSS_PIXELS = 5;

type Points = readonly ImagePoint[];

class PolygonTool extends Tool {
  /** What the keys held at the first press say about the polygon. */
  held: CombineMode | null = null;

  protected initial(): State {
    return new Ready(this);
  }

  finish(points: Points): void {
    this.become(new Ready(this));
    const ring = points.flatMap(({ x, y }) => [x, y]);
    const mode = this.held ?? this.editor.options.get(COMBINE);
    if (mode === "new") add(this.editor, "Draw polygon", { segmentation: [ring] });
    else combineWithSelected(this.editor, { rings: [ring], holes: [] }, mode);
  }

  /** Drawing with these points, or ready when none is left. */
  resume(points: Points, cursor: ImagePoint, lastPress: Press | null = null): void {
    this.become(
      points.length > 0 ? new Drawing(this, points, cursor, lastPress) : new Ready(this),
    );
  }

  /** Whether the pointer is on the first point of something that can be closed. */
  closes(points: Points, input: PointerInput): boolean {
    return (
      points.length >= 3 &&
      distance(points[0]!, input.image) <= this.editor.imageLength(pickRadius(input))
    );
  }
}

/** The points and the next one; a point that repeats the last adds nothing. */
function withPoint(points: Points, next: ImagePoint): Points {
  const last = points.at(-1);
  return last && last.x === next.x && last.y === next.y ? points : [...points, next];
}

class Ready extends State<PolygonTool> {
  override readonly name = "ready";

  override get cursor(): string {
    return "crosshair";
  }

  override get hints(): readonly Hint[] {
    return [
      { gesture: "Click", does: "first point" },
      { gesture: "Drag", does: "freehand" },
      { gesture: "1–9", does: "category" },
    ];
  }

  override down(input: PointerInput): void {
    if (!mayDraw(this.editor)) return;
    this.tool.held = heldMode(input);
    const first = drawn(this.editor, input.image);
    this.tool.become(new Pressing(this.tool, [], [first], input));
  }
}

abstract class WithPoints extends State<PolygonTool> {
  override readonly busy = true;
  protected points: Points;
  protected at: ImagePoint;
  protected overFirst = false;

  constructor(tool: PolygonTool, points: Points, at: ImagePoint) {
    super(tool);
    this.points = points;
    this.at = at;
  }

  override get cursor(): string {
    return this.overFirst ? "pointer" : "crosshair";
  }

  override get hints(): readonly Hint[] {
    return [
      { gesture: "Click", does: "point" },
      { gesture: "Drag", does: "freehand" },
      { gesture: "Enter", does: "close" },
      { gesture: "Backspace", does: "last point" },
      { gesture: "Esc", does: "drop" },
    ];
  }

  override get preview(): Preview {
    const ghost = this.overFirst ? this.points[0]! : null;
    const line = [...this.points, ghost ?? this.at];
    return { ...NO_PREVIEW, line, dots: this.points, ghost };
  }

  protected follow(input: PointerInput): void {
    this.at = drawn(this.editor, input.image);
    this.overFirst = this.tool.closes(this.points, input);
  }

  override intend(intent: Intent): boolean {
    if (intent === "cancel") this.tool.become(new Ready(this.tool));
    else if (intent === "step-back") this.tool.resume(this.points.slice(0, -1), this.at);
    else if (this.points.length >= 3) this.tool.finish(this.points);
    else this.editor.say("A polygon needs at least three points.");
    return true;
  }
}

/** No button is down; the line follows the pointer. */
class Drawing extends WithPoints {
  override readonly name = "drawing";
  readonly #lastPress: Press | null;

  constructor(tool: PolygonTool, points: Points, at: ImagePoint, lastPress: Press | null) {
    super(tool, points, at);
    this.#lastPress = lastPress;
  }

  override move(input: PointerInput): void {
    this.follow(input);
  }

  override down(input: PointerInput): void {
    if ((this.#lastPress && isDoubleClick(this.#lastPress, input)) || this.tool.closes(this.points, input)) {
      this.intend("complete");
      return;
    }
    const next = withPoint(this.points, drawn(this.editor, input.image));
    this.tool.become(new Pressing(this.tool, this.points, next, input));
  }
}

/** The button is down on a new point; freehand may come of it. */
class Pressing extends WithPoints {
  override readonly name = "drawing";
  readonly #before: Points;
  readonly #press: PointerInput;

  constructor(tool: PolygonTool, before: Points, points: Points, press: PointerInput) {
    super(tool, points, points.at(-1)!);
    this.#before = before;
    this.#press = press;
  }

  override move(input: PointerInput): void {
    if (!isDrag(this.#press.screen, input)) return;
    const tracing = new Tracing(this.tool, this.#before, this.points, this.#press.screen);
    this.tool.become(tracing);
    tracing.move(input);
  }

  override up(): void {
    const { screen, time } = this.#press;
    this.tool.resume(this.points, this.at, { screen, time });
  }

  override interrupt(): void {
    this.tool.resume(this.#before, this.at);
  }
}

/** Freehand, while the button is held. */
class Tracing extends WithPoints {
  override readonly name = "tracing";
  readonly #before: Points;
  #lastScreen: ScreenPoint;

  constructor(tool: PolygonTool, before: Points, points: Points, from: ScreenPoint) {
    super(tool, points, points.at(-1)!);
    this.#before = before;
    this.#lastScreen = from;
  }

  override get hints(): readonly Hint[] {
    return [
      { gesture: "Release", does: "go on with clicks" },
      { gesture: "Release on the first point", does: "close" },
      { gesture: "Esc", does: "drop" },
    ];
  }

  override move(input: PointerInput): void {
    this.follow(input);
    if (this.overFirst || distance(this.#lastScreen, input.screen) < TRACE_CSS_PIXELS) return;
    this.points = withPoint(this.points, this.at);
    this.#lastScreen = input.screen;
  }

  override up(input: PointerInput): void {
    this.follow(input);
    if (this.overFirst) this.tool.finish(this.points);
    else this.tool.resume(withPoint(this.points, this.at), this.at);
  }

  override intend(intent: Intent): boolean {
    if (intent !== "step-back") return super.intend(intent);
    this.interrupt();
    return true;
  }

  override interrupt(): void {
    this.tool.resume(this.#before, this.at);
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
    options: [COMBINE],
  },
  create: (editor) => new PolygonTool(editor),
};

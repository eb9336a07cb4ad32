/**
 * Drawing an outline: click points, hold and drag for freehand, or follow the
 * border of a neighbour. What it is drawn for (a polygon, a new stretch of a border)
 * says the tool that extends this one: where it begins and ends, and what comes of it.
 */

import { NO_PREVIEW, type Hint, type Preview } from "../editor/hand";
import type { Intent, PointerInput } from "../editor/input";
import { placeOn, wayAlong } from "../geometry/along";
import { distance, type ImagePoint, type ScreenPoint } from "../geometry/point";
import { isDoubleClick, isDrag, pickRadius, type Press } from "./pointing";
import { outlineAt, placed, type OnOutline, type Placed } from "./snapping";
import { State, Tool } from "./tool";

/** Freehand sets a point each time the pointer has come this far. */
const TRACE_CSS_PIXELS = 5;

export type Points = readonly ImagePoint[];

export abstract class OutlineTool extends Tool {
  abstract readonly readyHints: readonly Hint[];
  abstract readonly endHint: Hint;
  /** The outline that is drawn is the border of an area. */
  readonly filled: boolean = true;

  /** That area is cut out of the selected annotation. */
  get subtracts(): boolean {
    return false;
  }

  /** What of an outline that is there goes if the press comes now. */
  get gone(): Points {
    return [];
  }

  protected initial(): State {
    return new Ready(this);
  }

  /** The first point, or null, having said why, when nothing can begin here. */
  abstract begin(input: PointerInput): ImagePoint | null;
  /** The point that a press here would end with, or null when it would go on. */
  abstract end(points: Points, input: PointerInput): ImagePoint | null;
  /** What Enter and a double click make of the points; says why not, when there are too few. */
  abstract complete(points: Points): void;
  /** What a press on the end makes of them. */
  abstract finish(points: Points, end: ImagePoint): void;

  get preview(): Preview {
    return { ...NO_PREVIEW, filled: this.filled, subtracts: this.subtracts };
  }

  ready(): void {
    this.become(new Ready(this));
  }

  place(input: PointerInput): Placed {
    return placed(this.editor, input.image, input);
  }

  /** Drawing with these points, or ready when none is left. */
  resume(points: Points, cursor: ImagePoint, lastPress: Press | null = null): void {
    if (points.length > 0) this.become(new Drawing(this, points, cursor, lastPress));
    else this.ready();
  }
}

/** The points and the next one; a point that repeats the last adds nothing. */
function withPoint(points: Points, next: ImagePoint): Points {
  const last = points.at(-1);
  return last && last.x === next.x && last.y === next.y ? points : [...points, next];
}

class Ready extends State<OutlineTool> {
  override readonly name = "ready";
  #at: Placed | null = null;

  override get cursor(): string {
    return "crosshair";
  }

  override get hints(): readonly Hint[] {
    return this.tool.readyHints;
  }

  override get preview(): Preview {
    return { ...NO_PREVIEW, mark: this.#at?.snapped ? { at: this.#at.at, kind: this.#at.snapped } : null };
  }

  override get traces(): boolean {
    return !this.editor.readOnly;
  }

  override trace(): void {
    this.tool.become(new Following(this.tool, []));
  }

  override move(input: PointerInput): void {
    this.#at = this.tool.place(input);
  }

  override down(input: PointerInput): void {
    const first = this.tool.begin(input);
    if (first) this.tool.become(new Pressing(this.tool, [], [first], input));
  }
}

abstract class WithPoints extends State<OutlineTool> {
  override readonly busy = true;
  protected points: Points;
  protected at: ImagePoint;
  protected mark: Preview["mark"] = null;
  /** Where a press here would end. */
  protected ending: ImagePoint | null = null;

  constructor(tool: OutlineTool, points: Points, at: ImagePoint) {
    super(tool);
    this.points = points;
    this.at = at;
  }

  override get cursor(): string {
    return this.ending ? "pointer" : "crosshair";
  }

  override get hints(): readonly Hint[] {
    return [
      { gesture: "Click", does: "point" },
      { gesture: "Drag", does: "freehand" },
      { gesture: "T", does: "follow a border" },
      this.tool.endHint,
      { gesture: "Backspace", does: "last point" },
      { gesture: "Esc", does: "drop" },
    ];
  }

  override get preview(): Preview {
    const { points, ending, mark } = this;
    const line = [...points, ending ?? this.at];
    return { ...this.tool.preview, line, dots: points, ghost: ending, mark, gone: ending ? this.tool.gone : [] };
  }

  protected follow(input: PointerInput): void {
    const { at, snapped } = this.tool.place(input);
    this.at = at;
    this.ending = this.tool.end(this.points, input);
    this.mark = snapped && !this.ending ? { at, kind: snapped } : null;
  }

  override intend(intent: Intent): boolean {
    if (intent === "cancel") this.tool.ready();
    else if (intent === "step-back") this.tool.resume(this.points.slice(0, -1), this.at);
    else this.tool.complete(this.points);
    return true;
  }
}

/** No button is down; the line follows the pointer. */
class Drawing extends WithPoints {
  override readonly name = "drawing";
  readonly #lastPress: Press | null;

  constructor(tool: OutlineTool, points: Points, at: ImagePoint, lastPress: Press | null) {
    super(tool, points, at);
    this.#lastPress = lastPress;
  }

  override get traces(): boolean {
    return true;
  }

  override trace(): void {
    this.tool.become(new Following(this.tool, this.points));
  }

  override move(input: PointerInput): void {
    this.follow(input);
  }

  override down(input: PointerInput): void {
    if (this.#lastPress && isDoubleClick(this.#lastPress, input)) return void this.intend("complete");
    const end = this.tool.end(this.points, input);
    if (end) return this.tool.finish(this.points, end);
    const next = withPoint(this.points, this.tool.place(input).at);
    this.tool.become(new Pressing(this.tool, this.points, next, input));
  }

  /** The point of the press was dropped already. */
  override interrupt(): void {}
}

/** The button is down on a new point; freehand may come of it. */
class Pressing extends WithPoints {
  override readonly name = "drawing";
  readonly #before: Points;
  readonly #press: PointerInput;

  constructor(tool: OutlineTool, before: Points, points: Points, press: PointerInput) {
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

  constructor(tool: OutlineTool, before: Points, points: Points, from: ScreenPoint) {
    super(tool, points, points.at(-1)!);
    this.#before = before;
    this.#lastScreen = from;
  }

  override get hints(): readonly Hint[] {
    return [
      { gesture: "Release", does: "go on with clicks" },
      { ...this.tool.endHint, gesture: "Release on the end" },
      { gesture: "Esc", does: "drop" },
    ];
  }

  override move(input: PointerInput): void {
    this.follow(input);
    if (this.ending || distance(this.#lastScreen, input.screen) < TRACE_CSS_PIXELS) return;
    this.points = withPoint(this.points, this.at);
    this.#lastScreen = input.screen;
  }

  override up(input: PointerInput): void {
    this.follow(input);
    if (this.ending) this.tool.finish(this.points, this.ending);
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

/**
 * Along the border of a neighbour: the first click says where, the second how far.
 * The shorter way round is taken, T takes the other one.
 */
class Following extends WithPoints {
  override readonly name = "following";
  #from: OnOutline | null = null;
  #over: OnOutline | null = null;
  #longer = false;

  constructor(tool: OutlineTool, points: Points) {
    super(tool, points, points.at(-1) ?? { x: 0, y: 0 });
  }

  override get hints(): readonly Hint[] {
    const esc = { gesture: "Esc", does: "drop" };
    if (!this.#from) return [{ gesture: "Click on a border", does: "follow it from here" }, esc];
    return [
      { gesture: "Click", does: "follow it up to here" },
      { gesture: "T", does: "the other way round" },
      { gesture: "Backspace", does: "another start" },
      esc,
    ];
  }

  override get traces(): boolean {
    return true;
  }

  override trace(): void {
    if (this.#from) this.#longer = !this.#longer;
    else this.tool.resume(this.points, this.at);
  }

  override get preview(): Preview {
    const { points } = this;
    const mark = this.#over && { at: this.#over.point, kind: this.#over.vertex ? ("point" as const) : ("edge" as const) };
    return { ...this.tool.preview, line: this.#followed(), dots: points, mark };
  }

  override move(input: PointerInput): void {
    this.#over = this.#from ? this.#onSame(this.#from, input) : outlineAt(this.editor, input.image, input, () => true);
  }

  override down(input: PointerInput): void {
    this.move(input);
    if (this.#from) this.tool.resume(this.#followed(), this.#over?.point ?? this.#from.point);
    else if (this.#over) this.#from = this.#over;
    else this.editor.say("There is no border here to follow.");
  }

  override intend(intent: Intent): boolean {
    if (intent === "cancel") this.tool.ready();
    else if (intent === "complete") this.tool.resume(this.#followed(), this.at);
    else if (this.#from) this.#from = this.#over = null;
    else this.tool.resume(this.points, this.at);
    return true;
  }

  #followed(): Points {
    const [from, to] = [this.#from, this.#over];
    const way = from && to ? wayAlong(from.ring, from, to, this.#longer) : [];
    return way.reduce(withPoint, this.points);
  }

  #onSame(from: OnOutline, input: PointerInput): OnOutline | null {
    const radius = this.editor.imageLength(pickRadius(input));
    const place = placeOn(from.ring, input.image, radius, Infinity);
    return place && { ...from, ...place };
  }
}

/**
 * The brush: paints pixels of the selected mask, or of a new one. The eraser is the same
 * hand with the other end of it.
 *
 * A stroke is a line through every place that the pointer was seen at, so it has
 * no gaps however fast the hand moves. Until it ends nothing but its own bitmap
 * changes; dropping it leaves no trace.
 */

import { convert } from "../editor/converting";
import type { Editor } from "../editor/editor";
import { NO_PREVIEW, type Hint, type Preview, type Tip } from "../editor/hand";
import type { Intent, PointerInput } from "../editor/input";
import type { Choice, Range } from "../editor/options";
import type { PixelsInHand } from "../editor/pixels";
import { Bitmap, outsideOf } from "../geometry/bitmap";
import type { Bounds } from "../geometry/bounds";
import { imagePoint, type ImagePoint } from "../geometry/point";
import type { PixelSize, Runs } from "../geometry/runs";
import { strokePiece } from "../geometry/stroke";
import type { Annotation, AnnotationKey } from "../model/records";
import {
  applyPaint,
  imageSize,
  LIMIT,
  Occupied,
  selectedPolygon,
  targetToAdd,
  targetToSubtract,
  type Limit,
  type Target,
} from "./painting";
import { State, Tool, type ToolKind } from "./tool";

export const SIZE: Range = {
  kind: "range",
  id: "brush-size",
  label: "Size",
  help: "How wide brush and eraser are, in pixels of the image.",
  min: 1,
  max: 1000,
  step: 1,
  geometric: true,
  unit: "px",
  initial: 24,
  keys: ["[", "]"],
};

export const FORM = {
  kind: "choice",
  id: "brush-form",
  label: "Form of the brush",
  help: "Whether brush and eraser are round or square.",
  values: [
    { value: "round", label: "Round" },
    { value: "square", label: "Square" },
  ],
  initial: "round",
} as const satisfies Choice;

/** Below this a circle says less than a cross. */
const SMALLEST_TIP_CSS_PIXELS = 6;

/** A brush of even size lies on a corner of pixels, one of odd size on the middle of a pixel. */
function onGrid({ x, y }: ImagePoint, size: number): ImagePoint {
  const place = (value: number): number => (size % 2 === 0 ? Math.round(value) : Math.floor(value) + 0.5);
  return imagePoint(place(x), place(y));
}

/** The pixels of one stroke, as they are drawn. */
class Stroke implements PixelsInHand {
  key: AnnotationKey | null;
  readonly categoryId: number | null;
  readonly size: PixelSize;
  readonly before: Runs;
  readonly drawn: Bitmap;
  readonly subtract: boolean;
  readonly changes: Bounds[] = [];
  readonly target: Target;
  readonly limit: Limit;
  finished: Annotation | null = null;
  readonly #occupied: Occupied | null;
  #at: ImagePoint;

  constructor(editor: Editor, target: Target, subtract: boolean, at: ImagePoint) {
    this.target = target;
    ({ key: this.key, categoryId: this.categoryId, before: this.before } = target);
    this.size = imageSize(editor);
    this.drawn = new Bitmap(this.size);
    this.subtract = subtract;
    this.limit = editor.options.get(LIMIT);
    this.#occupied = this.limit === "free" && !subtract ? new Occupied(editor, target.key) : null;
    this.#at = at;
  }

  to({ at, radius, square }: Tip): void {
    const from = this.#at;
    this.#at = at;
    const set = (column: number, top: number, bottom: number): void => this.drawn.set(column, top, bottom);
    const taken = this.#occupied?.within(around(from, at, radius));
    const paint = taken
      ? (column: number, top: number, bottom: number): void =>
          outsideOf(taken, this.size[0], column, [top, bottom], set)
      : set;
    strokePiece(from, at, { radius, square }, this.size, paint);
    this.changes.push(...alongPiece(from, at, radius));
  }
}

const around = (a: ImagePoint, b: ImagePoint, radius: number): Bounds => ({
  left: Math.min(a.x, b.x) - radius - 1,
  top: Math.min(a.y, b.y) - radius - 1,
  right: Math.max(a.x, b.x) + radius + 1,
  bottom: Math.max(a.y, b.y) + radius + 1,
});

/** What a piece covers, in several bounds where one would be much larger than it. */
function alongPiece(from: ImagePoint, to: ImagePoint, radius: number): Bounds[] {
  const slanted = Math.min(Math.abs(to.x - from.x), Math.abs(to.y - from.y));
  const parts = Math.min(32, Math.max(1, Math.ceil(slanted / (2 * radius + 32))));
  const at = (share: number): ImagePoint =>
    imagePoint(from.x + share * (to.x - from.x), from.y + share * (to.y - from.y));
  return Array.from({ length: parts }, (_, i) => around(at(i / parts), at((i + 1) / parts), radius));
}

export class BrushTool extends Tool {
  readonly erases: boolean;
  /** Where a straight line may go on from. */
  lastEnd: ImagePoint | null = null;

  constructor(editor: Editor, erases: boolean) {
    super(editor);
    this.erases = erases;
    // Another category, chosen with the brush in hand, is for the next mask.
    editor.signal.on(["category"], () => this.#beginAnew());
  }

  protected initial(): State {
    return new Ready(this, this.editor.pointerAt);
  }

  tip(at: ImagePoint): Tip {
    const size = this.editor.options.get(SIZE);
    const square = this.editor.options.get(FORM) === "square";
    return { at: onGrid(at, size), radius: size / 2, square };
  }

  get cursor(): string {
    const wide = this.editor.options.get(SIZE) * this.editor.camera.scale;
    return wide < SMALLEST_TIP_CSS_PIXELS ? "crosshair" : "none";
  }

  begin(input: PointerInput): void {
    if (selectedPolygon(this.editor)) return this.become(new Offering(this));
    const subtract = input.rubber || this.erases !== input.alt;
    const target = subtract ? targetToSubtract(this.editor, input.image) : targetToAdd(this.editor);
    if (!target) return;
    const tip = this.tip(input.image);
    const from = (input.shift && this.lastEnd) || tip.at;
    const stroke = new Stroke(this.editor, target, subtract, from);
    stroke.to(tip);
    this.become(new Painting(this, stroke, input.image));
  }

  finish(stroke: Stroke, at: ImagePoint): void {
    const { target, subtract, limit } = stroke;
    const label = subtract ? "Erase" : "Paint";
    const painted = applyPaint(this.editor, { label, target, drawn: stroke.drawn.runs(), subtract, limit });
    if (painted) [stroke.key, stroke.finished] = painted;
    this.lastEnd = this.tip(at).at;
    this.become(new Ready(this, at));
  }

  #beginAnew(): void {
    const { editor } = this;
    if (editor.hand.toolId !== (this.erases ? "eraser" : "brush") || this.state.busy) return;
    const selected = editor.view.only && editor.document.get(editor.view.only);
    if (selected && selected.category_id !== editor.categoryId) editor.select([]);
  }
}

abstract class WithTip extends State<BrushTool> {
  protected at: ImagePoint | null;

  constructor(tool: BrushTool, at: ImagePoint | null) {
    super(tool);
    this.at = at;
  }

  override get cursor(): string {
    return this.tool.cursor;
  }

  protected get tip(): Tip | null {
    return this.at && this.editor.pointerAt ? this.tool.tip(this.at) : null;
  }

  override move(input: PointerInput): void {
    this.at = input.image;
  }
}

class Ready extends WithTip {
  override readonly name = "ready";

  override get preview(): Preview {
    return { ...NO_PREVIEW, tip: this.tip };
  }

  override get hints(): readonly Hint[] {
    const { erases } = this.tool;
    // Said before the first stroke, which asks for it.
    if (selectedPolygon(this.editor)) {
      return [
        { gesture: "Shift M", does: "turn the polygon into a mask, to paint on" },
        { gesture: "Esc", does: "new mask" },
        { gesture: "[ ]", does: "size" },
      ];
    }
    return [
      { gesture: "Drag", does: erases ? "erase" : "paint" },
      { gesture: "[ ]", does: "size" },
      { gesture: "Alt drag", does: erases ? "paint" : "erase" },
      { gesture: "Shift click", does: "straight line" },
      { gesture: "Esc", does: "new mask" },
      { gesture: "1–9", does: "new mask of a category" },
    ];
  }

  override down(input: PointerInput): void {
    this.at = input.image;
    this.tool.begin(input);
  }
}

class Painting extends WithTip {
  override readonly name = "painting";
  override readonly busy = true;
  readonly #stroke: Stroke;

  constructor(tool: BrushTool, stroke: Stroke, at: ImagePoint) {
    super(tool, at);
    this.#stroke = stroke;
  }

  override get hints(): readonly Hint[] {
    return [
      { gesture: "Release", does: "done" },
      { gesture: "[ ]", does: "size" },
      { gesture: "Esc", does: "drop the stroke" },
    ];
  }

  override get preview(): Preview {
    return { ...NO_PREVIEW, tip: this.tip, pixels: this.#stroke };
  }

  override move(input: PointerInput): void {
    super.move(input);
    this.#stroke.to(this.tool.tip(input.image));
  }

  override up(input: PointerInput): void {
    this.move(input);
    this.tool.finish(this.#stroke, input.image);
  }

  override intend(intent: Intent): boolean {
    if (intent === "complete") this.tool.finish(this.#stroke, this.at!);
    else this.tool.become(new Ready(this.tool, this.at));
    return true;
  }
}

/** A polygon is selected: whether it shall become a mask is the person's choice. */
class Offering extends State<BrushTool> {
  override readonly name = "offering";
  override readonly busy = true;

  constructor(tool: BrushTool) {
    super(tool);
    this.editor.say(
      "The selected object is made of polygons. Enter turns it into a mask with the same pixels, " +
        "to paint on; Escape leaves it as it is.",
    );
  }

  override get hints(): readonly Hint[] {
    return [
      { gesture: "Enter", does: "turn the polygon into a mask" },
      { gesture: "Esc", does: "leave it, and begin a new mask" },
    ];
  }

  override intend(intent: Intent): boolean {
    const key = selectedPolygon(this.editor);
    this.editor.say(null);
    this.tool.become(new Ready(this.tool, this.editor.pointerAt));
    if (intent === "complete" && key) convert(this.editor, [key], "mask");
    else this.editor.select([]);
    return true;
  }

  /** A finger that comes down for a pinch asks for nothing. */
  override interrupt(): void {}
}

export const brush: ToolKind = {
  info: {
    id: "brush",
    label: "Brush",
    icon: "brush",
    key: "M",
    help: "Paints pixels of the selected mask, or of a new one.",
    edits: true,
    options: [SIZE, FORM, LIMIT],
  },
  create: (editor) => new BrushTool(editor, false),
};

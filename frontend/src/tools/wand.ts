/**
 * The magic wand: pixels of the colour under the pointer become a mask, or join
 * or leave the selected one. Dragging sideways changes the threshold.
 */

import { COMBINE, heldMode, type CombineMode } from "../editor/combining";
import type { Editor } from "../editor/editor";
import { NO_PREVIEW, type Hint, type Preview } from "../editor/hand";
import type { Intent, PointerInput } from "../editor/input";
import type { Range, Toggle } from "../editor/options";
import type { PixelsInHand } from "../editor/pixels";
import type { Flood } from "../geometry/flood";
import type { Runs } from "../geometry/runs";
import { lookAhead, Newest, sightOf } from "./asking";
import { applyPaint, LIMIT, pixelsAsDrawn, targetFor, withinLimit, type Target } from "./painting";
import { isDrag } from "./pointing";
import { State, Tool, type ToolKind } from "./tool";

const THRESHOLD: Range = {
  kind: "range",
  id: "wand-threshold",
  label: "Threshold",
  help: "How much red, green or blue may differ from the colour under the pointer. Dragging sideways changes it.",
  min: 0,
  max: 255,
  step: 1,
  unit: "",
  initial: 20,
};

const CONTIGUOUS: Toggle = {
  kind: "toggle",
  id: "wand-contiguous",
  label: "Contiguous",
  help: "Only what is joined to the place that was clicked, or the colour everywhere in the image.",
  initial: true,
};

/** So far the pointer goes for one step of the threshold. */
const CSS_PIXELS_PER_STEP = 3;

class WandTool extends Tool {
  constructor(editor: Editor) {
    super(editor);
    lookAhead(editor, "wand", (sight) => sight.wake());
  }

  protected initial(): State {
    return new Ready(this);
  }

  begin(input: PointerInput): void {
    const mode = heldMode(input) ?? this.editor.options.get(COMBINE);
    const sight = sightOf(this.editor);
    const target = sight && targetFor(this.editor, mode, input.image);
    if (sight && target) this.become(new Choosing(this, target, mode, input, (flood) => sight.flood(flood)));
  }

  finish(target: Target, drawn: Runs, subtract: boolean): void {
    this.become(new Ready(this));
    const limit = this.editor.options.get(LIMIT);
    applyPaint(this.editor, { label: "Magic wand", target, drawn, subtract, limit });
  }
}

class Ready extends State<WandTool> {
  override readonly name = "ready";

  override get cursor(): string {
    return "crosshair";
  }

  override get hints(): readonly Hint[] {
    return [
      { gesture: "Click", does: "take the colour" },
      { gesture: "Drag sideways", does: "threshold" },
      { gesture: "Shift", does: "add" },
      { gesture: "Alt", does: "subtract" },
    ];
  }

  override down(input: PointerInput): void {
    this.tool.begin(input);
  }
}

/** From the press until what was asked last is there. */
class Choosing extends State<WandTool> {
  override readonly name = "choosing";
  override readonly busy = true;
  readonly #target: Target;
  readonly #subtract: boolean;
  readonly #press: PointerInput;
  readonly #from: number;
  readonly #newest: Newest<Flood, Runs>;
  #asked: Flood | null = null;
  #found: Runs | null = null;
  #pixels: PixelsInHand | null = null;
  #dragged = false;
  #released = false;
  /** What the hand did before the answer to this press came: it is done next, in its order. */
  readonly #next: PointerInput[] = [];

  constructor(
    tool: WandTool,
    target: Target,
    mode: CombineMode,
    press: PointerInput,
    flood: (flood: Flood) => Promise<Runs>,
  ) {
    super(tool);
    this.#target = target;
    this.#subtract = mode === "subtract";
    this.#press = press;
    this.#from = this.editor.options.get(THRESHOLD);
    this.#newest = new Newest(this.editor, flood, (runs) => this.#answered(runs), () => this.#failed());
    this.#ask();
  }

  override get computing(): boolean {
    return this.#released;
  }

  override get cursor(): string {
    // Over hundreds of tiles it takes seconds.
    if (this.#released) return "progress";
    return this.#dragged ? "ew-resize" : "crosshair";
  }

  override get hints(): readonly Hint[] {
    if (this.#released) {
      return [
        { gesture: "Wait", does: "the colour is being followed" },
        { gesture: "Esc", does: "drop" },
      ];
    }
    return [
      { gesture: "Drag sideways", does: `threshold ${this.editor.options.get(THRESHOLD)}` },
      { gesture: "Release", does: "done" },
      { gesture: "Esc", does: "drop" },
    ];
  }

  override get preview(): Preview {
    return { ...NO_PREVIEW, pixels: this.#pixels };
  }

  override move(input: PointerInput): void {
    if (this.#released) return void (this.#next.length > 0 && this.#next.push(input));
    this.#dragged ||= isDrag(this.#press.screen, input);
    if (!this.#dragged) return;
    const steps = Math.round((input.screen.x - this.#press.screen.x) / CSS_PIXELS_PER_STEP);
    this.editor.options.set(THRESHOLD, this.#from + steps);
    this.#ask();
  }

  override down(input: PointerInput): void {
    this.#next.push(input);
  }

  override up(input: PointerInput): void {
    if (this.#released) return void this.#next.push(input);
    this.move(input);
    this.#released = true;
    this.#finishWhenAnswered();
  }

  override intend(intent: Intent): boolean {
    if (intent === "complete") {
      this.#released = true;
      this.#finishWhenAnswered();
    } else if (intent !== "step-back" || !this.#dropLast()) this.tool.become(new Ready(this.tool));
    return true;
  }

  /** Only the last press turned out to be none. */
  override interrupt(): void {
    this.intend("step-back");
  }

  #dropLast(): boolean {
    const last = this.#next.findLastIndex(({ type }) => type === "down");
    if (last < 0) return false;
    this.#next.splice(last);
    return true;
  }

  #ask(): void {
    const { x, y } = this.#press.image;
    const threshold = this.editor.options.get(THRESHOLD);
    const contiguous = this.editor.options.get(CONTIGUOUS);
    if (this.#asked?.threshold === threshold && this.#asked.contiguous === contiguous) return;
    this.#asked = { x, y, threshold, contiguous };
    this.#newest.ask(this.#asked);
  }

  #answered(runs: Runs): void {
    if (this.tool.state !== this) return;
    this.#found = runs;
    const shown = withinLimit(this.editor, this.#target, runs, this.#subtract);
    this.#pixels = pixelsAsDrawn(this.editor, this.#target, shown, this.#subtract);
    if (this.#released) this.#finishWhenAnswered();
  }

  /** Nothing is taken; what the hand did next asks again. */
  #failed(): void {
    this.#found = null;
    if (this.tool.state === this && this.#released) this.#finishWhenAnswered();
  }

  #finishWhenAnswered(): void {
    if (this.#newest.open) return;
    if (this.#found) this.tool.finish(this.#target, this.#found, this.#subtract);
    else this.tool.become(new Ready(this.tool));
    for (const input of this.#next) {
      if (input.type === "down") this.tool.state.down(input);
      else if (input.type === "move") this.tool.state.move(input);
      else this.tool.state.up(input);
    }
  }
}

export const wand: ToolKind = {
  info: {
    id: "wand",
    label: "Magic wand",
    icon: "wand",
    key: "W",
    help: "Click takes the pixels of that colour; dragging sideways changes the threshold.",
    edits: true,
    options: [THRESHOLD, CONTIGUOUS, COMBINE, LIMIT],
  },
  create: (editor: Editor) => new WandTool(editor),
};

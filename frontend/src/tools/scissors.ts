/**
 * Intelligent scissors: from click to click the line follows the edges in the
 * picture. The result is a polygon like any other.
 */

import { COMBINE, combineWithSelected, heldMode, type CombineMode } from "../editor/combining";
import type { Editor } from "../editor/editor";
import { NO_PREVIEW, type Hint, type Preview } from "../editor/hand";
import type { Intent, PointerInput } from "../editor/input";
import { SightError, type Sight } from "../editor/sight";
import { distance, type ImagePoint } from "../geometry/point";
import { lookAhead, Newest, sightOf } from "./asking";
import { add, drawn, mayDraw, pickRadius } from "./pointing";
import { State, Tool, type ToolKind } from "./tool";

type Points = readonly ImagePoint[];

/** From one click to the next; straight until the way is found. */
interface Piece {
  readonly to: ImagePoint;
  points: Points;
  readonly found: Promise<void>;
}

class ScissorsTool extends Tool {
  constructor(editor: Editor) {
    super(editor);
    lookAhead(editor, "scissors", (sight) => sight.wake());
  }

  protected initial(): State {
    return new Ready(this);
  }

  begin(input: PointerInput): void {
    const sight = sightOf(this.editor);
    if (!sight || !mayDraw(this.editor)) return;
    const mode = heldMode(input) ?? this.editor.options.get(COMBINE);
    this.become(new Tracing(this, sight, mode, drawn(this.editor, input.image)));
  }

  finish(points: Points, mode: CombineMode): void {
    this.become(new Ready(this));
    const ring = points.flatMap(({ x, y }) => [x, y]);
    if (mode === "new") add(this.editor, "Draw along edges", { segmentation: [ring] });
    else combineWithSelected(this.editor, { rings: [ring], holes: [] }, mode);
  }
}

class Ready extends State<ScissorsTool> {
  override readonly name = "ready";

  override get cursor(): string {
    return "crosshair";
  }

  override get hints(): readonly Hint[] {
    return [
      { gesture: "Click", does: "first point" },
      { gesture: "1–9", does: "category" },
    ];
  }

  override down(input: PointerInput): void {
    this.tool.begin(input);
  }
}

class Tracing extends State<ScissorsTool> {
  override readonly name = "tracing";
  override readonly busy = true;
  readonly #sight: Sight;
  readonly #mode: CombineMode;
  readonly #first: ImagePoint;
  readonly #newest: Newest<{ from: ImagePoint; to: ImagePoint }, Points>;
  #pieces: Piece[] = [];
  #at: ImagePoint;
  #live: Points = [];
  #overFirst = false;
  #closing = false;

  constructor(tool: ScissorsTool, sight: Sight, mode: CombineMode, first: ImagePoint) {
    super(tool);
    this.#sight = sight;
    this.#mode = mode;
    this.#first = this.#at = first;
    this.#newest = new Newest(
      this.editor,
      ({ from, to }) => sight.route(from, to),
      (way, { from, to }) => {
        if (from === this.#last) this.#live = [from, ...way.slice(1, -1), to];
      },
    );
  }

  get #last(): ImagePoint {
    return this.#pieces.at(-1)?.to ?? this.#first;
  }

  override get cursor(): string {
    // In a large picture the way takes seconds to find.
    if (this.#closing) return "progress";
    return this.#overFirst ? "pointer" : "crosshair";
  }

  override get hints(): readonly Hint[] {
    if (this.#closing) {
      return [
        { gesture: "Wait", does: "the edges are being followed" },
        { gesture: "Esc", does: "drop" },
      ];
    }
    return [
      { gesture: "Click", does: "point" },
      { gesture: "Enter", does: "close" },
      { gesture: "Backspace", does: "last point" },
      { gesture: "Esc", does: "drop" },
    ];
  }

  override get preview(): Preview {
    const ghost = this.#overFirst ? this.#first : null;
    const fixed = this.#pieces.flatMap(({ points }) => points);
    const dots = [this.#first, ...this.#pieces.map(({ to }) => to)];
    const live = this.#closing ? [] : this.#live.length > 0 ? this.#live : [this.#last, this.#at];
    return { ...NO_PREVIEW, line: [...fixed, ...live], dots, ghost, subtracts: this.#mode === "subtract" };
  }

  override move(input: PointerInput): void {
    if (this.#closing) return;
    this.#at = drawn(this.editor, input.image);
    const reach = this.editor.imageLength(pickRadius(input));
    this.#overFirst = this.#pieces.length >= 2 && distance(this.#first, input.image) <= reach;
    this.#newest.ask({ from: this.#last, to: this.#overFirst ? this.#first : this.#at });
  }

  override down(input: PointerInput): void {
    this.move(input);
    if (this.#overFirst) void this.#close();
    else if (!this.#closing && distance(this.#last, this.#at) > 0) this.#add(this.#at);
  }

  override intend(intent: Intent): boolean {
    if (intent === "cancel") this.tool.become(new Ready(this.tool));
    else if (intent === "step-back") this.#stepBack();
    else if (this.#pieces.length >= 2) void this.#close();
    else this.editor.say("A polygon needs at least three points.");
    return true;
  }

  /** A finger that comes down for a pinch takes back its own point only. */
  override interrupt(): void {
    this.#closing = false;
    this.#stepBack();
  }

  #stepBack(): void {
    if (this.#closing) return;
    if (this.#pieces.length === 0) return this.tool.become(new Ready(this.tool));
    this.#pieces = this.#pieces.slice(0, -1);
    this.#live = [];
    this.#newest.ask({ from: this.#last, to: this.#at });
  }

  #add(to: ImagePoint): void {
    const from = this.#last;
    const found = this.#sight.route(from, to).then(
      (way) => {
        piece.points = [from, ...way.slice(1, -1), to];
        this.editor.signal.emit("tool");
      },
      (error: unknown) => {
        // Without an answer the piece stays straight.
        if (!(error instanceof SightError)) throw error;
      },
    );
    const piece: Piece = { to, points: [from, to], found };
    this.#pieces = [...this.#pieces, piece];
    this.#live = [];
  }

  async #close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    this.#add(this.#first);
    const pieces = this.#pieces;
    await Promise.all(pieces.map(({ found }) => found));
    if (this.tool.state !== this || this.#pieces !== pieces) return;
    // Every piece ends where the next one begins.
    this.tool.finish(pieces.flatMap(({ points }) => points.slice(0, -1)), this.#mode);
    this.editor.signal.emit("tool");
    this.editor.signal.emit("settled");
  }
}

export const scissors: ToolKind = {
  info: {
    id: "scissors",
    label: "Scissors",
    icon: "scissors",
    key: "S",
    help: "From click to click the line follows the edges in the picture; Enter closes it to a polygon.",
    edits: true,
    options: [COMBINE],
  },
  create: (editor: Editor) => new ScissorsTool(editor),
};

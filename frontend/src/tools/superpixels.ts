/**
 * Superpixels: the visible part of the image, cut into pieces along its colours,
 * of which a click or a drag joins as many as it goes over.
 */

import { COMBINE, heldMode } from "../editor/combining";
import type { Editor } from "../editor/editor";
import { NO_PREVIEW, type Hint, type Preview } from "../editor/hand";
import type { Intent, PointerInput } from "../editor/input";
import type { Range } from "../editor/options";
import type { PixelsInHand } from "../editor/pixels";
import { contains, type Bounds } from "../geometry/bounds";
import { visible } from "../geometry/camera";
import { distance, imagePoint, type ImagePoint } from "../geometry/point";
import { Places, type PixelSize, type Runs } from "../geometry/runs";
import type { Superpixels } from "../geometry/superpixels";
import type { Annotation, AnnotationKey } from "../model/records";
import { lookAhead, Newest, sightOf } from "./asking";
import { applyPaint, finishedPixels, imageSize, LIMIT, targetFor, type Target } from "./painting";
import { State, Tool, type ToolKind } from "./tool";

const SPACING: Range = {
  kind: "range",
  id: "superpixel-size",
  label: "Size",
  help: "How wide superpixels usually are, in pixels of the image.",
  min: 4,
  max: 500,
  step: 1,
  geometric: true,
  unit: "px",
  initial: 32,
};

interface Asked {
  readonly part: Bounds;
  readonly spacing: number;
  readonly scale: number;
}

/** What the hand has gone over, and what for. */
interface Gesture {
  readonly target: Target;
  readonly subtract: boolean;
  readonly way: ImagePoint[];
}

class SuperpixelTool extends Tool {
  found: Superpixels | null = null;
  /** What the last gesture made, shown until its outline is known. */
  last: PixelsInHand | null = null;
  #asked: Asked | null = null;
  readonly #newest = new Newest<Asked, Superpixels | null>(
    this.editor,
    async ({ part, spacing }) => (await this.editor.sight?.superpixels(part, spacing)) ?? null,
    (found) => (this.found = found),
  );

  constructor(editor: Editor) {
    super(editor);
    lookAhead(editor, "superpixels", () => {
      this.look();
      if (!this.looks && this.state instanceof Waiting) this.state.answered();
    });
  }

  protected initial(): State {
    return new Ready(this);
  }

  /** Asks for superpixels of what is visible, unless they are there. */
  look(): void {
    const { editor } = this;
    const { width, height } = editor.image;
    const seen = visible(editor.camera, editor.stage);
    const part = {
      left: Math.max(0, seen.left),
      top: Math.max(0, seen.top),
      right: Math.min(width, seen.right),
      bottom: Math.min(height, seen.bottom),
    };
    if (part.left >= part.right || part.top >= part.bottom) return;
    const [spacing, { scale }] = [editor.options.get(SPACING), editor.camera];
    const asked = this.#asked;
    if (asked?.spacing === spacing && asked.scale === scale && holds(asked.part, part)) return;
    this.#asked = { part, spacing, scale };
    this.#newest.ask(this.#asked);
  }

  /** Whether an answer is still to come. */
  get looks(): boolean {
    return this.#newest.open;
  }

  begin(input: PointerInput): void {
    if (!sightOf(this.editor)) return;
    // After a failure it is tried again.
    if (!this.found && !this.looks) this.#asked = null;
    this.look();
    const mode = heldMode(input) ?? this.editor.options.get(COMBINE);
    const target = targetFor(this.editor, mode, input.image);
    if (!target) return;
    const gesture = { target, subtract: mode === "subtract", way: [input.image] };
    if (this.found && reaches(this.found, input.image)) this.become(this.joining(this.found, gesture));
    else if (this.looks) this.become(new Waiting(this, gesture));
  }

  joining(found: Superpixels, { target, subtract, way }: Gesture): Joining {
    const joined = new Joined(imageSize(this.editor), found, target, subtract);
    for (const at of way) joined.to(at);
    return new Joining(this, joined);
  }

  finish(joined: Joined): void {
    this.become(new Ready(this));
    const limit = this.editor.options.get(LIMIT);
    const { target, subtract } = joined;
    const painted = applyPaint(this.editor, { label: "Superpixels", target, drawn: joined.runs(), subtract, limit });
    this.last = painted && finishedPixels(this.editor, ...painted);
  }
}

const holds = (outer: Bounds, inner: Bounds): boolean =>
  outer.left <= inner.left && outer.top <= inner.top && outer.right >= inner.right && outer.bottom >= inner.bottom;

const reaches = ({ left, top, side, across, down }: Superpixels, at: ImagePoint): boolean =>
  contains({ left, top, right: left + side * across, bottom: top + side * down }, at, 0);

/** The superpixels that a gesture went over. */
class Joined implements PixelsInHand {
  readonly key: AnnotationKey | null;
  readonly categoryId: number | null;
  readonly before: Runs;
  readonly drawn = this;
  readonly changes: Bounds[] = [];
  readonly finished: Annotation | null = null;
  readonly size: PixelSize;
  readonly target: Target;
  readonly subtract: boolean;
  readonly #all: Superpixels;
  readonly #labels = new Set<number>();
  #at: ImagePoint | null = null;

  constructor(size: PixelSize, all: Superpixels, target: Target, subtract: boolean) {
    ({ key: this.key, categoryId: this.categoryId, before: this.before } = target);
    this.size = size;
    this.target = target;
    this.subtract = subtract;
    this.#all = all;
  }

  /** Joins what lies on the straight line from the last place. */
  to(at: ImagePoint): void {
    const from = this.#at ?? at;
    this.#at = at;
    const steps = Math.max(1, Math.ceil(distance(from, at) / this.#all.side));
    for (let i = 0; i <= steps; i++) {
      this.#join(imagePoint(from.x + ((at.x - from.x) * i) / steps, from.y + ((at.y - from.y) * i) / steps));
    }
  }

  eachInColumn(column: number, found: (top: number, bottom: number) => void): void {
    const { left, top, side, across, down, labels } = this.#all;
    const c = Math.floor((column - left) / side);
    if (c < 0 || c >= across) return;
    const edge = (row: number): number => Math.min(this.size[0], top + row * side);
    let from = -1;
    for (let r = 0; r <= down; r++) {
      const inside = r < down && this.#labels.has(labels[r * across + c]!);
      if (inside && from < 0) from = r;
      else if (!inside && from >= 0) {
        found(edge(from), edge(r));
        from = -1;
      }
    }
  }

  runs(): Runs {
    const places = new Places();
    const [height, width] = this.size;
    const right = Math.min(width, this.#all.left + this.#all.across * this.#all.side);
    for (let column = this.#all.left; column < right; column++) {
      this.eachInColumn(column, (top, bottom) => places.run(column * height + top, column * height + bottom));
    }
    return places.taken();
  }

  #join({ x, y }: ImagePoint): void {
    const { left, top, side, across, down, labels } = this.#all;
    const [c, r] = [Math.floor((x - left) / side), Math.floor((y - top) / side)];
    if (c < 0 || r < 0 || c >= across || r >= down) return;
    const label = labels[r * across + c]!;
    if (this.#labels.has(label)) return;
    this.#labels.add(label);
    this.changes.push(boundsOf(this.#all, label));
  }
}

function boundsOf({ left, top, side, across, labels }: Superpixels, label: number): Bounds {
  let [first, last, least, most] = [Infinity, -1, Infinity, -1];
  for (let i = labels.indexOf(label); i >= 0; i = labels.indexOf(label, i + 1)) {
    const [c, r] = [i % across, Math.floor(i / across)];
    first = Math.min(first, c);
    last = Math.max(last, c);
    least = Math.min(least, r);
    most = Math.max(most, r);
  }
  return {
    left: left + first * side,
    top: top + least * side,
    right: left + (last + 1) * side,
    bottom: top + (most + 1) * side,
  };
}

class Ready extends State<SuperpixelTool> {
  override readonly name = "ready";

  override get cursor(): string {
    return this.tool.found ? "pointer" : "progress";
  }

  override get preview(): Preview {
    return { ...NO_PREVIEW, superpixels: this.tool.found, pixels: this.tool.last };
  }

  override get hints(): readonly Hint[] {
    return [
      { gesture: "Click", does: "take one" },
      { gesture: "Drag", does: "join several" },
      { gesture: "Shift", does: "add" },
      { gesture: "Alt", does: "subtract" },
    ];
  }

  override down(input: PointerInput): void {
    this.tool.begin(input);
  }
}

/** The hand has gone over superpixels that are still being computed; it may be done already. */
class Waiting extends State<SuperpixelTool> {
  override readonly name = "waiting";
  override readonly busy = true;
  readonly #gesture: Gesture;
  #release: PointerInput | null = null;

  constructor(tool: SuperpixelTool, gesture: Gesture) {
    super(tool);
    this.#gesture = gesture;
    tool.editor.say("The superpixels are being computed. One moment.");
  }

  override get cursor(): string {
    return "progress";
  }

  override get hints(): readonly Hint[] {
    return [
      { gesture: "Wait", does: "superpixels are being computed" },
      { gesture: "Esc", does: "drop" },
    ];
  }

  override move(input: PointerInput): void {
    if (!this.#release) this.#gesture.way.push(input.image);
  }

  override up(input: PointerInput): void {
    this.move(input);
    this.#release ??= input;
  }

  override intend(intent: Intent): boolean {
    if (intent !== "complete") this.tool.become(new Ready(this.tool));
    return true;
  }

  /** Goes on with what was asked for, or with nothing where it cannot be had. */
  answered(): void {
    const { found } = this.tool;
    if (!found) return this.tool.become(new Ready(this.tool));
    this.editor.say(null);
    const joining = this.tool.joining(found, this.#gesture);
    this.tool.become(joining);
    if (this.#release) joining.up(this.#release);
  }
}

class Joining extends State<SuperpixelTool> {
  override readonly name = "joining";
  override readonly busy = true;
  readonly #joined: Joined;

  constructor(tool: SuperpixelTool, joined: Joined) {
    super(tool);
    this.#joined = joined;
  }

  override get cursor(): string {
    return "pointer";
  }

  override get hints(): readonly Hint[] {
    return [
      { gesture: "Drag", does: "join more" },
      { gesture: "Release", does: "done" },
      { gesture: "Esc", does: "drop" },
    ];
  }

  override get preview(): Preview {
    return { ...NO_PREVIEW, superpixels: this.tool.found, pixels: this.#joined };
  }

  override move(input: PointerInput): void {
    this.#joined.to(input.image);
  }

  override up(input: PointerInput): void {
    this.move(input);
    this.tool.finish(this.#joined);
  }

  override intend(intent: Intent): boolean {
    if (intent === "complete") this.tool.finish(this.#joined);
    else this.tool.become(new Ready(this.tool));
    return true;
  }
}

export const superpixels: ToolKind = {
  info: {
    id: "superpixels",
    label: "Superpixels",
    icon: "hexagon",
    key: "U",
    help: "Click or drag over pieces of one colour to join them into a mask.",
    edits: true,
    options: [SPACING, COMBINE, LIMIT],
  },
  create: (editor: Editor) => new SuperpixelTool(editor),
};

/**
 * Superpixels: the visible part of the image, cut into pieces along its colours,
 * of which a click or a drag joins as many as it goes over.
 */

import { COMBINE, heldMode, type CombineMode } from "../editor/combining";
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
import { applyPaint, imageSize, LIMIT, targetFor, type Target } from "./painting";
import { State, Tool, type ToolKind } from "./tool";

const SPACING: Range = {
  kind: "range",
  id: "superpixel-size",
  label: "Size",
  help: "How wide superpixels usually are on the screen: zoom in for finer ones.",
  min: 8,
  max: 500,
  step: 1,
  geometric: true,
  unit: "px",
  initial: 32,
};

/** However far one zooms in, superpixels have some pixels of the image. */
const LEAST_SPACING_IMAGE_PIXELS = 4;

interface Asked {
  readonly part: Bounds;
  /** In pixels of the image. */
  readonly spacing: number;
  readonly scale: number;
}

/** What the hand has gone over, what for, and on which superpixels. */
interface Gesture {
  readonly asked: Asked;
  readonly mode: CombineMode;
  readonly way: ImagePoint[];
  released: boolean;
}

const COMPUTING = "The superpixels are being computed. One moment.";

class SuperpixelTool extends Tool {
  found: Superpixels | null = null;
  /** What was asked for last, and what `found` is the answer to. */
  #asked: Asked | null = null;
  #answered: Asked | null = null;
  readonly #newest = new Newest<Asked, Superpixels | null>(
    this.editor,
    async ({ part, spacing }) => (await this.editor.sight?.superpixels(part, spacing)) ?? null,
    (found, asked) => this.#take(found, asked),
  );

  constructor(editor: Editor) {
    super(editor);
    lookAhead(editor, "superpixels", () => this.look());
  }

  protected initial(): State {
    return new Ready(this);
  }

  /** Asks for superpixels of what is visible, unless they are there. Those that gestures wait for come first. */
  look(): void {
    if (this.state instanceof Waiting) return this.state.look();
    const seen = this.seen(this.#asked);
    if (seen && seen !== this.#asked) this.ask(seen);
  }

  ask(asked: Asked): void {
    this.#asked = asked;
    this.#newest.ask(asked);
  }

  /** What to ask for what is visible: `known` where that has it. Null when nothing of the image is visible. */
  seen(known: Asked | null): Asked | null {
    const { editor } = this;
    const { width, height } = editor.image;
    const seen = visible(editor.camera, editor.stage);
    const part = {
      left: Math.max(0, seen.left),
      top: Math.max(0, seen.top),
      right: Math.min(width, seen.right),
      bottom: Math.min(height, seen.bottom),
    };
    if (part.left >= part.right || part.top >= part.bottom) return null;
    const { scale } = editor.camera;
    // As large on the screen at every zoom, so that they are seen and met there, however large the image is.
    const spacing = Math.max(LEAST_SPACING_IMAGE_PIXELS, editor.imageLength(editor.options.get(SPACING)));
    const same = known?.spacing === spacing && known.scale === scale && holds(known.part, part);
    return same ? known : { part, spacing, scale };
  }

  /** Whether an answer is still to come. */
  get looks(): boolean {
    return this.#newest.open;
  }

  /** Whether this was asked for last, and no answer came. */
  failed(asked: Asked): boolean {
    return asked === this.#asked && asked !== this.#answered && !this.looks;
  }

  begin(input: PointerInput): void {
    if (!sightOf(this.editor)) return;
    // After a failure it is tried again.
    if (this.#asked && this.failed(this.#asked)) this.#asked = null;
    this.look();
    const mode = this.mode(input);
    const target = targetFor(this.editor, mode, input.image);
    if (!target) return;
    if (this.found && reaches(this.found, input.image)) {
      const joined = this.#joined(this.found, target, mode);
      joined.to(input.image);
      this.become(new Joining(this, joined));
    } else if (this.looks && this.#asked) {
      this.become(new Waiting(this, { asked: this.#asked, mode, way: [input.image], released: false }));
    }
  }

  mode(input: PointerInput): CombineMode {
    return heldMode(input) ?? this.editor.options.get(COMBINE);
  }

  /** What a gesture that waited has joined; null, having said why, where it has nothing to join to. */
  joined(found: Superpixels, { mode, way }: Gesture): Joined | null {
    const target = targetFor(this.editor, mode, way[0]!);
    const joined = target && this.#joined(found, target, mode);
    if (joined) for (const at of way) joined.to(at);
    return joined;
  }

  apply(joined: Joined): void {
    const limit = this.editor.options.get(LIMIT);
    const { target, subtract } = joined;
    applyPaint(this.editor, { label: "Superpixels", target, drawn: joined.runs(), subtract, limit });
    if (joined.missed) this.editor.say("Part of what you went over had no superpixels yet. Go over it again.");
  }

  #joined(found: Superpixels, target: Target, mode: CombineMode): Joined {
    return new Joined(imageSize(this.editor), found, target, mode === "subtract");
  }

  #take(found: Superpixels | null, asked: Asked): void {
    this.found = found;
    this.#answered = found && asked;
    if (found && this.state instanceof Waiting) this.state.answered(found, asked);
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
  /** Whether the way led where the image has no superpixels yet. */
  missed = false;
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
    if (c < 0 || r < 0 || c >= across || r >= down) {
      this.missed ||= x >= 0 && y >= 0 && x < this.size[1] && y < this.size[0];
      return;
    }
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
    return { ...NO_PREVIEW, superpixels: this.tool.found };
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

/** The hand has gone over superpixels that are still being computed, once or several times. */
class Waiting extends State<SuperpixelTool> {
  override readonly name = "waiting";
  override readonly busy = true;
  /** In the order in which they are carried out; only the last one may go on. */
  #gestures: Gesture[];

  constructor(tool: SuperpixelTool, gesture: Gesture) {
    super(tool);
    this.#gestures = [gesture];
    tool.editor.say(COMPUTING);
  }

  override get computing(): boolean {
    return this.#gestures.every(({ released }) => released);
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

  /** It is made on what is visible now, which may be another part than before. */
  override down(input: PointerInput): void {
    const asked = this.tool.seen(this.#gestures.at(-1)!.asked);
    if (!asked) return;
    this.#gestures.push({ asked, mode: this.tool.mode(input), way: [input.image], released: false });
  }

  override move(input: PointerInput): void {
    const last = this.#gestures.at(-1)!;
    if (!last.released) last.way.push(input.image);
  }

  override up(input: PointerInput): void {
    this.move(input);
    this.#gestures.at(-1)!.released = true;
  }

  override intend(intent: Intent): boolean {
    if (intent === "cancel") this.#gestures = [];
    if (intent === "step-back") this.#gestures.pop();
    if (this.#gestures.length === 0) this.#end();
    return true;
  }

  override interrupt(): void {
    this.intend("step-back");
  }

  /** Asks for what the next gesture was made on. */
  look(): void {
    const { asked } = this.#gestures[0]!;
    if (this.tool.looks) return;
    if (!this.tool.failed(asked)) return this.tool.ask(asked);
    this.#end();
    this.editor.say(`${this.editor.notice ?? ""} What you went over is not joined.`.trim());
  }

  /** Carries out the gestures that were made on these superpixels. */
  answered(found: Superpixels, asked: Asked): void {
    const ready = this.#gestures.filter((gesture) => gesture.asked === asked);
    this.#gestures = this.#gestures.filter((gesture) => gesture.asked !== asked);
    if (this.#gestures.length === 0) this.#end();
    for (const gesture of ready) {
      const joined = this.tool.joined(found, gesture);
      if (!joined) continue;
      if (gesture.released) this.tool.apply(joined);
      else this.tool.become(new Joining(this.tool, joined));
    }
  }

  #end(): void {
    // What was said meanwhile is to be read.
    if (this.editor.notice === COMPUTING) this.editor.say(null);
    this.tool.become(new Ready(this.tool));
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
    this.#finish();
  }

  override intend(intent: Intent): boolean {
    if (intent === "complete") this.#finish();
    else this.tool.become(new Ready(this.tool));
    return true;
  }

  #finish(): void {
    this.tool.become(new Ready(this.tool));
    this.tool.apply(this.#joined);
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

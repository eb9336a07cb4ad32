/**
 * The hand: holds one tool at a time and is the root of the state machines.
 *
 * What works in every tool is handled here and never reaches one: panning with
 * Space or the middle button, the pinch of two fingers, and the right button,
 * which drops the last point.
 */

import type { Editor } from "../editor/editor";
import type { Hand, Hint, Preview, ToolInfo } from "../editor/hand";
import type { Intent, PointerInput } from "../editor/input";
import type { ToolOption } from "../editor/options";
import * as cameras from "../geometry/camera";
import { distance, screenPoint, type ScreenPoint } from "../geometry/point";
import { TOOLS } from ".";
import type { Tool } from "./tool";

const PAN_HINTS: readonly Hint[] = [{ gesture: "Drag", does: "pan" }];

export class Toolbox implements Hand {
  readonly tools: readonly ToolInfo[];
  readonly #editor: Editor;
  readonly #made: ReadonlyMap<string, Tool>;
  readonly #fingers = new Map<number, ScreenPoint>();
  #toolId: string;
  #space = false;
  #panningFrom: ScreenPoint | null = null;
  #pinching = false;

  constructor(editor: Editor) {
    const kinds = TOOLS.filter(({ info }) => !(info.edits && editor.readOnly));
    this.#editor = editor;
    this.tools = kinds.map(({ info }) => info);
    this.#made = new Map(kinds.map((kind) => [kind.info.id, kind.create(editor)]));
    this.#toolId = kinds[0]!.info.id;
  }

  get toolId(): string {
    return this.#toolId;
  }

  get path(): string {
    return `${this.#toolId}.${this.#tool.state.name}`;
  }

  get busy(): boolean {
    return this.#tool.state.busy;
  }

  get cursor(): string {
    if (this.#panningFrom) return "grabbing";
    return this.#space ? "grab" : this.#tool.state.cursor;
  }

  get hints(): readonly Hint[] {
    return this.#space || this.#panningFrom ? PAN_HINTS : this.#tool.state.hints;
  }

  get options(): readonly ToolOption[] {
    return this.tools.find(({ id }) => id === this.#toolId)?.options ?? [];
  }

  get preview(): Preview {
    return this.#tool.state.preview;
  }

  choose(toolId: string): void {
    if (!this.#made.has(toolId) || toolId === this.#toolId) return;
    this.#tool.reset();
    this.#toolId = toolId;
    this.#editor.hover(null);
    this.#after();
  }

  pointer(input: PointerInput): void {
    this.#editor.pointerAt = input.image;
    if (!this.#pinch(input) && !this.#pan(input)) this.#toTool(input);
    this.#after();
  }

  intend(intent: Intent): boolean {
    const used = this.#tool.state.intend(intent);
    this.#after();
    return used;
  }

  get traces(): boolean {
    return this.#tool.state.traces;
  }

  trace(): void {
    this.#tool.state.trace();
    this.#after();
  }

  holdSpace(held: boolean): void {
    this.#space = held;
    this.#after();
  }

  get #tool(): Tool {
    return this.#made.get(this.#toolId)!;
  }

  #after(): void {
    this.#editor.signal.emit("tool");
    if (!this.#editor.history.open) this.#editor.signal.emit("settled");
  }

  #toTool(input: PointerInput): void {
    const { state } = this.#tool;
    if (input.type === "move") state.move(input);
    else if (input.type === "abort") state.interrupt();
    else if (input.type === "up") state.up(input);
    else if (input.button === 0) state.down(input);
    else if (input.button === 2 && state.busy) state.intend("step-back");
  }

  #pan(input: PointerInput): boolean {
    if (input.type === "down" && (input.button === 1 || (this.#space && input.button === 0))) {
      this.#panningFrom = input.screen;
      return true;
    }
    const from = this.#panningFrom;
    if (!from) return false;
    const { x, y } = input.screen;
    this.#editor.moveCamera(cameras.pan(this.#editor.camera, x - from.x, y - from.y));
    this.#panningFrom = input.type === "move" ? input.screen : null;
    return true;
  }

  #pinch(input: PointerInput): boolean {
    if (input.device !== "touch") return false;
    const before = this.#twoFingers();
    if (input.type === "up" || input.type === "abort") this.#fingers.delete(input.pointerId);
    else if (input.type === "down" || this.#fingers.has(input.pointerId)) {
      this.#fingers.set(input.pointerId, input.screen);
    }
    const after = this.#twoFingers();
    if (after && !before) {
      this.#tool.state.interrupt();
      this.#pinching = true;
    } else if (before && after) this.#spread(before, after);
    const pinching = this.#pinching;
    // The finger that stays longest after a pinch must not draw.
    if (this.#fingers.size === 0) this.#pinching = false;
    return pinching;
  }

  #twoFingers(): readonly [ScreenPoint, ScreenPoint] | null {
    const [a, b] = this.#fingers.values();
    return a && b ? [a, b] : null;
  }

  #spread(before: readonly [ScreenPoint, ScreenPoint], after: readonly [ScreenPoint, ScreenPoint]): void {
    const from = middle(before);
    const to = middle(after);
    const moved = cameras.pan(this.#editor.camera, to.x - from.x, to.y - from.y);
    const factor = distance(...after) / Math.max(distance(...before), 1);
    this.#editor.moveCamera(cameras.zoomAt(moved, to, factor));
  }
}

function middle([a, b]: readonly [ScreenPoint, ScreenPoint]): ScreenPoint {
  return screenPoint((a.x + b.x) / 2, (a.y + b.y) / 2);
}

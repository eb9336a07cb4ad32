/**
 * The hand: holds one tool at a time and is the root of the state machines.
 *
 * What works in every tool is handled here and never reaches one: panning with
 * Space or the middle button, what fingers do besides drawing, and the right
 * button, which drops the last point.
 */

import type { Editor } from "../editor/editor";
import type { Hand, Hint, Preview, ToolInfo } from "../editor/hand";
import type { Intent, PointerInput } from "../editor/input";
import type { ToolOption } from "../editor/options";
import * as cameras from "../geometry/camera";
import type { ScreenPoint } from "../geometry/point";
import { TOOLS } from ".";
import { Fingers } from "./fingers";
import type { Tool } from "./tool";
import { Waiting } from "./waiting";

const PAN_HINTS: readonly Hint[] = [{ gesture: "Drag", does: "pan" }];

export class Toolbox implements Hand {
  readonly tools: readonly ToolInfo[];
  readonly #editor: Editor;
  readonly #made: ReadonlyMap<string, Tool>;
  readonly #fingers: Fingers;
  #toolId: string;
  /** The tool that is to be in hand once what the present one computes is drawn. */
  #nextToolId: string | null = null;
  #space = false;
  #panningFrom: ScreenPoint | null = null;
  /** The pointer whose press the tool in hand is busy with. */
  #pressed: number | null = null;

  constructor(editor: Editor) {
    const kinds = TOOLS.filter(({ info }) => !(info.edits && editor.readOnly));
    this.#editor = editor;
    this.tools = kinds.map(({ info }) => info);
    this.#made = new Map(kinds.map((kind) => [kind.info.id, kind.create(editor)]));
    this.#toolId = kinds[0]!.info.id;
    this.#fingers = new Fingers({
      editor,
      pass: (input) => this.#pass(input),
      interrupt: () => this.#interrupt(),
      picks: () => !this.#info.edits,
    });
    editor.signal.on(["tool"], () => this.#chooseNext());
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

  get computing(): boolean {
    return this.#tool.state.computing;
  }

  get cursor(): string {
    if (this.#panningFrom) return "grabbing";
    return this.#space ? "grab" : this.#tool.state.cursor;
  }

  get hints(): readonly Hint[] {
    return this.#space || this.#panningFrom ? PAN_HINTS : this.#tool.state.hints;
  }

  get handles(): "all" | "keypoints" | null {
    return this.#info.handles ?? null;
  }

  get options(): readonly ToolOption[] {
    return this.#info.options ?? [];
  }

  get preview(): Preview {
    return this.#tool.state.preview;
  }

  choose(toolId: string): void {
    // A finished gesture is not dropped because it still has to be computed.
    this.#nextToolId = this.computing ? toolId : null;
    if (!this.#made.has(toolId) || toolId === this.#toolId || this.computing) return;
    // What was said was about the tool before.
    this.#editor.say(null);
    this.#tool.reset();
    this.#pressed = null;
    this.#toolId = toolId;
    this.#editor.hover(null);
    this.#after();
  }

  pointer(input: PointerInput): void {
    if (!this.#fingers.isPalm(input)) this.#editor.pointerAt = input.image;
    if (!this.#fingers.take(input)) this.#pass(input);
    this.#after();
  }

  intend(intent: Intent): boolean {
    // What was said about the gesture goes with it.
    if (intent === "cancel" && this.busy) this.#editor.say(null);
    const used = this.#tool.state.intend(intent);
    // Whatever was pressed is over, though the pointer may never be let go, as pens sometimes are not.
    if (intent === "cancel") this.#pressed = null;
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

  wait(forWhat: string, dropped: () => void): () => void {
    const tool = this.#tool;
    tool.reset();
    const waiting = new Waiting(tool, forWhat, dropped);
    tool.become(waiting);
    this.#after();
    return () => {
      if (tool.state === waiting) tool.rest();
      this.#after();
    };
  }

  #chooseNext(): void {
    const toolId = this.#nextToolId;
    if (toolId !== null && !this.computing) this.choose(toolId);
  }

  get #info(): ToolInfo {
    return this.tools.find(({ id }) => id === this.#toolId)!;
  }

  get #tool(): Tool {
    return this.#made.get(this.#toolId)!;
  }

  #after(): void {
    this.#editor.signal.emit("tool");
    if (!this.#editor.history.open) this.#editor.signal.emit("settled");
  }

  #pass(input: PointerInput): void {
    if (!this.#pan(input)) this.#toTool(input);
  }

  /** One press at a time: what another pointer does meanwhile is not meant. */
  #toTool(input: PointerInput): void {
    const { state } = this.#tool;
    const { type, pointerId } = input;
    // Meant for the tool that comes next.
    if (this.#nextToolId !== null) return;
    if (this.#pressed !== null && this.#pressed !== pointerId) return;
    if (type === "move") return state.move(input);
    if (type === "down") {
      if (input.button === 2 && state.busy) state.intend("step-back");
      if (input.button !== 0) return;
      this.#pressed = pointerId;
      return state.down(input);
    }
    if (this.#pressed === null) return;
    if (type === "abort") return this.#interrupt();
    this.#pressed = null;
    state.up(input);
  }

  #interrupt(): void {
    if (this.#pressed !== null) this.#tool.state.interrupt();
    this.#pressed = null;
  }

  #pan(input: PointerInput): boolean {
    if (input.type === "down" && (input.button === 1 || (this.#space && input.button === 0))) {
      this.#panningFrom = input.screen;
      return true;
    }
    const from = this.#panningFrom;
    if (!from) return false;
    this.#panningFrom = input.type === "move" ? input.screen : null;
    const { x, y } = input.screen;
    // A press that the system took away is nowhere.
    if (input.type !== "abort") this.#editor.moveCamera(cameras.pan(this.#editor.camera, x - from.x, y - from.y));
    return true;
  }
}

/**
 * A tool is a state machine, and a state is named for what the hand is doing.
 *
 * States are small objects made anew for each visit, so that what a state needs
 * (the points so far, the annotation in hand) are its constructor's arguments
 * and cannot be left over from last time. `become` moves on. A state that
 * overrides nothing ignores everything.
 */

import type { Editor } from "../editor/editor";
import { NO_PREVIEW, type Hint, type Preview, type ToolInfo } from "../editor/hand";
import type { Intent, PointerInput } from "../editor/input";

export abstract class State<T extends Tool = Tool> {
  abstract readonly name: string;
  /** A gesture is under way that Escape can cancel. */
  readonly busy: boolean = false;
  protected readonly tool: T;

  constructor(tool: T) {
    this.tool = tool;
  }

  protected get editor(): Editor {
    return this.tool.editor;
  }

  /** The hand is done, and the gesture ends by itself as soon as something has been computed. */
  get computing(): boolean {
    return false;
  }

  get cursor(): string {
    return "default";
  }

  abstract get hints(): readonly Hint[];

  get preview(): Preview {
    return NO_PREVIEW;
  }

  down(_input: PointerInput): void {}

  move(_input: PointerInput): void {}

  up(_input: PointerInput): void {}

  /** False when this state has no use for it. */
  intend(_intent: Intent): boolean {
    return false;
  }

  /** Whether `trace` means something here. */
  get traces(): boolean {
    return false;
  }

  /** Follow a border, or follow it the other way round. */
  trace(): void {}

  /**
   * The press in hand turned out to be no press, such as the first finger of a pinch.
   * Takes back what it began, and nothing that was there before it.
   */
  interrupt(): void {
    this.intend("cancel");
  }
}

export abstract class Tool {
  readonly editor: Editor;
  #state: State | null = null;

  constructor(editor: Editor) {
    this.editor = editor;
  }

  protected abstract initial(): State;

  get state(): State {
    this.#state ??= this.initial();
    return this.#state;
  }

  become(state: State): void {
    this.#state = state;
  }

  /** Back to the start. */
  rest(): void {
    this.#state = null;
  }

  /** Back to the start, whatever the hand was doing. */
  reset(): void {
    if (this.state.busy) this.state.intend("cancel");
    this.rest();
  }
}

/** One line in TOOLS. */
export interface ToolKind {
  readonly info: ToolInfo;
  create(editor: Editor): Tool;
}

/** A handle of the frame around several selected annotations is dragged. */

import type { Hint } from "../editor/hand";
import type { PointerInput } from "../editor/input";
import { resized, type Group } from "../editor/resizing";
import { imagePoint } from "../geometry/point";
import type { Handle } from "../shapes/shape";
import { Changing } from "./changing";
import { drawn } from "./pointing";
import type { SelectTool } from "./select";

export class Resizing extends Changing {
  override readonly name = "resizing";
  readonly #group: Group;
  readonly #handle: Handle;
  readonly #press: PointerInput;

  constructor(tool: SelectTool, group: Group, handle: Handle, press: PointerInput) {
    super(tool);
    this.#group = group;
    this.#handle = handle;
    this.#press = press;
    tool.editor.history.mark("Resize");
  }

  override get cursor(): string {
    return this.#handle.cursor;
  }

  override get hints(): readonly Hint[] {
    return [
      { gesture: "Shift", does: "keep the proportions" },
      { gesture: "Alt", does: "from the middle" },
      ...super.hints,
    ];
  }

  /** A frame that reaches beyond the image may stay there. */
  get #isWithin(): boolean {
    const { at } = this.#handle;
    const { width, height } = this.editor.image;
    return at.x >= 0 && at.y >= 0 && at.x <= width && at.y <= height;
  }

  override move(input: PointerInput): void {
    // The handle keeps its distance to the pointer, so that taking hold moves nothing.
    const { x, y } = this.#handle.at;
    const { image } = this.#press;
    const moved = input.image.x !== image.x || input.image.y !== image.y;
    const to = imagePoint(x + input.image.x - image.x, y + input.image.y - image.y);
    const at = moved && this.#isWithin ? drawn(this.editor, to) : to;
    const options = { proportional: input.shift, fromMiddle: input.alt };
    this.editor.change(resized(this.#group, this.#handle, at, options));
  }
}

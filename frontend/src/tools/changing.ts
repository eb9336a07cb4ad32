/** A drag that changes the document while it lasts; Escape takes all of it back. */

import type { Hint } from "../editor/hand";
import type { Intent, PointerInput } from "../editor/input";
import type { SelectTool } from "./select";
import { State, type Tool } from "./tool";

export abstract class Changing<T extends Tool & { idle(): void } = SelectTool> extends State<T> {
  override readonly busy = true;

  override get hints(): readonly Hint[] {
    return [
      { gesture: "Release", does: "done" },
      { gesture: "Esc", does: "put back" },
    ];
  }

  override up(input: PointerInput): void {
    this.move(input);
    this.editor.history.commit();
    this.tool.idle();
  }

  override intend(intent: Intent): boolean {
    if (intent === "complete") return false;
    this.editor.history.cancel();
    this.tool.idle();
    return true;
  }
}

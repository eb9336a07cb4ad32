/** The hand waits for what a worker makes of the selection. */

import type { Hint } from "../editor/hand";
import type { Intent } from "../editor/input";
import { State, type Tool } from "./tool";

export class Waiting extends State {
  override readonly name = "waiting";
  override readonly busy = true;
  readonly #forWhat: string;
  readonly #dropped: () => void;

  constructor(tool: Tool, forWhat: string, dropped: () => void) {
    super(tool);
    this.#forWhat = forWhat;
    this.#dropped = dropped;
  }

  override get computing(): boolean {
    return true;
  }

  override get cursor(): string {
    return "progress";
  }

  override get hints(): readonly Hint[] {
    return [
      { gesture: "Wait", does: this.#forWhat },
      { gesture: "Esc", does: "drop" },
    ];
  }

  override intend(intent: Intent): boolean {
    // There is nothing yet that could be finished.
    if (intent !== "complete") {
      this.tool.rest();
      this.#dropped();
    }
    return true;
  }

  /** A press means nothing here, so there is nothing of it to take back. */
  override interrupt(): void {}
}

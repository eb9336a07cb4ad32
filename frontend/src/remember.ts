/** What is still in hand on the next image, and after the page was closed. */

import type { Editor } from "./editor/editor";

const TOOL = "maskwright-tool";

/**
 * Tool and category, which hold for this window, and what the tools are set to,
 * which holds for the person. It goes from the image that leaves the stage to
 * the one that comes, also to one that was here before with something else in
 * hand; the browser's stores keep it for the next page.
 */
export class Remembered {
  readonly #categoryPlace: string;
  readonly #optionsPlace: string;
  #tool: string;
  #category: string | null;
  #options: string;
  #follow: readonly (() => void)[] = [];

  constructor(datasetId: number, userId: number) {
    this.#categoryPlace = `maskwright-category-${datasetId}`;
    this.#optionsPlace = `maskwright-tool-options-${userId}`;
    this.#tool = sessionStorage.getItem(TOOL) ?? "";
    this.#category = sessionStorage.getItem(this.#categoryPlace);
    this.#options = localStorage.getItem(this.#optionsPlace) ?? "{}";
  }

  /** The editor comes on the stage. What it chooses from now on is what is in hand. */
  handTo(editor: Editor): void {
    for (const stop of this.#follow) stop();
    if (this.#category) editor.chooseCategory(Number(this.#category));
    editor.hand.choose(this.#tool);
    this.#restore(editor);
    this.#follow = [
      editor.signal.on(["category"], () => this.#keepCategory(editor)),
      editor.signal.on(["tool"], () => this.#keepTool(editor)),
    ];
  }

  #restore({ options }: Editor): void {
    try {
      options.restore(JSON.parse(this.#options));
    } catch {
      // Whoever wrote something else there: the tools begin as they were made.
      this.#options = "{}";
    }
  }

  #keepCategory({ categoryId }: Editor): void {
    this.#category = String(categoryId);
    sessionStorage.setItem(this.#categoryPlace, this.#category);
  }

  /** The signal comes with every movement of the pointer; the stores are slow. */
  #keepTool({ hand, options }: Editor): void {
    if (hand.toolId !== this.#tool) {
      this.#tool = hand.toolId;
      sessionStorage.setItem(TOOL, this.#tool);
    }
    const chosen = JSON.stringify(options.chosen);
    if (chosen === this.#options) return;
    this.#options = chosen;
    localStorage.setItem(this.#optionsPlace, chosen);
  }
}

/** What is still in hand on the next image, and after the page was closed. */

import { readDisplay, type Display } from "./editor/display";
import type { Editor } from "./editor/editor";
import { noteSeen } from "./seen-image";

const TOOL = "maskwright-tool";

/**
 * Tool and category, which hold for this window, and what the tools are set to
 * and how the picture is shown, which hold for the person. It goes from the image that leaves the stage to
 * the one that comes, also to one that was here before with something else in
 * hand; the browser's stores keep it for the next page.
 */
export class Remembered {
  readonly #datasetId: number;
  readonly #categoryPlace: string;
  readonly #optionsPlace: string;
  readonly #displayPlace: string;
  #tool: string;
  #category: string | null;
  #options: string;
  #display: Display;
  #follow: readonly (() => void)[] = [];

  constructor(datasetId: number, userId: number) {
    this.#datasetId = datasetId;
    this.#categoryPlace = `maskwright-category-${datasetId}`;
    this.#optionsPlace = `maskwright-tool-options-${userId}`;
    this.#tool = sessionStorage.getItem(TOOL) ?? "";
    this.#category = sessionStorage.getItem(this.#categoryPlace);
    this.#options = localStorage.getItem(this.#optionsPlace) ?? "{}";
    this.#displayPlace = `maskwright-display-${userId}`;
    this.#display = readDisplay(parsed(localStorage.getItem(this.#displayPlace)));
  }

  /** The editor comes on the stage. What it chooses from now on is what is in hand. */
  handTo(editor: Editor): void {
    for (const stop of this.#follow) stop();
    noteSeen(this.#datasetId, editor.image.id);
    if (this.#category) editor.chooseCategory(Number(this.#category));
    editor.hand.choose(this.#tool);
    this.#restore(editor);
    editor.setDisplay(this.#display);
    this.#follow = [
      editor.signal.on(["category"], () => this.#keepCategory(editor)),
      editor.signal.on(["tool"], () => this.#keepTool(editor)),
      editor.signal.on(["view"], () => this.#keepDisplay(editor)),
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

  #keepDisplay({ view }: Editor): void {
    if (view.display === this.#display) return;
    this.#display = view.display;
    localStorage.setItem(this.#displayPlace, JSON.stringify(this.#display));
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

/** Null for what is no JSON: whoever wrote something else there begins anew. */
function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}

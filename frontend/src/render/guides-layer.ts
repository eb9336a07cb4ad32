/** Lines for the eye: the crosshair through the pointer, and the borders of single pixels. */

import type { Editor } from "../editor/editor";
import { toScreen } from "../geometry/camera";
import { setBlank, type Frame, type Layer } from "./layer";

/** From this zoom on single pixels have borders. */
const GRID_SCALE = 16;

export class GuidesLayer implements Layer {
  readonly canvas = part("stage-guides");
  readonly #editor: Editor;
  readonly #grid = part("stage-grid");
  readonly #across = part("stage-crosshair across");
  readonly #down = part("stage-crosshair down");

  constructor(editor: Editor) {
    this.#editor = editor;
    this.canvas.append(this.#grid, this.#across, this.#down);
  }

  draw(frame: Frame): void {
    this.#drawGrid(frame);
    const { pointerAt, view } = this.#editor;
    const at = view.display.crosshair && pointerAt ? toScreen(frame.camera, pointerAt) : null;
    for (const line of [this.#across, this.#down]) setBlank(line, !at);
    if (!at) return;
    this.#across.style.transform = `translateY(${Math.round(at.y)}px)`;
    this.#down.style.transform = `translateX(${Math.round(at.x)}px)`;
  }

  #drawGrid({ camera }: Frame): void {
    const { scale, x, y } = camera;
    if (setBlank(this.#grid, scale < GRID_SCALE)) return;
    const { width, height } = this.#editor.image;
    Object.assign(this.#grid.style, {
      transform: `translate(${x}px, ${y}px)`,
      width: `${width * scale}px`,
      height: `${height * scale}px`,
      backgroundSize: `${scale}px ${scale}px`,
    });
  }
}

function part(className: string): HTMLElement {
  const element = document.createElement("div");
  element.className = className;
  element.setAttribute("aria-hidden", "true");
  return element;
}

/** The borders of superpixels, drawn when they or the frame have changed. */

import type { Editor } from "../editor/editor";
import type { Superpixels } from "../geometry/superpixels";
import { clear, newCanvas, sameFrame, useImageSpace, type Frame, type Layer } from "./layer";

/** Light on dark is seen on every image, and hides little of it. */
const STROKES = [
  ["rgb(0 0 0 / 35%)", 2],
  ["rgb(255 255 255 / 70%)", 0.75],
] as const;

export class SuperpixelsLayer implements Layer {
  readonly canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #editor: Editor;
  #drawn: { superpixels: Superpixels | null; frame: Frame } | null = null;
  #path: { of: Superpixels; path: Path2D } | null = null;

  constructor(editor: Editor) {
    ({ canvas: this.canvas, context: this.#context } = newCanvas());
    this.#editor = editor;
  }

  draw(frame: Frame): void {
    const { superpixels } = this.#editor.hand.preview;
    if (!superpixels && !this.#drawn?.superpixels) return;
    if (this.#drawn?.superpixels === superpixels && sameFrame(this.#drawn.frame, frame)) return;
    this.#drawn = { superpixels, frame };
    clear(this.#context, frame);
    if (!superpixels) return;
    if (this.#path?.of !== superpixels) this.#path = { of: superpixels, path: borders(superpixels) };
    useImageSpace(this.#context, frame);
    for (const [color, width] of STROKES) {
      this.#context.strokeStyle = color;
      this.#context.lineWidth = width / frame.camera.scale;
      this.#context.stroke(this.#path.path);
    }
  }
}

/** Lines between cells of different superpixels, as long as they are straight. */
function borders({ left, top, side, across, down, labels }: Superpixels): Path2D {
  const path = new Path2D();
  const lines = (
    count: number,
    length: number,
    differ: (line: number, at: number) => boolean,
    draw: (line: number, from: number, to: number) => void,
  ): void => {
    for (let line = 1; line < count; line++) {
      let from = -1;
      for (let at = 0; at <= length; at++) {
        const border = at < length && differ(line, at);
        if (border && from < 0) from = at;
        else if (!border && from >= 0) {
          draw(line, from, at);
          from = -1;
        }
      }
    }
  };
  const label = (c: number, r: number): number => labels[r * across + c]!;
  lines(
    across,
    down,
    (c, r) => label(c - 1, r) !== label(c, r),
    (c, from, to) => {
      path.moveTo(left + c * side, top + from * side);
      path.lineTo(left + c * side, top + to * side);
    },
  );
  lines(
    down,
    across,
    (r, c) => label(c, r - 1) !== label(c, r),
    (r, from, to) => {
      path.moveTo(left + from * side, top + r * side);
      path.lineTo(left + to * side, top + r * side);
    },
  );
  return path;
}

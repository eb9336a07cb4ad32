/**
 * All shapes but those in hand, as a bitmap from the raster worker.
 *
 * While the worker draws, the browser's compositor moves the last bitmap with the
 * camera: nothing is painted on the main thread. At most one request is under way;
 * when its answer comes, the next is made if anything has changed since. It can be
 * drawn before it is on a stage, and stays as it is between two stages.
 */

import type { Editor } from "../editor/editor";
import { sameFrame, shiftBetween, type Frame, type Layer } from "./layer";
import { Mover } from "./mover";
import type { RasterAnswer } from "./raster-protocol";
import { MARGIN_CSS_PIXELS, ShapesLedger } from "./shapes-ledger";

export const frameOf = ({ camera, stage }: Editor): Frame => ({
  camera,
  size: stage,
  ratio: window.devicePixelRatio,
});

export class ShapesLayer implements Layer {
  readonly canvas = document.createElement("canvas");
  readonly ledger: ShapesLedger;
  readonly #context = this.canvas.getContext("bitmaprenderer")!;
  readonly #mover = new Mover(this.canvas);
  readonly #worker: Worker;
  /** Called when there is something new to show. */
  answered: () => void = () => undefined;
  /** Resolves when the first bitmap is there, or will never be. */
  readonly drawn: Promise<void>;
  #settle: () => void = () => undefined;
  /** Whether the last request failed. */
  #failed = false;
  /** Where the bitmap was put for which frame. */
  #placed: { readonly raster: Frame; readonly frame: Frame } | null = null;

  constructor(editor: Editor, worker: Worker) {
    this.canvas.className = "stage-shapes";
    this.canvas.setAttribute("aria-hidden", "true");
    this.ledger = new ShapesLedger(editor);
    this.#worker = worker;
    this.drawn = new Promise((resolve) => (this.#settle = resolve));
    worker.onmessage = ({ data }: MessageEvent<RasterAnswer>) => this.#receive(data);
    worker.onerror = () => this.#fail();
  }

  draw(frame: Frame): void {
    this.#ask(frame);
    const raster = this.ledger.frame;
    if (!raster || (this.#placed?.raster === raster && sameFrame(this.#placed.frame, frame))) return;
    this.#placed = { frame, raster };
    this.#mover.move(shiftBetween(raster, frame, MARGIN_CSS_PIXELS));
    this.canvas.dataset["drawn"] = "true";
  }

  destroy(): void {
    this.ledger.destroy();
    this.#worker.terminate();
    this.#settle();
    this.#mover.release();
    this.canvas.width = 0;
    this.canvas.height = 0;
  }

  #ask(frame: Frame): void {
    const request = this.ledger.request(frame);
    if (request) this.#worker.postMessage(request, [request.packed.numbers.buffer]);
  }

  /** It is asked again at once; where that fails, too, with the next frame that something else asks for. */
  #fail(): void {
    this.ledger.lost();
    this.#settle();
    const again = !this.#failed;
    this.#failed = true;
    if (again) this.answered();
  }

  #receive(answer: RasterAnswer): void {
    this.#failed = false;
    this.ledger.receive(answer);
    if (answer.bitmap) this.#show(answer.bitmap, this.ledger.frame!.ratio);
    this.#settle();
    this.answered();
  }

  #show(bitmap: ImageBitmap, ratio: number): void {
    const { width, height } = bitmap;
    if (this.canvas.width !== width || this.canvas.height !== height) {
      Object.assign(this.canvas, { width, height });
      this.canvas.style.width = `${width / ratio}px`;
      this.canvas.style.height = `${height / ratio}px`;
    }
    this.#context.transferFromImageBitmap(bitmap);
  }
}

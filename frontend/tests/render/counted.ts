/** A canvas that counts what it is asked to draw. */

import { vi } from "vitest";

import type { Context } from "../../src/render/layer";

export interface Drawn {
  /** Of all paths. */
  points: number;
  strokes: number;
  fills: number;
  /** How opaque each picture was that was drawn. */
  pictures: number[];
}

/** Takes the place of what a browser has for drawing, and counts from nothing. */
export function countedCanvas(scale: number): { context: Context; drawn: Drawn } {
  const drawn: Drawn = { points: 0, strokes: 0, fills: 0, pictures: [] };
  const nothing = (): void => undefined;
  const count = (): void => void (drawn.points += 1);
  vi.stubGlobal("Path2D", class {
    moveTo = count;
    lineTo = count;
    rect = nothing;
    closePath = nothing;
  });
  vi.stubGlobal("OffscreenCanvas", class {
    width = 0;
    height = 0;
    getContext = (): object => ({ clearRect: nothing, putImageData: nothing, fillRect: nothing });
  });
  vi.stubGlobal("ImageData", class {
    readonly data: Uint8ClampedArray;
    constructor(width: number, height: number) {
      this.data = new Uint8ClampedArray(4 * width * height);
    }
  });
  const context = {
    globalAlpha: 1,
    setLineDash: nothing,
    save: nothing,
    restore: nothing,
    clip: nothing,
    translate: nothing,
    stroke: () => (drawn.strokes += 1),
    fill: () => (drawn.fills += 1),
    drawImage() {
      drawn.pictures.push(this.globalAlpha);
    },
    getTransform: () => ({ a: scale, e: 0, f: 0 }),
  };
  return { context: context as unknown as Context, drawn };
}

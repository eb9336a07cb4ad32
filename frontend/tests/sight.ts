/** A picture for stories: what the worker would see, looked at in place. */

import { Eye, WholeImage, type Sight } from "../src/editor/sight";
import type { Decoded } from "../src/geometry/flood";

type Colour = readonly [number, number, number];

/** An image of the story's size, coloured pixel by pixel. */
export function picture(colour: (x: number, y: number) => Colour, width = 200, height = 100): Decoded {
  const data = new Uint8ClampedArray(4 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data.set([...colour(x, y), 255], 4 * (y * width + x));
  }
  return { width, height, data };
}

export function sightOf(image: Decoded): Sight {
  const eye = new Eye(new WholeImage(image));
  return {
    wake: () => undefined,
    flood: (flood) => eye.flood(flood),
    route: (from, to) => eye.route(from, to),
    superpixels: (part, spacing) => eye.superpixels(part, spacing),
  };
}

/** Until every answer that was asked for has arrived. */
export const answered = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

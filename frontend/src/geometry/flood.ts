/**
 * Pixels of one colour, give or take: around a place, or everywhere in the image.
 *
 * A pixel is like another when none of red, green and blue differs by more than
 * the threshold. What is compared with is the colour at the place itself, so that
 * a slow change of colour does not lead anywhere.
 */

import { Places, type Runs } from "./runs";

/** Decoded pixels, four bytes each, row by row. */
export interface Decoded {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

export interface Flood {
  readonly x: number;
  readonly y: number;
  /** From 0, the very same colour, to 255, all colours. */
  readonly threshold: number;
  /** Only what is joined to the place over the sides of pixels. */
  readonly contiguous: boolean;
}

export function flooded(image: Decoded, flood: Flood): Runs {
  const { width, height } = image;
  const set = new Uint8Array(width * height);
  const like = likeness(image, flood);
  if (flood.contiguous) spread(set, like, width, height, flood);
  else {
    for (let x = 0; x < width; x++) {
      for (let y = 0; y < height; y++) if (like(x, y)) set[x * height + y] = 1;
    }
  }
  return runsOfColumns(set);
}

type Like = (x: number, y: number) => boolean;

function likeness({ width, data }: Decoded, { x, y, threshold }: Flood): Like {
  const seed = 4 * (y * width + x);
  const [red, green, blue] = [data[seed]!, data[seed + 1]!, data[seed + 2]!];
  return (column, row) => {
    const at = 4 * (row * width + column);
    return (
      Math.abs(data[at]! - red) <= threshold &&
      Math.abs(data[at + 1]! - green) <= threshold &&
      Math.abs(data[at + 2]! - blue) <= threshold
    );
  };
}

/** Fills whole stretches of columns, and looks beside each for where others begin. */
function spread(set: Uint8Array, like: Like, width: number, height: number, { x, y }: Flood): void {
  const open = [x * height + y];
  while (open.length > 0) {
    const place = open.pop()!;
    if (set[place]) continue;
    const column = Math.floor(place / height);
    const start = column * height;
    let top = place - start;
    let bottom = top + 1;
    while (top > 0 && !set[start + top - 1] && like(column, top - 1)) top--;
    while (bottom < height && !set[start + bottom] && like(column, bottom)) bottom++;
    set.fill(1, start + top, start + bottom);
    for (const beside of [column - 1, column + 1]) {
      if (beside < 0 || beside >= width) continue;
      let joined = false;
      for (let row = top; row < bottom; row++) {
        const enters = !set[beside * height + row] && like(beside, row);
        if (enters && !joined) open.push(beside * height + row);
        joined = enters;
      }
    }
  }
}

/** The runs of pixels that lie column by column, 1 where they are set. */
function runsOfColumns(set: Uint8Array): Runs {
  const places = new Places();
  let at = set.indexOf(1);
  while (at >= 0) {
    const zero = set.indexOf(0, at);
    const end = zero < 0 ? set.length : zero;
    places.run(at, end);
    at = set.indexOf(1, end);
  }
  return places.taken();
}

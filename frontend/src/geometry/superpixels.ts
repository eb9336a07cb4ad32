/**
 * Superpixels by SLIC (Achanta et al., "SLIC Superpixels Compared to State-of-the-
 * Art Superpixel Methods", 2012): k-means in colour and place, where each centre
 * looks no further than twice the distance of the centres. Afterwards every
 * superpixel is one connected piece; small left-overs go to a neighbour.
 */

import type { Decoded } from "./flood";

/** Cells of a part of the image, row by row, each with the number of its superpixel. */
export interface Superpixels {
  /** In pixels of the image. */
  readonly left: number;
  readonly top: number;
  /** How many pixels of the image a cell is wide and high. */
  readonly side: number;
  readonly across: number;
  readonly down: number;
  readonly labels: Int32Array;
}

const ROUNDS = 5;
/** How much a distance counts against a difference in colour. */
const COMPACTNESS = 14;

/** The number of its superpixel for each pixel, row by row; `spacing` is their usual side. */
export function slic(image: Decoded, spacing: number): Int32Array {
  const lab = toLab(image);
  const labels = new Int32Array(image.width * image.height).fill(-1);
  let centres = grid(image, lab, spacing);
  for (let round = 0; round < ROUNDS; round++) {
    assign(image, lab, centres, spacing, labels);
    centres = means(image, lab, labels, centres);
  }
  return connected(labels, image.width, (spacing * spacing) / 4);
}

/** Five numbers for each centre: lightness, a, b, x, y. */
type Centres = Float32Array;

function grid({ width, height }: Decoded, lab: Float32Array, spacing: number): Centres {
  const across = Math.max(1, Math.round(width / spacing));
  const down = Math.max(1, Math.round(height / spacing));
  const centres = new Float32Array(5 * across * down);
  for (let i = 0; i < across * down; i++) {
    const x = Math.floor((((i % across) + 0.5) * width) / across);
    const y = Math.floor(((Math.floor(i / across) + 0.5) * height) / down);
    const at = 3 * (y * width + x);
    centres.set([lab[at]!, lab[at + 1]!, lab[at + 2]!, x, y], 5 * i);
  }
  return centres;
}

function assign({ width, height }: Decoded, lab: Float32Array, centres: Centres, spacing: number, labels: Int32Array): void {
  const nearest = new Float32Array(width * height).fill(Infinity);
  const weight = (COMPACTNESS / spacing) ** 2;
  const reach = Math.ceil(2 * spacing);
  for (let i = 0; 5 * i < centres.length; i++) {
    const [l, a, b, cx, cy] = centres.subarray(5 * i, 5 * i + 5) as unknown as [number, number, number, number, number];
    const right = Math.min(width - 1, Math.floor(cx) + reach);
    const bottom = Math.min(height - 1, Math.floor(cy) + reach);
    for (let y = Math.max(0, Math.floor(cy) - reach); y <= bottom; y++) {
      for (let x = Math.max(0, Math.floor(cx) - reach); x <= right; x++) {
        const pixel = y * width + x;
        const at = 3 * pixel;
        const [dl, da, db] = [lab[at]! - l, lab[at + 1]! - a, lab[at + 2]! - b];
        const away = dl * dl + da * da + db * db + weight * ((x - cx) * (x - cx) + (y - cy) * (y - cy));
        if (away >= nearest[pixel]!) continue;
        nearest[pixel] = away;
        labels[pixel] = i;
      }
    }
  }
}

function means({ width }: Decoded, lab: Float32Array, labels: Int32Array, before: Centres): Centres {
  const sums = new Float64Array(before.length);
  const counts = new Uint32Array(before.length / 5);
  labels.forEach((label, pixel) => {
    if (label < 0) return;
    counts[label]!++;
    sums[5 * label]! += lab[3 * pixel]!;
    sums[5 * label + 1]! += lab[3 * pixel + 1]!;
    sums[5 * label + 2]! += lab[3 * pixel + 2]!;
    sums[5 * label + 3]! += pixel % width;
    sums[5 * label + 4]! += Math.floor(pixel / width);
  });
  // A centre that won nothing stays where it is.
  return before.map((value, i) => {
    const count = counts[Math.floor(i / 5)]!;
    return count > 0 ? sums[i]! / count : value;
  });
}

/** Every connected piece gets a number of its own; one smaller than `least` that of a neighbour. */
function connected(labels: Int32Array, width: number, least: number): Int32Array {
  const found = new Int32Array(labels.length).fill(-1);
  const queue = new Int32Array(labels.length);
  let next = 0;
  for (let start = 0; start < labels.length; start++) {
    if (found[start]! >= 0) continue;
    let neighbour = -1;
    let end = 0;
    queue[end++] = start;
    found[start] = next;
    for (let i = 0; i < end; i++) {
      const pixel = queue[i]!;
      const x = pixel % width;
      const around = [x > 0 ? pixel - 1 : -1, x < width - 1 ? pixel + 1 : -1, pixel - width, pixel + width];
      for (const other of around) {
        if (other < 0 || other >= labels.length) continue;
        if (found[other]! >= 0 && found[other] !== next) neighbour = found[other]!;
        if (found[other]! >= 0 || labels[other] !== labels[start]) continue;
        found[other] = next;
        queue[end++] = other;
      }
    }
    if (end < least && neighbour >= 0) for (let i = 0; i < end; i++) found[queue[i]!] = neighbour;
    else next++;
  }
  return found;
}

const LINEAR = Float32Array.from({ length: 256 }, (_, value) => {
  const share = value / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
});

/** CIE L*a*b* of sRGB under D65, in which distances are how different colours look. */
function toLab({ data, width, height }: Decoded): Float32Array {
  const lab = new Float32Array(3 * width * height);
  const bend = (t: number): number => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const [r, g, b] = [LINEAR[data[4 * pixel]!]!, LINEAR[data[4 * pixel + 1]!]!, LINEAR[data[4 * pixel + 2]!]!];
    const x = bend((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
    const y = bend(0.2126 * r + 0.7152 * g + 0.0722 * b);
    const z = bend((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
    lab[3 * pixel] = 116 * y - 16;
    lab[3 * pixel + 1] = 500 * (x - y);
    lab[3 * pixel + 2] = 200 * (y - z);
  }
  return lab;
}

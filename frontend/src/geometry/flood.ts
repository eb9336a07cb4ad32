/**
 * Pixels of one colour, give or take: around a place, or everywhere in the image.
 *
 * A pixel is like another when none of red, green and blue differs by more than
 * the threshold. What is compared with is the colour at the place itself, so that
 * a slow change of colour does not lead anywhere.
 *
 * The image is looked at in blocks, and only where the colour leads. Of a block
 * that was looked at one bit a pixel is kept for what is like the place, and one
 * for what was reached, so that hundreds of megapixels fit into memory.
 */

import { firstSet, moveBits, runAround } from "./bits";
import { NO_PIXELS, Places, type Runs } from "./runs";

/** Decoded pixels, four bytes each, row by row. */
export interface Decoded {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

/** A place of the image, in whole pixels, and what is asked about it. */
export interface Flood {
  readonly x: number;
  readonly y: number;
  /** From 0, the very same colour, to 255, all colours. */
  readonly threshold: number;
  /** Only what is joined to the place over the sides of pixels. */
  readonly contiguous: boolean;
}

/** An image whose pixels come block by block. */
export interface Seen {
  readonly width: number;
  readonly height: number;
  /** How wide and high a block is. */
  readonly side: number;
  readonly look: (left: number, top: number, width: number, height: number) => Promise<Decoded>;
}

/** A browser keeps no more connections to one server busy. */
const AT_ONCE = 6;
/** Two bits of each are kept: 125 MB. */
const MOST_PIXELS = 500_000_000;
/** A mask of more runs could neither be shown nor saved. */
const MOST_RUNS = 2_000_000;

/** Empty when `goesOn` says no meanwhile. */
export async function flooded(image: Seen, flood: Flood, goesOn: () => boolean = () => true): Promise<Runs> {
  const blocks = new Blocks(image, await colourAt(image, flood), flood.threshold);
  const all = flood.contiguous ? spread(blocks, flood, goesOn) : everywhere(blocks, goesOn);
  return (await all) ? blocks.runs() : NO_PIXELS;
}

type Colour = readonly [number, number, number];

async function colourAt({ look }: Seen, { x, y }: Flood): Promise<Colour> {
  const { data } = await look(x, y, 1, 1);
  return [data[0]!, data[1]!, data[2]!];
}

/** Column by column, 32 rows in a word. */
interface Block {
  readonly width: number;
  readonly height: number;
  /** Words of a column. */
  readonly words: number;
  readonly like: Uint32Array;
  readonly reached: Uint32Array;
}

class Blocks {
  readonly across: number;
  readonly down: number;
  readonly side: number;
  readonly #image: Seen;
  readonly #colour: Colour;
  readonly #threshold: number;
  readonly #blocks = new Map<number, Block>();
  #pixels = 0;

  constructor(image: Seen, colour: Colour, threshold: number) {
    this.#image = image;
    this.#colour = colour;
    this.#threshold = threshold;
    this.side = image.side;
    this.across = Math.ceil(image.width / this.side);
    this.down = Math.ceil(image.height / this.side);
  }

  get(index: number): Block {
    return this.#blocks.get(index)!;
  }

  /** Looks at these, as far as that has not been done. */
  async load(indices: readonly number[]): Promise<void> {
    await Promise.all(indices.map((index) => this.#blocks.has(index) || this.#load(index)));
  }

  runs(): Runs {
    const { height, side } = this.#image;
    const places = new Places();
    let count = 0;
    for (let across = 0; across < this.across; across++) {
      const column = Array.from({ length: this.down }, (_, down) => this.#blocks.get(down * this.across + across));
      const width = Math.max(0, ...column.map((block) => block?.width ?? 0));
      for (let c = 0; c < width; c++) {
        column.forEach((block, down) => {
          if (!block) return;
          const start = (across * side + c) * height + down * side;
          const { reached } = block;
          const base = c * block.words;
          for (let row = firstSet(reached, base, 0, block.height); row < block.height; ) {
            const [, end] = runAround(reached, base, row, block.height);
            places.run(start + row, start + end);
            count++;
            row = firstSet(reached, base, end, block.height);
          }
        });
        if (count > MOST_RUNS) throw new Error("That colour is too ragged: more than two million pieces. Try another threshold.");
      }
    }
    return places.taken();
  }

  async #load(index: number): Promise<void> {
    const { side } = this;
    const [left, top] = [(index % this.across) * side, Math.floor(index / this.across) * side];
    const width = Math.min(side, this.#image.width - left);
    const height = Math.min(side, this.#image.height - top);
    this.#pixels += width * height;
    if (this.#pixels > MOST_PIXELS) throw new Error("That colour leads over more than 500 megapixels, which is too many.");
    const words = Math.ceil(height / 32);
    const like = likeness(await this.#image.look(left, top, width, height), this.#colour, this.#threshold, words);
    this.#blocks.set(index, { width, height, words, like, reached: new Uint32Array(like.length) });
  }
}

function likeness({ width, height, data }: Decoded, [red, green, blue]: Colour, threshold: number, words: number): Uint32Array {
  const like = new Uint32Array(width * words);
  for (let row = 0, at = 0; row < height; row++) {
    const word = row >>> 5;
    const bit = 1 << (row & 31);
    for (let column = 0; column < width; column++, at += 4) {
      const isLike =
        Math.abs(data[at]! - red) <= threshold &&
        Math.abs(data[at + 1]! - green) <= threshold &&
        Math.abs(data[at + 2]! - blue) <= threshold;
      if (isLike) like[column * words + word]! |= bit;
    }
  }
  return like;
}

/** False when it was ended before its time. */
async function everywhere(blocks: Blocks, goesOn: () => boolean): Promise<boolean> {
  for (let next = 0; next < blocks.across * blocks.down; next += AT_ONCE) {
    const last = Math.min(next + AT_ONCE, blocks.across * blocks.down);
    const indices = Array.from({ length: last - next }, (_, i) => next + i);
    await blocks.load(indices);
    if (!goesOn()) return false;
    for (const index of indices) blocks.get(index).reached.set(blocks.get(index).like);
  }
  return true;
}

/** Column, first row and the row after the last, one after the other: where a block may be entered. */
type Ways = number[];

/** False when it was ended before its time. */
async function spread(blocks: Blocks, { x, y }: Flood, goesOn: () => boolean): Promise<boolean> {
  const waiting = new Map<number, Ways>();
  const { side } = blocks;
  const enter = (across: number, down: number, ...way: readonly [number, number, number]): void => {
    if (across < 0 || down < 0 || across >= blocks.across || down >= blocks.down) return;
    const index = down * blocks.across + across;
    const ways = waiting.get(index);
    if (ways) ways.push(...way);
    else waiting.set(index, [...way]);
  };
  enter(Math.floor(x / side), Math.floor(y / side), x % side, y % side, (y % side) + 1);
  while (waiting.size > 0) {
    const indices = [...waiting.keys()].slice(0, AT_ONCE);
    await blocks.load(indices);
    if (!goesOn()) return false;
    for (const index of indices) {
      const ways = waiting.get(index)!;
      waiting.delete(index);
      const [across, down] = [index % blocks.across, Math.floor(index / blocks.across)];
      spreadWithin(blocks.get(index), ways, {
        left: (top, bottom) => enter(across - 1, down, side - 1, top, bottom),
        right: (top, bottom) => enter(across + 1, down, 0, top, bottom),
        above: (column) => enter(across, down - 1, column, side - 1, side),
        below: (column) => enter(across, down + 1, column, 0, 1),
      });
    }
  }
  return true;
}

/** What was reached at an edge, where the block beside it may go on. */
interface Edges {
  readonly left: (top: number, bottom: number) => void;
  readonly right: (top: number, bottom: number) => void;
  readonly above: (column: number) => void;
  readonly below: (column: number) => void;
}

/** Takes whole stretches of columns, and looks beside each for where others begin. */
function spreadWithin({ width, height, words, like, reached }: Block, ways: Ways, edges: Edges): void {
  while (ways.length > 0) {
    const last = ways.pop()!;
    const first = ways.pop()!;
    const column = ways.pop()!;
    const base = column * words;
    for (let row = firstSet(like, base, first, last); row < last; ) {
      const [top, bottom] = runAround(like, base, row, height);
      moveBits(like, reached, base, top, bottom);
      if (column > 0) ways.push(column - 1, top, bottom);
      else edges.left(top, bottom);
      if (column < width - 1) ways.push(column + 1, top, bottom);
      else edges.right(top, bottom);
      if (top === 0) edges.above(column);
      if (bottom === height) edges.below(column);
      row = firstSet(like, base, bottom, last);
    }
  }
}

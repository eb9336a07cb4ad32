/**
 * Stretches of bits, 32 in a word, the lowest first: what is asked about a column of pixels takes a
 * thirty-second of the steps. `base` is the word that the column begins in.
 */

type Bits = Uint32Array;

/** The first set bit from `from` on, or `end` where none comes before that. */
export function firstSet(bits: Bits, base: number, from: number, end: number): number {
  for (let at = from; at < end; at = (at | 31) + 1) {
    const word = bits[base + (at >>> 5)]! >>> (at & 31);
    if (word !== 0) return Math.min(end, at + lowestOf(word));
  }
  return end;
}

/** The stretch of set bits around a set one: its first, and the one after its last. */
export function runAround(bits: Bits, base: number, at: number, length: number): [number, number] {
  let end = at;
  while (end < length) {
    const left = 32 - (end & 31);
    const ones = lowestOf(~(bits[base + (end >>> 5)]! >>> (end & 31)));
    end += Math.min(ones, left);
    if (ones < left) break;
  }
  let start = at;
  while (start > 0) {
    const before = (start - 1) & 31;
    const ones = Math.clz32(~(bits[base + ((start - 1) >>> 5)]! << (31 - before)));
    start -= Math.min(ones, before + 1);
    if (ones < before + 1) break;
  }
  return [start, Math.min(end, length)];
}

/** Clears the bits in one column, and sets them in the other. */
export function moveBits(from: Bits, to: Bits, base: number, start: number, end: number): void {
  for (let at = start; at < end; at = (at | 31) + 1) {
    const count = Math.min(end - at, 32 - (at & 31));
    const mask = (count === 32 ? -1 : (1 << count) - 1) << (at & 31);
    const word = base + (at >>> 5);
    from[word]! &= ~mask;
    to[word]! |= mask;
  }
}

/** How many bits below the lowest set one are clear; 32 where none is set. */
const lowestOf = (word: number): number => (word === 0 ? 32 : 31 - Math.clz32(word & -word));

/**
 * Cutting outlines along a drawn line.
 *
 * The outlines are loops around a region: outer ones run one way and those of holes
 * the other way. Where the line crosses them it gets points, and each stretch of the
 * line between two crossings that lies inside is a cut. A cut from a loop to itself
 * makes two loops of it, a cut between two loops makes them one. A cut that in the
 * end has the same loop on either side separates nothing, and is left out.
 */

import { regionArea, type Part } from "./clipping";
import { distance, imagePoint, type ImagePoint } from "./point";
import { insideRing, ringArea, signedArea, type Ring } from "./ring";

/** The parts on either side of the line, and those that it does not reach. */
export interface Halves {
  readonly left: readonly Part[];
  readonly right: readonly Part[];
  readonly rest: readonly Part[];
}

interface Node {
  readonly x: number;
  readonly y: number;
  /** Its place among all that were there; Infinity for a new point. */
  readonly order: number;
  /** Its outline came in running the other way. */
  readonly reversed: boolean;
  /** The number of the crossing here, or -1. */
  crossing: number;
  /** The cut that the edge from here on runs along, counted from 1; negative against the line, 0 for none. */
  readonly cut: number;
}

type Loop = readonly Node[];

interface Crossing {
  readonly loop: number;
  readonly edge: number;
  /** How far along the edge, from 0 to 1. */
  readonly along: number;
  /** How far along the line, in segments of it. */
  readonly onLine: number;
  readonly at: ImagePoint;
}

interface Cut {
  readonly from: number;
  readonly to: number;
  readonly between: readonly ImagePoint[];
}

/** New points lie in these parts of a pixel, as all computed ones do. */
const UNITS_PER_PIXEL = 10_000;
/** Orders of one outline stay below those of the next. */
const MOST_POINTS = 1e8;
const rounded = (value: number): number => Math.round(value * UNITS_PER_PIXEL) / UNITS_PER_PIXEL;

/**
 * Null when the line separates nothing, and when it runs along the outline or back
 * on itself, so that there is no telling which side is which.
 */
export function slice(parts: readonly Part[], line: readonly ImagePoint[]): Halves | null {
  const outers = parts.map(({ outer }) => outer);
  const rings = [...outers, ...parts.flatMap(({ holes }) => holes)];
  const loops = rings.map((ring, i) => toLoop(ring, i * MOST_POINTS, i < outers.length ? 1 : -1));
  const crossings = crossingsOf(loops, line);
  const marked = loops.map((loop, i) => withCrossings(loop, i, crossings));
  let cuts = cutsOf(crossings, rings, line);
  for (;;) {
    if (cuts.length === 0) return null;
    const pieces = cuts.reduce((all, cut, i) => applied(all, cut, i + 1), marked);
    const idle = cuts.filter((_, i) => loopWith(pieces, i + 1) === loopWith(pieces, -(i + 1)));
    if (idle.length === 0) {
      const found = halves(pieces, cuts.length);
      return isPartition(found, parts, line) ? found : null;
    }
    cuts = cuts.filter((cut) => !idle.includes(cut));
  }
}

/** Whether the halves cover what was there, each spot once. */
function isPartition({ left, right, rest }: Halves, parts: readonly Part[], line: readonly ImagePoint[]): boolean {
  const areaOf = (some: readonly Part[]): number =>
    regionArea({ rings: some.map(({ outer }) => outer), holes: some.flatMap(({ holes }) => holes) });
  const length = line.reduce((sum, point, i) => sum + (i > 0 ? distance(line[i - 1]!, point) : 0), 0);
  const off = areaOf(left) + areaOf(right) + areaOf(rest) - areaOf(parts);
  return Math.abs(off) <= 0.01 + length / 1000;
}

/** The ring as a loop that runs the way that is asked for. */
function toLoop(ring: Ring, first: number, sign: 1 | -1): Loop {
  const reversed = Math.sign(signedArea(ring)) === -sign;
  const nodes = Array.from({ length: ring.length >> 1 }, (_, i) => ({
    x: ring[2 * i]!,
    y: ring[2 * i + 1]!,
    order: first + i,
    reversed,
    crossing: -1,
    cut: 0,
  }));
  return reversed ? nodes.reverse() : nodes;
}

/** In the order along the line. A point exactly on the line counts as left of it. */
function crossingsOf(loops: readonly Loop[], line: readonly ImagePoint[]): Crossing[] {
  const found: Crossing[] = [];
  for (let k = 0; k + 1 < line.length; k++) {
    const [p, q] = [line[k]!, line[k + 1]!];
    const side = (x: number, y: number): number => (q.x - p.x) * (y - p.y) - (q.y - p.y) * (x - p.x);
    loops.forEach((loop, index) => {
      loop.forEach((a, edge) => {
        const b = loop[(edge + 1) % loop.length]!;
        const [sa, sb] = [side(a.x, a.y), side(b.x, b.y)];
        if (sa >= 0 === sb >= 0) return;
        const along = sa / (sa - sb);
        const [x, y] = [a.x + along * (b.x - a.x), a.y + along * (b.y - a.y)];
        const [dx, dy] = [q.x - p.x, q.y - p.y];
        const t = ((x - p.x) * dx + (y - p.y) * dy) / (dx * dx + dy * dy);
        if (t < 0 || t >= 1) return;
        found.push({ loop: index, edge, along, onLine: k + t, at: imagePoint(rounded(x), rounded(y)) });
      });
    });
  }
  return found.sort((a, b) => a.onLine - b.onLine);
}

/** The loop with a node for each crossing; one that falls on a vertex is that vertex. */
function withCrossings(loop: Loop, index: number, crossings: readonly Crossing[]): Loop {
  const own = crossings
    .map((crossing, id) => ({ ...crossing, id }))
    .filter((crossing) => crossing.loop === index)
    .sort((a, b) => a.along - b.along);
  const marked = loop.map((node) => ({ ...node }));
  return marked.flatMap((node, edge) => {
    const added: Node[] = [];
    for (const { id, at } of own.filter((one) => one.edge === edge)) {
      const next = marked[(edge + 1) % marked.length]!;
      const vertex = [node, next].find(({ x, y, crossing }) => x === at.x && y === at.y && crossing < 0);
      if (vertex) vertex.crossing = id;
      else added.push({ x: at.x, y: at.y, order: Infinity, reversed: false, crossing: id, cut: 0 });
    }
    return [node, ...added];
  });
}

function cutsOf(crossings: readonly Crossing[], loops: readonly Ring[], line: readonly ImagePoint[]): Cut[] {
  const cuts: Cut[] = [];
  for (let i = 0; i + 1 < crossings.length; i++) {
    const [a, b] = [crossings[i]!, crossings[i + 1]!];
    const between = line.slice(Math.floor(a.onLine) + 1, Math.floor(b.onLine) + 1);
    const next = between[0] ?? b.at;
    const middle = imagePoint((a.at.x + next.x) / 2, (a.at.y + next.y) / 2);
    const inside = loops.filter((ring) => insideRing(ring, middle)).length % 2 === 1;
    if (inside) cuts.push({ from: i, to: i + 1, between });
  }
  return cuts;
}

function applied(loops: readonly Loop[], { from, to, between }: Cut, number: number): Loop[] {
  const along = between.map(({ x, y }) => ({ x, y, order: Infinity, reversed: false, crossing: -1, cut: number }));
  const back = [...along].reverse().map((node) => ({ ...node, cut: -number }));
  const first = loops.find((loop) => loop.some(({ crossing }) => crossing === from))!;
  const second = loops.find((loop) => loop.some(({ crossing }) => crossing === to))!;
  const others = loops.filter((loop) => loop !== first && loop !== second);
  const a = startingAt(first, from);
  if (first === second) {
    const end = a.findIndex(({ crossing }) => crossing === to);
    const [ahead, rest] = [a.slice(0, end + 1), a.slice(end)];
    return [
      ...others,
      // To the end of the cut along the loop and back along the cut; and the other way round.
      [...ahead.slice(0, -1), { ...ahead.at(-1)!, cut: -number }, ...back],
      [...rest, { ...a[0]!, cut: number }, ...along],
    ];
  }
  const b = startingAt(second, to);
  const seam = [...a, { ...a[0]!, crossing: -1, cut: number }, ...along, ...b, { ...b[0]!, crossing: -1, cut: -number }, ...back];
  return [...others, seam];
}

function startingAt(loop: Loop, crossing: number): Loop {
  const start = loop.findIndex((node) => node.crossing === crossing);
  return [...loop.slice(start), ...loop.slice(0, start)];
}

const loopWith = (loops: readonly Loop[], cut: number): number =>
  loops.findIndex((loop) => loop.some((node) => node.cut === cut));

interface Piece {
  readonly ring: Ring;
  readonly hole: boolean;
  /** A point of the outline that lies on no cut, if there is one. */
  readonly probe: ImagePoint;
}

/** Parts on either side of a cut go to different sides, as far as that can be. */
function halves(loops: readonly Loop[], cuts: number): Halves {
  const pieces = loops.map(toPiece);
  const partOf = pieces.map((piece, i) => (piece.hole ? partAround(piece, pieces) : i));
  const sides = new Map<number, boolean>();
  for (let cut = 1; cut <= cuts; cut++) {
    const along = partOf[loopWith(loops, cut)]!;
    const against = partOf[loopWith(loops, -cut)]!;
    const side = sides.get(along) ?? !(sides.get(against) ?? true);
    if (!sides.has(along)) sides.set(along, side);
    if (!sides.has(against)) sides.set(against, !side);
  }
  const on = (side: boolean | undefined): Part[] =>
    pieces.flatMap(({ ring, hole }, i) => {
      if (hole || sides.get(i) !== side) return [];
      const holes = pieces.filter((other, j) => other.hole && partOf[j] === i);
      return [{ outer: ring, holes: holes.map((other) => other.ring) }];
    });
  return { left: on(true), right: on(false), rest: on(undefined) };
}

function partAround({ probe }: Piece, pieces: readonly Piece[]): number {
  let best = -1;
  pieces.forEach(({ ring, hole }, i) => {
    if (hole || !insideRing(ring, probe)) return;
    if (best < 0 || ringArea(ring) < ringArea(pieces[best]!.ring)) best = i;
  });
  return best;
}

/** Begins with the first point that was there, and runs as its outline ran. */
function toPiece(loop: Loop): Piece {
  const first = loop.reduce((best, node, i) => (node.order < loop[best]!.order ? i : best), 0);
  const turned = [...loop.slice(first), ...loop.slice(0, first)];
  if (loop[first]!.reversed) turned.push(...turned.splice(1).reverse());
  const { x, y } = loop.find(({ crossing, cut }) => crossing < 0 && cut === 0) ?? loop[0]!;
  return {
    ring: turned.flatMap((node) => [node.x, node.y]),
    hole: signedArea(loop.flatMap((node) => [node.x, node.y])) < 0,
    probe: imagePoint(x, y),
  };
}

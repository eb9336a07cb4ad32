/**
 * The union and the difference of outlines, computed by Clipper2 on whole numbers.
 *
 * A region is what COCO polygons with holes cover: the union of its rings, each
 * filled by the even-odd rule, less the union of its holes. Coordinates are
 * rounded to units of 1/10,000 px for the computation, and Clipper2 is exact on
 * those. Its answer is then read back: every vertex that was there before has
 * its own numbers again, to the last digit, rings begin where they began and run
 * the way they ran (`outlines.ts`). Only crossings are new points.
 */

import { Clipper64, ClipType, FillRule, PolyTree64, type Path64, type PolyPath64 } from "clipper2-ts";

import { ringsMeet } from "./meeting";
import { cleaned, OutlineReader, toPath } from "./outlines";
import { ringArea, type Ring } from "./ring";

export interface Region {
  readonly rings: readonly Ring[];
  readonly holes: readonly Ring[];
}

export type Operation = "add" | "subtract";

/** One connected part of a region, with the holes in it. */
export interface Part {
  readonly outer: Ring;
  readonly holes: readonly Ring[];
}

/**
 * `base` with `other` added to it or subtracted from it. Rings of `base` that
 * `other` does not meet come back as they are, the very same objects.
 */
export function combine(base: Region, other: Region, operation: Operation): Region {
  const near = (ring: Ring): boolean => other.rings.some((one) => ringsMeet(ring, one));
  const holes = base.holes.filter(near);
  // A touched hole is computed anew, and with it whatever it cuts.
  const cutBy = (ring: Ring): boolean => holes.some((hole) => ringsMeet(ring, hole));
  let touched: Region = { rings: base.rings.filter((ring) => near(ring) || cutBy(ring)), holes };
  if (touched.rings.length + touched.holes.length === 0) {
    if (operation === "subtract") return base;
    return { rings: [...base.rings, ...other.rings], holes: [...base.holes, ...other.holes] };
  }
  for (;;) {
    const result = ordered(base, touched, other, operation);
    // A hole that came of a ring's own windings must not cut what lies beside that ring.
    const cut = base.rings.filter(
      (ring) => !touched.rings.includes(ring) && result.fresh.some((hole) => ringsMeet(ring, hole)),
    );
    if (cut.length === 0) return result;
    touched = { rings: [...touched.rings, ...cut], holes };
  }
}

/** A region taken apart into connected parts that do not overlap. */
export function partsOf({ rings, holes }: Region): Part[] {
  const reader = new OutlineReader([...rings, ...holes]);
  const tree = treeOf(ClipType.Difference, covered(rings), covered(holes));
  return children(tree).flatMap((outer) => partsUnder(outer, reader));
}

function partsUnder(outer: PolyPath64, reader: OutlineReader): Part[] {
  const holes = children(outer);
  const ring = reader.read(outer.poly!).ring;
  const inner = holes.flatMap(children).flatMap((island) => partsUnder(island, reader));
  return [{ outer: ring, holes: holes.map((hole) => reader.read(hole.poly!).ring) }, ...inner];
}

interface Ordered extends Region {
  /** The holes that the operation computed. */
  readonly fresh: readonly Ring[];
}

/** The result with everything at the place that it had in `base`; what is new comes last. */
function ordered(base: Region, touched: Region, other: Region, operation: Operation): Ordered {
  const reader = new OutlineReader([...touched.rings, ...touched.holes, ...other.rings, ...other.holes]);
  const here = normal(touched);
  const there = normal(other);
  const tree = treeOf(operation === "add" ? ClipType.Union : ClipType.Difference, here, there);
  const rings = new Places(base.rings, touched.rings);
  const holes = new Places(base.holes, touched.holes);
  for (const outer of children(tree)) {
    rings.put(reader.read(outer.poly!));
    for (const hole of children(outer)) {
      const { source, ring } = reader.read(hole.poly!);
      holes.put({ source, ring: withIslands(ring, children(hole), reader) });
    }
  }
  return { rings: rings.list, holes: holes.list, fresh: holes.fresh };
}

class Places {
  readonly #base: readonly Ring[];
  readonly #placed: { readonly at: number; readonly ring: Ring }[];
  readonly fresh: Ring[] = [];

  constructor(base: readonly Ring[], touched: readonly Ring[]) {
    this.#base = base;
    this.#placed = base.flatMap((ring, at) => (touched.includes(ring) ? [] : [{ at, ring }]));
  }

  put({ source, ring }: { source: Ring | null; ring: Ring }): void {
    const at = source ? this.#base.indexOf(source) : -1;
    this.#placed.push({ at: at < 0 ? this.#base.length : at, ring });
    this.fresh.push(ring);
  }

  get list(): readonly Ring[] {
    return [...this.#placed].sort((a, b) => a.at - b.at).map(({ ring }) => ring);
  }
}

/**
 * The hole with the islands in it, which are no hole, and the holes of those: one
 * ring that goes out and back along seams. By the even-odd rule it covers what it should.
 */
function withIslands(hole: Ring, islands: readonly PolyPath64[], reader: OutlineReader): Ring {
  return islands.reduce((joined, island) => {
    const ring = withIslands(reader.read(island.poly!).ring, children(island), reader);
    return seamed(joined, ring);
  }, hole);
}

/** Two rings as one, joined there and back between their nearest vertices. */
function seamed(ring: Ring, other: Ring): Ring {
  let best = { i: 0, j: 0, away: Infinity };
  for (let i = 0; i < ring.length; i += 2) {
    for (let j = 0; j < other.length; j += 2) {
      const away = Math.hypot(ring[i]! - other[j]!, ring[i + 1]! - other[j + 1]!);
      if (away < best.away) best = { i, j, away };
    }
  }
  const { i, j } = best;
  const around = [...other.slice(j), ...other.slice(0, j + 2)];
  return [...ring.slice(0, i + 2), ...around, ...ring.slice(i)];
}

const children = (node: PolyPath64): PolyPath64[] =>
  Array.from({ length: node.count }, (_, i) => node.child(i));

/** What the region covers, as rings that do not overlap. */
function normal({ rings, holes }: Region): Path64[] {
  const inside = covered(rings);
  return holes.length === 0 ? inside : pathsOf(ClipType.Difference, inside, covered(holes));
}

function covered(rings: readonly Ring[]): Path64[] {
  const each = rings.map((ring) => pathsOf(ClipType.Union, [cleaned(toPath(ring))], [], FillRule.EvenOdd));
  return each.length === 1 ? each[0]! : pathsOf(ClipType.Union, each.flat(), []);
}

function pathsOf(type: ClipType, subject: Path64[], clip: Path64[], fill = FillRule.NonZero): Path64[] {
  const paths: Path64[] = [];
  clipper(subject, clip).execute(type, fill, paths);
  return paths;
}

function treeOf(type: ClipType, subject: Path64[], clip: Path64[]): PolyTree64 {
  const tree = new PolyTree64();
  clipper(subject, clip).execute(type, FillRule.NonZero, tree);
  return tree;
}

function clipper(subject: Path64[], clip: Path64[]): Clipper64 {
  const engine = new Clipper64();
  // With collinear points kept, Clipper2 does not always come to an end; the reader restores them.
  engine.preserveCollinear = false;
  // It takes offence at rings without points.
  engine.addSubject(subject.filter((path) => path.length > 0));
  engine.addClip(clip.filter((path) => path.length > 0));
  return engine;
}

/** In square pixels, whatever overlaps. */
export function regionArea(region: Region): number {
  const parts = partsOf(region);
  return parts.reduce((sum, { outer, holes }) => sum + ringArea(outer) - holes.reduce((s, h) => s + ringArea(h), 0), 0);
}

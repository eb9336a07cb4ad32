/**
 * From rings to Clipper2's whole numbers, and back to the numbers that were there.
 *
 * Clipper2 gives rings that begin anywhere, run either way, and have lost
 * repeated points. The reader knows the rings that went in. It finds each vertex
 * among theirs, turns the ring so that it begins and runs like the one that most
 * of it came from, and puts back the points that lie on an edge between two
 * neighbours. What is found nowhere is a crossing, and is new.
 */

import type { Path64, Point64 } from "clipper2-ts";

import { type Ring } from "./ring";

/** A crossing is off by one unit at most; pixels are drawn in fifths. */
const UNITS_PER_PIXEL = 10_000;
/** How far off its edge, in units, a point may be and still lie on it. */
const ON_EDGE = 1.5;

interface Source {
  readonly ring: Ring;
  readonly index: number;
}

interface Found {
  readonly point: Point64;
  readonly sources: readonly Source[];
}

export interface Reading {
  readonly ring: Ring;
  /** The ring that most of it came from, or null. */
  readonly source: Ring | null;
}

const unit = (value: number): number => Math.round(value * UNITS_PER_PIXEL);
const keyOf = ({ x, y }: Point64): string => `${x},${y}`;

export function toPath(ring: Ring): Path64 {
  const path: Path64 = [];
  for (let i = 0; i + 1 < ring.length; i += 2) path.push({ x: unit(ring[i]!), y: unit(ring[i + 1]!) });
  return path;
}

/** Without repeated points, points on a straight line, and lines that go out and straight back. */
export function cleaned(path: Path64): Path64 {
  const kept: Path64 = [];
  const settle = (): void => {
    while (kept.length >= 3 && inLine(kept.at(-3)!, kept.at(-2)!, kept.at(-1)!)) kept.splice(-2, 1);
    if (kept.length === 2 && keyOf(kept[0]!) === keyOf(kept[1]!)) kept.pop();
  };
  for (const point of path) {
    kept.push(point);
    settle();
  }
  for (;;) {
    if (kept.length < 3) return [];
    if (inLine(kept.at(-2)!, kept.at(-1)!, kept[0]!)) kept.pop();
    else if (inLine(kept.at(-1)!, kept[0]!, kept[1]!)) kept.shift();
    else return kept;
  }
}

const inLine = (a: Point64, b: Point64, c: Point64): boolean =>
  (b.x - a.x) * (c.y - b.y) === (b.y - a.y) * (c.x - b.x);

export class OutlineReader {
  readonly #rings: readonly Ring[];
  readonly #sources = new Map<string, Source[]>();
  readonly #paths = new Map<Ring, Path64>();
  /** Vertices at which a ring goes straight on, which Clipper2 leaves out. */
  readonly #straight: Source[] = [];

  /** The rings that went in; of two at the same place the earlier one's numbers are kept. */
  constructor(rings: readonly Ring[]) {
    this.#rings = rings;
    for (const ring of rings) {
      const path = toPath(ring);
      this.#paths.set(ring, path);
      path.forEach((point, index) => {
        const key = keyOf(point);
        const list = this.#sources.get(key);
        if (list) list.push({ ring, index });
        else this.#sources.set(key, [{ ring, index }]);
        const [before, after] = [path.at(index - 1)!, path[(index + 1) % path.length]!];
        if (onEdge(point, before, after)) this.#straight.push({ ring, index });
      });
    }
  }

  read(path: Path64): Reading {
    const found = withoutIdle(path.map((point) => ({ point, sources: this.#sources.get(keyOf(point)) ?? [] })));
    const source = this.#mainSource(found);
    if (!source) return { ring: this.#numbers(found), source };
    const ring = this.#numbers(turned(found, source));
    return { ring: same(ring, source) ? source : ring, source };
  }

  #mainSource(found: readonly Found[]): Ring | null {
    const counts = new Map<Ring, number>();
    for (const { sources } of found) {
      for (const ring of new Set(sources.map((one) => one.ring))) counts.set(ring, (counts.get(ring) ?? 0) + 1);
    }
    let best: Ring | null = null;
    for (const ring of this.#rings) {
      if ((counts.get(ring) ?? 0) > (best ? counts.get(best)! : 0)) best = ring;
    }
    return best;
  }

  #numbers(found: readonly Found[]): Ring {
    const chosen: (Source | null)[] = [];
    for (const { sources } of found) chosen.push(nearestAfter(chosen.at(-1) ?? null, sources));
    return found.flatMap(({ point }, i) => {
      const [from, to] = [chosen[i]!, chosen[(i + 1) % found.length]!];
      const own = from ? coordinates(from) : [point.x / UNITS_PER_PIXEL, point.y / UNITS_PER_PIXEL];
      const passed = this.#passed(from, to) ?? this.#onTheWay(point, found[(i + 1) % found.length]!.point);
      return [...own, ...passed.flatMap(coordinates)];
    });
  }

  /** What lies between two vertices of a ring, when all of it is on the straight line. */
  #passed(from: Source | null, to: Source | null): Source[] | null {
    if (!from || !to || from.ring !== to.ring || from.index === to.index) return null;
    const path = this.#paths.get(from.ring)!;
    const n = path.length;
    for (const step of [1, n - 1]) {
      const passed: Source[] = [];
      let at = (from.index + step) % n;
      while (at !== to.index && onEdge(path[at]!, path[from.index]!, path[to.index]!)) {
        passed.push({ ring: from.ring, index: at });
        at = (at + step) % n;
      }
      if (at === to.index) return passed;
    }
    return null;
  }

  #onTheWay(from: Point64, to: Point64): Source[] {
    const place = ({ ring, index }: Source): Point64 => this.#paths.get(ring)![index]!;
    const away = (one: Source): number => Math.hypot(place(one).x - from.x, place(one).y - from.y);
    const ends = [keyOf(from), keyOf(to)];
    return this.#straight
      .filter((one) => !ends.includes(keyOf(place(one))) && onEdge(place(one), from, to))
      .sort((a, b) => away(a) - away(b));
  }
}

const coordinates = ({ ring, index }: Source): [number, number] => [ring[2 * index]!, ring[2 * index + 1]!];

/** Of the vertices at one place the one that comes next on the ring that the last one was on. */
function nearestAfter(last: Source | null, sources: readonly Source[]): Source | null {
  const along = last ? sources.filter(({ ring }) => ring === last.ring) : [];
  if (!last || along.length === 0) return sources[0] ?? null;
  const n = last.ring.length / 2;
  const away = ({ index }: Source): number => {
    const forward = (index - last.index + n) % n;
    return Math.min(forward, n - forward);
  };
  return along.reduce((best, one) => (away(one) < away(best) ? one : best));
}

/** Without crossings at which the ring just goes on. */
function withoutIdle(found: readonly Found[]): Found[] {
  const kept: Found[] = [];
  found.forEach((one, i) => {
    const before = kept.at(-1) ?? found.at(-1)!;
    const after = found[(i + 1) % found.length]!;
    if (one.sources.length > 0 || !onEdge(one.point, before.point, after.point)) kept.push(one);
  });
  return kept;
}

/** Begins and runs like the source. */
function turned(found: readonly Found[], source: Ring): Found[] {
  const n = source.length / 2;
  const indexOf = ({ sources }: Found): number => sources.find(({ ring }) => ring === source)?.index ?? -1;
  let forward = 0;
  found.forEach((one, i) => {
    const [from, to] = [indexOf(one), indexOf(found[(i + 1) % found.length]!)];
    if (from < 0 || to < 0 || from === to) return;
    forward += (to - from + n) % n <= n / 2 ? 1 : -1;
  });
  const run = forward < 0 ? [...found].reverse() : [...found];
  let start = -1;
  run.forEach((one, i) => {
    const index = indexOf(one);
    if (index >= 0 && (start < 0 || index < indexOf(run[start]!))) start = i;
  });
  return [...run.slice(start), ...run.slice(0, start)];
}

function onEdge(p: Point64, a: Point64, b: Point64): boolean {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const length = Math.hypot(dx, dy);
  if (length === 0) return p.x === a.x && p.y === a.y;
  const along = ((p.x - a.x) * dx + (p.y - a.y) * dy) / length;
  const off = Math.abs((p.x - a.x) * dy - (p.y - a.y) * dx) / length;
  return off <= ON_EDGE && along >= 0 && along <= length;
}

const same = (a: Ring, b: Ring): boolean => a.length === b.length && a.every((value, i) => value === b[i]);

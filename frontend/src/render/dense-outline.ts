/**
 * Draws an outline of very many points at a cost that the screen sets: what cannot be told apart is drawn once,
 * what is out of sight not at all, and where lines would lie over each other only the tint of the area shows them.
 */

import { boundsOfNumbers, grown, type Bounds } from "../geometry/bounds";
import { Crowding, type Crowds } from "../geometry/crowding";
import { insideCells } from "../geometry/parity";
import { apart, ringsBounds } from "../geometry/ring";
import { eachEdgeWithin, filledAlike, thinned, type Points } from "../geometry/thinned";
import type { Outline } from "../shapes/shape";
import { common, CROWDED, fillCells, SQUARE_CSS_PIXELS, TINT } from "./cells";
import type { Context } from "./layer";
import type { Shown, Style } from "./paint";
import { addRings, everywhereBut, strokePaths } from "./paths";

/** Points of an outline that lie closer on the screen are drawn as one, in device pixels. */
const TOLERANCE = 0.5;
/** Strokes are drawn in pieces of so many points, which takes a third of the time. */
const PIECE = 50;
/** With more edges side by side, on average, a browser takes long to fill. */
const MOST_ABREAST = 200;
/** What strokes and their corners need around what is seen, in CSS pixels. */
const REACH = 8;
/** So many cells are filled at once at most where edges are very many: then some columns share one. */
const MOST_CROSSINGS = 10_000_000;

interface Area {
  readonly rings: readonly Points[];
  /** Cut out one after the other; rings of one entry by the even-odd rule. */
  readonly cuts: readonly (readonly Points[])[];
}

/** The outline as it is drawn within one doubling of the zoom. */
interface Level {
  readonly tolerance: number;
  readonly areas: readonly Area[];
  readonly crowding: Crowding;
  /** How far all edges go down and up, in pixels of the image. */
  readonly rise: number;
}

/** What holds for all of an outline, however small the part that is painted. */
interface Manner {
  /** So much of it is crowded that the tint has to show all of it. */
  readonly isTinted: boolean;
  /** So many columns of pixels are filled as one; 0 where the browser fills. */
  readonly together: number;
}

export class DenseOutline {
  readonly #outline: Outline;
  readonly #bounds: Bounds;
  #level: Level | null = null;
  #crowds: { readonly crowding: Crowding; readonly scale: number; readonly found: Crowds } | null = null;

  constructor(outline: Outline) {
    this.#outline = outline;
    this.#bounds = ringsBounds(outline.areas.flatMap(({ rings, cut }) => [...rings, ...cut]))!;
  }

  paint(context: Context, style: Style, shown: Shown): void {
    const level = this.#levelFor(shown.scale * shown.ratio);
    const crowds = this.#crowdsFor(level, shown.scale);
    const { isTinted, together } = this.#manner(shown);
    const alpha = isTinted ? Math.max(style.fillAlpha, TINT) : style.fillAlpha;
    context.fillStyle = style.color;
    if (alpha > 0) {
      for (const area of level.areas) {
        if (together > 0) this.#fillCells(context, area, together, alpha, style.color, shown);
        else this.#fill(context, area, alpha, shown);
      }
    }
    // Where there is no tint, lines that hide each other are better than nothing.
    this.#stroke(context, level, style, alpha > 0 ? crowds : null, shown);
  }

  /**
   * The extent of what is drawn in another way than before though it has not moved, in pixels of the image: lines that
   * are there because others went, or the other way round. Empty where there is none; null for all of the outline.
   */
  changedAround(before: DenseOutline, shown: Shown): readonly [] | readonly [Bounds] | null {
    const [was, is] = [before.#manner(shown), this.#manner(shown)];
    if (was.isTinted !== is.isTinted || was.together !== is.together) return null;
    const level = this.#levelFor(shown.scale * shown.ratio);
    const now = this.#crowdsFor(level, shown.scale);
    const then = before.#crowdsFor(before.#levelFor(shown.scale * shown.ratio), shown.scale);
    if (now.share === 0 && then.share === 0) return [];
    const changed: number[] = [];
    eachLine(level, shown, (ax, ay, bx, by) => {
      const [x, y] = [(ax + bx) / 2, (ay + by) / 2];
      if (now.isCrowded(x, y) !== then.isCrowded(x, y)) changed.push(ax, ay, bx, by);
    });
    const extent = boundsOfNumbers(changed);
    return extent ? [extent] : [];
  }

  #manner({ scale, ratio }: Shown): Manner {
    const level = this.#levelFor(scale * ratio);
    const { top, bottom } = this.#bounds;
    const isCrowdedFill = level.rise > MOST_ABREAST * (bottom - top);
    return {
      isTinted: this.#crowdsFor(level, scale).share > 0.5,
      together: isCrowdedFill ? Math.max(1, Math.ceil((level.rise * scale * ratio) / MOST_CROSSINGS)) : 0,
    };
  }

  /** They change with the zoom only. */
  #crowdsFor({ crowding }: Level, scale: number): Crowds {
    if (this.#crowds?.crowding !== crowding || this.#crowds.scale !== scale) {
      this.#crowds = { crowding, scale, found: crowding.crowds(CROWDED * scale) };
    }
    return this.#crowds.found;
  }

  /** Recomputed once for each doubling of the zoom, so that zooming costs little. */
  #levelFor(devicePixels: number): Level {
    const tolerance = 2 ** Math.floor(Math.log2(TOLERANCE / devicePixels));
    if (this.#level?.tolerance === tolerance) return this.#level;
    const thin = (ring: Points): Points => thinned(ring, tolerance);
    const areas = this.#outline.areas.map(({ rings, cut }) => ({
      rings: rings.map(thin),
      cuts: apart(cut).map((group) => group.map(thin)),
    }));
    const crowding = new Crowding(this.#bounds, (SQUARE_CSS_PIXELS / TOLERANCE) * tolerance);
    let rise = 0;
    for (const ring of areas.flatMap(ringsOf)) {
      const last = ring.length - 2;
      for (let i = 0, j = last; i <= last; j = i, i += 2) {
        crowding.add(ring[j]!, ring[j + 1]!, ring[i]!, ring[i + 1]!);
        rise += Math.abs(ring[i + 1]! - ring[j + 1]!);
      }
    }
    this.#level = { tolerance, areas, crowding, rise };
    return this.#level;
  }

  #fill(context: Context, area: Area, alpha: number, shown: Shown): void {
    const within = grown(shown.within, REACH / shown.scale);
    context.save();
    context.globalAlpha = alpha;
    for (const cut of area.cuts) context.clip(everywhereBut(cut.map((ring) => filledAlike(ring, within))), "evenodd");
    const path = addRings(new Path2D(), area.rings.map((ring) => filledAlike(ring, within)));
    context.fill(path, "evenodd");
    context.restore();
  }

  #fillCells(context: Context, area: Area, together: number, alpha: number, color: string, shown: Shown): void {
    // Whole device pixels, wherever the context has the image.
    const { a: size, e, f } = context.getTransform();
    const { left, top, right, bottom } = common(this.#bounds, shown.within);
    // The same columns together, whichever part is painted anew.
    const [x, y] = [Math.floor((left * size + e) / together) * together, Math.floor(top * size + f)];
    const columns = Math.ceil(right * size + e) - x;
    const grid = {
      left: (x - e) / size,
      top: (y - f) / size,
      width: together / size,
      height: 1 / size,
      across: Math.max(0, Math.ceil(columns / together)),
      down: Math.max(0, Math.ceil(bottom * size + f) - y),
    };
    if (grid.across === 0 || grid.down === 0) return;
    const cells = insideCells(area.rings, grid);
    for (const cut of area.cuts) {
      const gone = insideCells(cut, grid);
      for (let i = 0; i < cells.length; i++) cells[i]! &= 1 - gone[i]!;
    }
    fillCells(context, cells, grid, color, alpha);
  }

  #stroke(context: Context, level: Level, { strokes, dashed }: Style, crowds: Crowds | null, shown: Shown): void {
    const pieces = new Pieces();
    eachLine(level, shown, (ax, ay, bx, by) => {
      if (!crowds?.isCrowded((ax + bx) / 2, (ay + by) / 2)) pieces.add(ax, ay, bx, by);
    });
    context.lineJoin = "bevel";
    strokes.forEach(({ color, width }, i) => {
      // Below the topmost line lies a wide one, where there are two.
      const pixels = (i > 0 ? Math.min(width, 1) : width) * shown.ratio;
      strokePaths(context, pieces.all, color, pixels, shown.scale * shown.ratio, dashed);
    });
  }
}

/** Each edge that may be seen. */
function eachLine({ areas }: Level, shown: Shown, found: (ax: number, ay: number, bx: number, by: number) => void): void {
  const within = grown(shown.within, REACH / shown.scale);
  for (const ring of areas.flatMap(ringsOf)) {
    eachEdgeWithin(ring, within, (from, to) => {
      found(ring[2 * from]!, ring[2 * from + 1]!, ring[2 * to]!, ring[2 * to + 1]!);
    });
  }
}

const ringsOf = ({ rings, cuts }: Area): Points[] => [...rings, ...cuts.flat()];

/** Paths of so many edges, each of which goes one edge into the next, so that the place where they meet is joined, too. */
class Pieces {
  readonly all: Path2D[] = [];
  #edges = PIECE;
  #x = NaN;
  #y = NaN;

  add(ax: number, ay: number, bx: number, by: number): void {
    const goesOn = this.#x === ax && this.#y === ay;
    if (this.#edges >= PIECE) {
      if (goesOn) this.all.at(-1)?.lineTo(bx, by);
      this.all.push(new Path2D());
      this.#edges = 0;
    }
    const piece = this.all.at(-1)!;
    if (!goesOn || this.#edges === 0) piece.moveTo(ax, ay);
    piece.lineTo(bx, by);
    this.#edges += 1;
    [this.#x, this.#y] = [bx, by];
  }
}

/**
 * Where labels stand on the stage: beside their object, whole inside of the view, and none on
 * another one. Whoever asks first has the better place; who finds none goes without.
 */

import type { Bounds } from "../geometry/bounds";
import type { Size } from "../geometry/camera";

export const LABEL_HEIGHT = 16;
/** Labels stand so far apart, or two of one colour would be read as one. */
const GAP = 2;

/** The upper left corner of a label, in CSS pixels of the stage. */
export interface Place {
  readonly left: number;
  readonly top: number;
}

export class LabelPlaces {
  readonly #stage: Size;
  /** What is taken, by bands as high as a label: a label reaches into two of them at most. */
  readonly #bands = new Map<number, Bounds[]>();

  constructor(stage: Size) {
    this.#stage = stage;
  }

  /** Whether something of an object of this extent is on the stage. */
  sees({ left, top, right, bottom }: Bounds): boolean {
    return right >= 0 && bottom >= 0 && left <= this.#stage.width && top <= this.#stage.height;
  }

  /** The place for a label of this width at an object that is on the stage. */
  take(object: Bounds, width: number): Place | null {
    const { width: right, height: bottom } = this.#stage;
    for (const { left, top } of besides(object, width)) {
      const place = { left: within(left, right - width), top: within(top, bottom - LABEL_HEIGHT) };
      if (this.#book(place, width)) return place;
    }
    return null;
  }

  #book({ left, top }: Place, width: number): boolean {
    const box = { left, top, right: left + width, bottom: top + LABEL_HEIGHT };
    const bands = [top, box.bottom].map((y) => Math.floor(y / LABEL_HEIGHT));
    if (bands.some((band) => this.#bands.get(band)?.some((other) => tooClose(box, other)))) return false;
    for (const band of new Set(bands)) {
      const taken = this.#bands.get(band);
      if (taken) taken.push(box);
      else this.#bands.set(band, [box]);
    }
    return true;
  }
}

/** Above on the left, as everybody expects it; else below, above on the right, and within. */
function besides({ left, top, right, bottom }: Bounds, width: number): Place[] {
  return [
    { left, top: top - LABEL_HEIGHT },
    { left, top: bottom },
    { left: right - width, top: top - LABEL_HEIGHT },
    { left, top },
  ];
}

const within = (value: number, most: number): number => Math.max(0, Math.min(value, most));

const tooClose = (a: Bounds, b: Bounds): boolean =>
  a.left < b.right + GAP && b.left < a.right + GAP && a.top < b.bottom && b.top < a.bottom;

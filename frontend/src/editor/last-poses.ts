/** The pose of each category that a person placed last: the next whole pose begins with it. */

import type { Numbers } from "../shapes/poses";
import type { ClipStore } from "./clipboard";

/** The oldest go, so that the store does not grow for ever. */
const MOST_CATEGORIES = 50;

/** Where they stand in the store, each person's in a place of its own. */
export const POSES_PLACES = "maskwright-poses-";

/** One for all images of a page; the store has them for later pages. */
export class LastPoses {
  readonly #store: ClipStore | null;
  readonly #place: string;
  readonly #poses: Map<number, Numbers>;

  constructor(store: ClipStore | null = null, userId = 0) {
    this.#store = store;
    this.#place = `${POSES_PLACES}${userId}`;
    this.#poses = stored(store?.getItem(this.#place) ?? null);
  }

  get(categoryId: number): Numbers | null {
    return this.#poses.get(categoryId) ?? null;
  }

  put(categoryId: number, numbers: Numbers): void {
    this.#poses.delete(categoryId);
    this.#poses.set(categoryId, numbers);
    for (const id of [...this.#poses.keys()].slice(0, -MOST_CATEGORIES)) this.#poses.delete(id);
    try {
      this.#store?.setItem(this.#place, JSON.stringify([...this.#poses]));
    } catch {
      // A full or closed store: they hold as long as the page then.
    }
  }
}

function stored(text: string | null): Map<number, Numbers> {
  try {
    const found: unknown = JSON.parse(text ?? "[]");
    return new Map(Array.isArray(found) ? found.filter(isPose) : []);
  } catch {
    return new Map();
  }
}

const isPose = (entry: unknown): entry is [number, Numbers] =>
  Array.isArray(entry) &&
  typeof entry[0] === "number" &&
  Array.isArray(entry[1]) &&
  entry[1].every((value) => typeof value === "number");

/**
 * The clipboard: copies of annotations that outlive the image they are from.
 *
 * What was copied on one image can be pasted on the next, in another tab of the same
 * person, and after the page was loaded anew, since a store of the browser keeps it as
 * JSON. A clip carries what a person edits, the id of the original (which the server
 * needs to copy what only it knows), and what another dataset needs to recognise the
 * category.
 */

import type { AnnotationDocument } from "../model/document";
import { copiedFrom, type Annotation, type AnnotationKey, type Category } from "../model/records";

export interface ClipItem {
  readonly annotation: Annotation;
  /** The id of the original on the server; null when that does not have it yet. */
  readonly of: number | null;
  readonly category: Pick<Category, "name" | "keypoints"> | null;
}

export interface Clip {
  readonly imageId: number;
  readonly datasetId: number;
  readonly items: readonly ClipItem[];
}

/** What `localStorage` can do. */
export type ClipStore = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** Browsers keep about five million characters for everything that a site stores. */
const MOST_CHARACTERS = 2_000_000;

/** One for all images of a page; the store has the clip for other pages and later ones. */
export class Clipboard {
  readonly #store: ClipStore | null;
  readonly #place: string;
  #clip: Clip | null = null;

  constructor(store: ClipStore | null = null, userId = 0) {
    this.#store = store;
    // The number goes up when a clip of before could no longer be read.
    this.#place = `maskwright-clipboard-1-${userId}`;
    this.takeStored();
  }

  /** False when the store does not take it; then it is there as long as the page is open. */
  put(clip: Clip): boolean {
    this.#clip = clip;
    if (!this.#store) return false;
    // The clip of before must not come back in its place.
    this.#store.removeItem(this.#place);
    const text = JSON.stringify(clip);
    if (text.length > MOST_CHARACTERS) return false;
    try {
      this.#store.setItem(this.#place, text);
      return true;
    } catch {
      // It is full, or there is none at all, as in some private windows.
      return false;
    }
  }

  get(): Clip | null {
    return this.#clip;
  }

  /** Another page may have put a clip there; whatever else is there is none. */
  takeStored(): void {
    try {
      const found: unknown = JSON.parse(this.#store?.getItem(this.#place) ?? "null");
      if (isClip(found)) this.#clip = found;
    } catch {
      // Whoever wrote something else there: the clip stays what it was.
    }
  }
}

function isClip(value: unknown): value is Clip {
  if (typeof value !== "object" || value === null) return false;
  const { imageId, datasetId, items } = value as Record<keyof Clip, unknown>;
  return typeof imageId === "number" && typeof datasetId === "number" && Array.isArray(items);
}

export function itemOf(
  document: AnnotationDocument,
  key: AnnotationKey,
  category: Category | null,
): ClipItem | null {
  const annotation = document.get(key);
  return (
    annotation && {
      annotation,
      // A copy that is not saved yet is a copy of the same original.
      of: document.facts(key)?.id ?? copiedFrom(key),
      category: category && { name: category.name, keypoints: category.keypoints },
    }
  );
}

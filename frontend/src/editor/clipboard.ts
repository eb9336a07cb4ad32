/**
 * The clipboard: copies of annotations that outlive the image they are from.
 *
 * What was copied on one image can be pasted on the next, and after the page was loaded anew, since
 * a store of the browser keeps it as JSON. A clip carries what a person edits, the id of the original (which the server
 * needs to copy what only it knows), and what another dataset needs to recognise the category.
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

/** What `sessionStorage` can do. */
export type ClipStore = Pick<Storage, "getItem" | "setItem" | "removeItem">;

// The number goes up when a clip of before could no longer be read.
const NAME = "maskwright-clipboard-1";

/** One for all images of a page; the store has the clip for when the page is loaded anew. */
export class Clipboard {
  readonly #store: ClipStore | null;
  #clip: Clip | null;

  constructor(store: ClipStore | null = null) {
    this.#store = store;
    this.#clip = stored(store);
  }

  /** False when the store does not take it; then it is there as long as the page is open. */
  put(clip: Clip): boolean {
    this.#clip = clip;
    if (!this.#store) return false;
    // The clip of before must not come back in its place.
    this.#store.removeItem(NAME);
    try {
      this.#store.setItem(NAME, JSON.stringify(clip));
      return true;
    } catch {
      // Stores hold a few megabytes, and none at all in some private windows.
      return false;
    }
  }

  get(): Clip | null {
    return this.#clip;
  }
}

function stored(store: ClipStore | null): Clip | null {
  try {
    return JSON.parse(store?.getItem(NAME) ?? "null") as Clip | null;
  } catch {
    return null;
  }
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

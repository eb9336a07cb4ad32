/**
 * The clipboard: copies of annotations that outlive the image they are from.
 *
 * It is kept in a store of the browser as JSON, so that what was copied on one image can be
 * pasted on the next. A clip carries what a person edits, the id of the original (which the server
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
export type ClipStore = Pick<Storage, "getItem" | "setItem">;

// The number goes up when a clip of before could no longer be read.
const NAME = "maskwright-clipboard-1";

export class Clipboard {
  /** What the store did not take. Any other clip is read anew: other images write it, too. */
  #own: Clip | null = null;
  #store: ClipStore | null = null;

  keepIn(store: ClipStore): void {
    this.#store = store;
  }

  /** False when the store does not take it; then it is there for this image only. */
  put(clip: Clip): boolean {
    this.#own = null;
    try {
      if (!this.#store) throw new Error("There is no store.");
      this.#store.setItem(NAME, JSON.stringify(clip));
      return true;
    } catch {
      // Stores hold a few megabytes, and none at all in some private windows.
      this.#own = clip;
      return false;
    }
  }

  get(): Clip | null {
    if (this.#own) return this.#own;
    try {
      return JSON.parse(this.#store?.getItem(NAME) ?? "null") as Clip | null;
    } catch {
      return null;
    }
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

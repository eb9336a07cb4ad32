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
import { readClip } from "./stored-clip";

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

/**
 * Whose clip it is. Addresses and numbers come again, with another server or after one was set up
 * anew; the moment at which the account was made does not.
 */
export interface ClipOwner {
  readonly id: number;
  readonly since: string;
}

/** Where clips stand in the store, each person's in a place of its own. */
export const CLIPBOARD_PLACES = "maskwright-clipboard-";

/** Browsers keep about five million characters for everything that a site stores. */
const MOST_CHARACTERS = 2_000_000;

/** What stands in the store in place of a clip that is too large for it. */
const TOO_LARGE = "too large";

/** One for all images of a page; the store has the clip for other pages and later ones. */
export class Clipboard {
  readonly #store: ClipStore | null;
  readonly #place: string;
  readonly #since: string;
  #clip: Clip | null = null;
  #isElsewhere = false;

  constructor(store: ClipStore | null = null, { id, since }: ClipOwner = { id: 0, since: "" }) {
    this.#store = store;
    this.#since = since;
    // The first number goes up when a clip of before could no longer be read.
    this.#place = `${CLIPBOARD_PLACES}1-${id}`;
    this.#takeStored();
  }

  /** False when the store does not take it; then it is there as long as the page is open. */
  put(clip: Clip): boolean {
    this.#clip = clip;
    this.#isElsewhere = false;
    if (!this.#store) return false;
    // The clip of before must not come back in its place, also where nothing can be stored.
    this.#store.removeItem(this.#place);
    if (this.#write(clip)) return true;
    // Other pages learn that what they have is not the last any more.
    this.#write(TOO_LARGE);
    return false;
  }

  get(): Clip | null {
    return this.#clip;
  }

  /** Whether the last clip is in another page, which could not hand it on. */
  get isElsewhere(): boolean {
    return this.#isElsewhere;
  }

  /** Another page wrote to this place of the store; null when it emptied the whole of it. */
  heard(place: string | null): void {
    if (place === null || place === this.#place) this.#takeStored();
  }

  /** Whatever else is there is no clip, and leaves the one that was read before. */
  #takeStored(): void {
    const text = this.#store?.getItem(this.#place) ?? null;
    if (text === null) return this.#have(null, false);
    try {
      const { since, clip } = JSON.parse(text) as Record<string, unknown>;
      if (since !== this.#since) return;
      const found = readClip(clip);
      if (found || clip === TOO_LARGE) this.#have(found, !found);
    } catch {
      // Somebody wrote something else there.
    }
  }

  #have(clip: Clip | null, isElsewhere: boolean): void {
    this.#clip = clip;
    this.#isElsewhere = isElsewhere;
  }

  #write(clip: Clip | typeof TOO_LARGE): boolean {
    const text = JSON.stringify({ since: this.#since, clip });
    if (text.length > MOST_CHARACTERS) return false;
    try {
      this.#store?.setItem(this.#place, text);
      return true;
    } catch {
      // It is full, or there is none at all, as in some private windows.
      return false;
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

/**
 * Where unsaved changes wait in the browser, so that a closed tab loses none.
 *
 * One entry per annotation and tab, overwritten by each change and removed when
 * the server has it. Each tab answers for its own entries, so that two tabs on
 * one image never take away what the other still has to save; what a tab left
 * behind that is gone belongs to the next one that opens the image.
 *
 * Some private windows keep nothing, and disks are full: then the page keeps it as long as it is open.
 */

import type { Decision, Prediction } from "../model/predictions";
import type { Annotation, AnnotationKey, ServerFacts } from "../model/records";
import type { Deletion, Unheard } from "./save-slot";
import { Tabs } from "./tabs";

/** Whose change to what. Several people may use one browser, one after the other. */
export interface PendingPlace {
  readonly userId: number;
  readonly imageId: number;
  readonly key: AnnotationKey;
}

export interface PendingDecision {
  readonly prediction: Prediction;
  readonly wanted: Decision;
  readonly decided: Decision;
}

export interface PendingEntry extends PendingPlace {
  /** Null while the server has never confirmed it. */
  readonly facts: ServerFacts | null;
  /** What the server had, and what it shall have; null is absent. */
  readonly base: Annotation | null;
  readonly target: Annotation | null;
  /** What was sent to be created, when no answer has come to that. */
  readonly attempted: Annotation | null;
  /** The key that it is created with, where that is not its own. */
  readonly clientKey?: string | null;
  /** What the server may have of it, for no answer came. */
  readonly unheard?: Unheard;
  /** Where it was deleted here and is to be brought back. */
  readonly deletion?: Deletion | null;
  /** Where it is made of a prediction: what is decided about that, here and on the server. */
  readonly decision?: PendingDecision;
  /** The tab that left it, where the store tells. */
  readonly tab?: string;
  /** What the image is called, for when it is not there any more to be asked; earlier versions kept none. */
  readonly fileName?: string;
}

export interface PendingStore {
  put(entry: PendingEntry): Promise<void>;
  remove(place: PendingPlace): Promise<void>;
  /** Everything of this user over all images that no other open tab answers for. */
  list(userId: number): Promise<PendingEntry[]>;
  /** This tab answers for them from now on. */
  adopt(entries: readonly PendingEntry[]): Promise<void>;
}

/** The same store for one image, whose name is kept with each entry. */
export function naming(store: PendingStore, fileName: string): PendingStore {
  return {
    put: (entry) => store.put({ ...entry, fileName }),
    remove: (place) => store.remove(place),
    list: (userId) => store.list(userId),
    adopt: (entries) => store.adopt(entries.map((entry) => ({ ...entry, fileName }))),
  };
}

const DATABASE = "maskwright";
const STORE = "pending-annotations";

/** Between the tab and the annotation in the name of an entry. */
const MARK = "|";

/** IndexedDB; it takes thousands of polygons, which localStorage does not. */
export class IndexedDbStore implements PendingStore {
  #opened: Promise<IDBDatabase> | null = null;
  readonly #tabs = new Tabs();
  readonly #tab = this.#tabs.own;
  /** What the browser does not have yet, or never will, by its place. */
  readonly #inPage = new Map<string, PendingEntry>();
  /** Whether the browser did not keep something. */
  #isBroken = false;

  /** Whether this tab has kept it, or has taken it up. */
  isOwn({ tab }: PendingEntry): boolean {
    return tab === this.#tab;
  }

  /** Whether something waits that the browser did not keep. */
  get holdsAlone(): boolean {
    return this.#isBroken && this.#inPage.size > 0;
  }

  async put(entry: PendingEntry): Promise<void> {
    const own = this.#own(entry);
    this.#inPage.set(placeOf(own), own);
    try {
      await this.#run("readwrite", (store) => store.put(own));
    } catch (error) {
      this.#isBroken = true;
      throw error;
    }
    if (this.#inPage.get(placeOf(own)) === own) this.#inPage.delete(placeOf(own));
    this.#worked();
  }

  async remove({ userId, imageId, key }: PendingPlace): Promise<void> {
    const own = { userId, imageId, key: this.#ownKey(key) };
    this.#inPage.delete(placeOf(own));
    try {
      await this.#run("readwrite", (store) => store.delete([userId, imageId, own.key]));
      this.#worked();
    } catch (error) {
      // A browser that keeps nothing has nothing to delete.
      if (!this.#isBroken) throw error;
    }
  }

  /** It was broken for a while only, and has everything. */
  #worked(): void {
    if (this.#inPage.size === 0) this.#isBroken = false;
  }

  async list(userId: number): Promise<PendingEntry[]> {
    const kept = await this.#kept(userId);
    const inPage = [...this.#inPage.values()].filter((entry) => entry.userId === userId);
    // What is in the page is newer.
    const all = new Map([...kept, ...inPage].map((entry) => [placeOf(entry), named(entry)]));
    const alive = await this.#tabs.alive([...all.values()].map(({ tab }) => tab));
    return [...all.values()].filter(({ tab }) => !alive.has(tab));
  }

  async #kept(userId: number): Promise<PendingEntry[]> {
    try {
      const own = IDBKeyRange.bound([userId], [userId + 1], false, true);
      return await this.#run<PendingEntry[]>("readonly", (store) => store.getAll(own));
    } catch {
      return [];
    }
  }

  async adopt(entries: readonly PendingEntry[]): Promise<void> {
    const foreign = entries.filter(({ tab }) => tab !== undefined && tab !== this.#tab);
    if (foreign.length === 0) return;
    await this.#run("readwrite", (store) => {
      for (const entry of foreign) {
        const { userId, imageId, tab, key } = entry;
        store.delete([userId, imageId, tab === "" ? key : tab + MARK + key]);
        store.put(this.#own(entry));
      }
      return store.count();
    });
  }

  #own(entry: PendingEntry): PendingEntry {
    return { ...entry, tab: this.#tab, key: this.#ownKey(entry.key) };
  }

  #ownKey(key: AnnotationKey): AnnotationKey {
    return (this.#tab + MARK + key) as AnnotationKey;
  }

  async #begin(mode: IDBTransactionMode): Promise<IDBTransaction> {
    this.#opened ??= open();
    try {
      // On the disk before it counts, for whoever loses power or a browser.
      return (await this.#opened).transaction(STORE, mode, { durability: "strict" });
    } catch (error) {
      // It may open the next time, as when the browser has closed it.
      this.#opened = null;
      throw error;
    }
  }

  async #run<T>(
    mode: IDBTransactionMode,
    act: (store: IDBObjectStore) => IDBRequest,
  ): Promise<T> {
    const transaction = await this.#begin(mode);
    return new Promise<T>((resolve, reject) => {
      const request = act(transaction.objectStore(STORE));
      // A page that is just being closed is not asked once more whether that is all.
      transaction.commit();
      transaction.oncomplete = () => resolve(request.result as T);
      transaction.onabort = () => reject(transaction.error ?? new Error("The store gave up."));
    });
  }
}

const placeOf = ({ userId, imageId, key }: PendingPlace): string => JSON.stringify([userId, imageId, key]);

/** An entry with its tab apart from its key; earlier versions had no tab in it. */
function named(entry: PendingEntry): PendingEntry & { readonly tab: string } {
  const [tab, key] = entry.key.includes(MARK) ? (entry.key.split(MARK) as [string, string]) : ["", entry.key];
  return { ...entry, tab, key: key as AnnotationKey };
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(STORE, { keyPath: ["userId", "imageId", "key"] });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("The store does not open."));
  });
}

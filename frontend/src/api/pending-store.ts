/**
 * Where unsaved changes wait in the browser, so that a closed tab loses none.
 *
 * One entry per annotation, overwritten by each change and removed when the
 * server has it.
 */

import type { Annotation, AnnotationKey, ServerFacts } from "../model/records";

/** Whose change to what. Several people may use one browser, one after the other. */
export interface PendingPlace {
  readonly userId: number;
  readonly imageId: number;
  readonly key: AnnotationKey;
}

export interface PendingEntry extends PendingPlace {
  /** Null while the server has never confirmed it. */
  readonly facts: ServerFacts | null;
  /** What the server had, and what it shall have; null is absent. */
  readonly base: Annotation | null;
  readonly target: Annotation | null;
  /** What was sent to be created, when no answer has come to that. */
  readonly attempted: Annotation | null;
}

export interface PendingStore {
  put(entry: PendingEntry): Promise<void>;
  remove(place: PendingPlace): Promise<void>;
  /** Everything of this user, over all images. */
  list(userId: number): Promise<PendingEntry[]>;
}

const DATABASE = "maskwright";
const STORE = "pending-annotations";

/** IndexedDB; it takes thousands of polygons, which localStorage does not. */
export class IndexedDbStore implements PendingStore {
  #opened: Promise<IDBDatabase> | null = null;

  async put(entry: PendingEntry): Promise<void> {
    await this.#run("readwrite", (store) => store.put(entry));
  }

  async remove({ userId, imageId, key }: PendingPlace): Promise<void> {
    await this.#run("readwrite", (store) => store.delete([userId, imageId, key]));
  }

  async list(userId: number): Promise<PendingEntry[]> {
    const own = IDBKeyRange.bound([userId], [userId + 1], false, true);
    return this.#run<PendingEntry[]>("readonly", (store) => store.getAll(own));
  }

  async #run<T>(
    mode: IDBTransactionMode,
    act: (store: IDBObjectStore) => IDBRequest,
  ): Promise<T> {
    this.#opened ??= open();
    const database = await this.#opened;
    const transaction = database.transaction(STORE, mode);
    return new Promise<T>((resolve, reject) => {
      const request = act(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result as T);
      transaction.onabort = () => reject(transaction.error ?? new Error("The store gave up."));
    });
  }
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

/** The categories of a dataset, and when they are worth asking for again. */

import type { Category } from "../model/records";
import { listAll, type Schemas, type Transport } from "./client";
import { Order } from "./order";
import { readCategory } from "./wire";

/** As the API shows one, without what takes the server a while to count. */
export type CategoryOnPage = Omit<Schemas["CategoryOut"], "annotation_count">;

export class DatasetCategories {
  readonly #transport: Transport;
  readonly #datasetId: number;
  /** A text that changes with them, as the server told it. */
  #digest: string;
  #all: readonly Category[];
  readonly #order = new Order();

  /** Begins with those that came with the page, and the digest of these. */
  constructor(transport: Transport, datasetId: number, all: readonly CategoryOnPage[], digest: string) {
    this.#transport = transport;
    this.#datasetId = datasetId;
    this.#all = all.map(readCategory);
    this.#digest = digest;
  }

  get all(): readonly Category[] {
    return this.#all;
  }

  /** Asks for them when the digest says that somebody changed them. True when others are here now. */
  async follow(digest: string): Promise<boolean> {
    if (digest === this.#digest) return false;
    // Without an answer the next digest brings us here again.
    const newer = await this.#ask().catch(() => false);
    if (newer) this.#digest = digest;
    return newer;
  }

  /** False when one that was asked later was answered sooner. */
  async #ask(): Promise<boolean> {
    const isNewest = this.#order.ask();
    const found = await listAll(this.#transport, "/api/datasets/{dataset_id}/categories", this.#datasetId);
    if (!isNewest()) return false;
    this.#all = found.map(readCategory);
    return true;
  }
}

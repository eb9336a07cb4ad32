/** Asks what models found in an image, and nobody has decided about. */

import { get, listAll, RequestError, type Transport } from "./api/client";
import type { SaveQueue } from "./api/save-queue";
import { readPrediction } from "./api/wire";
import type { Editor } from "./editor/editor";
import type { Prediction, PredictionSet } from "./model/predictions";

export interface FindingOptions {
  readonly editor: Editor;
  readonly queue: SaveQueue;
  readonly transport: Transport;
}

export class FindingPredictions {
  readonly #options: FindingOptions;
  /** Counts how often they were asked for. */
  #searches = 0;

  constructor(options: FindingOptions) {
    this.#options = options;
  }

  async find(): Promise<void> {
    const search = ++this.#searches;
    const { editor, queue } = this.#options;
    try {
      const { decisions } = queue;
      const { found, sets } = await this.#ask();
      // One that was asked later knows more.
      if (search !== this.#searches) return;
      // A decision came in between: the answer may be older than that.
      if (decisions !== queue.decisions) return await this.find();
      const { predictions } = editor;
      predictions.load(found, sets, (id) => queue.waitsFor(id) || editor.holds(predictions.keyOf(id)));
    } catch (error) {
      // Where the image itself is gone, that is what is told.
      if (error instanceof RequestError && error.problem.status === 404) return;
      editor.say("What models found in this image could not be loaded.");
    }
  }

  async #ask(): Promise<{ found: Prediction[]; sets: readonly PredictionSet[] }> {
    const { editor, transport } = this.#options;
    const { id, dataset_id: datasetId } = editor.image;
    const found = await listAll(transport, "/api/images/{image_id}/predictions", id, { state: "open" });
    if (found.length === 0) return { found: [], sets: [] };
    const sets = await get(transport, "/api/datasets/{dataset_id}/predictions", datasetId);
    return { found: found.map(readPrediction), sets: sets.items };
  }
}

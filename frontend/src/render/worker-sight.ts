/** The picture as tools see it, through a worker that starts with the first question. */

import type { Bounds } from "../geometry/bounds";
import type { Flood } from "../geometry/flood";
import type { ImagePoint } from "../geometry/point";
import type { Runs } from "../geometry/runs";
import type { Superpixels } from "../geometry/superpixels";
import { SightError, type Sight } from "../editor/sight";
import type { SightAnswer, SightPicture, SightQuestion } from "./sight-protocol";

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

export class WorkerSight implements Sight {
  readonly #picture: SightPicture;
  readonly #start: () => Worker;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #last = 0;

  constructor(picture: SightPicture, start: () => Worker) {
    this.#picture = picture;
    this.#start = start;
  }

  wake(): void {
    this.#running();
  }

  flood(flood: Flood): Promise<Runs> {
    return this.#ask("flood", flood);
  }

  route(from: ImagePoint, to: ImagePoint): Promise<readonly ImagePoint[]> {
    return this.#ask("route", from, to);
  }

  superpixels(part: Bounds, spacing: number): Promise<Superpixels> {
    return this.#ask("superpixels", part, spacing);
  }

  destroy(): void {
    this.#end("The image is not on the stage any more.");
  }

  /** Questions that are still open get no answer any more. */
  #end(reason: string): void {
    this.#worker?.terminate();
    this.#worker = null;
    for (const { reject } of this.#waiting.values()) reject(new SightError(reason));
    this.#waiting.clear();
  }

  #ask<Answer>(name: SightQuestion["name"], ...values: readonly unknown[]): Promise<Answer> {
    const id = ++this.#last;
    return new Promise<Answer>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as Waiting["resolve"], reject });
      this.#running().postMessage({ id, name, values } satisfies SightQuestion);
    });
  }

  #running(): Worker {
    if (this.#worker) return this.#worker;
    const worker = this.#start();
    worker.onmessage = ({ data }: MessageEvent<SightAnswer>) => this.#receive(data);
    // It could not be loaded, or ran out of memory; the next question starts another one.
    worker.onerror = () => this.#end("The browser could not look at the picture. Try again.");
    worker.postMessage(this.#picture);
    this.#worker = worker;
    return worker;
  }

  #receive(answer: SightAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ("error" in answer) waiting?.reject(new SightError(answer.error));
    else waiting?.resolve(answer.value as never);
  }
}

/** Converts shapes in a worker that starts with the first large one. */

import type { PixelSize } from "../geometry/runs";
import { pack, unpacked, type Packed } from "../model/packed";
import type { Annotation } from "../model/records";
import { rememberReading, type MaskReading } from "../shapes/pixels";
import type { Converter, Kind } from "./converting";

export interface ConversionRequest {
  readonly packed: Packed;
  readonly size: PixelSize;
  readonly to: Kind;
}

export interface ConversionAnswer {
  readonly packed: Packed;
  /** What the worker knows of each mask already. */
  readonly readings: readonly (MaskReading | null)[];
}

export class WorkerConverter implements Converter {
  readonly #start: () => Worker;
  #worker: Worker | null = null;
  #reject: (error: Error) => void = () => undefined;

  constructor(start: () => Worker) {
    this.#start = start;
  }

  convert(annotations: readonly Annotation[], size: PixelSize, to: Kind): Promise<readonly (Annotation | null)[]> {
    this.stop();
    const worker = this.#start();
    this.#worker = worker;
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      worker.onmessage = ({ data }: MessageEvent<ConversionAnswer>) => {
        try {
          resolve(received(data, size));
        } catch (error) {
          reject(error as Error);
        }
        // What it held for this shape is let go with it.
        this.stop();
      };
      worker.onerror = worker.onmessageerror = () => {
        reject(new Error("The browser could not convert the shape. Nothing of it is changed."));
        this.stop();
      };
      const request: ConversionRequest = { packed: pack(annotations), size, to };
      worker.postMessage(request, [request.packed.numbers.buffer]);
    });
  }

  stop(): void {
    this.#worker?.terminate();
    if (this.#worker) this.#reject(new Error("The conversion was dropped."));
    this.#worker = null;
  }
}

function received({ packed, readings }: ConversionAnswer, size: PixelSize): (Annotation | null)[] {
  const made = [...unpacked(packed)];
  made.forEach((annotation, i) => {
    const reading = readings[i];
    if (annotation && reading) rememberReading(annotation, reading, size);
  });
  return made;
}

/** What a message hands over instead of copying it. */
export const buffersOf = ({ packed, readings }: ConversionAnswer): Transferable[] => [
  packed.numbers.buffer,
  ...readings.flatMap((reading) => (reading ? [reading.runs.buffer] : [])),
];

/** Whether the camera is on its way: what costs much is drawn when it has come to rest. */

import type { Camera } from "../geometry/camera";

/** A camera that has not moved for so long is at rest. */
const REST_MS = 120;

export class Travel {
  readonly #arrived: () => void;
  #camera: Camera | null = null;
  /** The clock that runs until the camera is at rest; 0 while it is. */
  #clock = 0;

  /** `arrived` is called each time that it has come to rest. */
  constructor(arrived: () => void) {
    this.#arrived = arrived;
  }

  get isUnderWay(): boolean {
    return this.#clock !== 0;
  }

  note(camera: Camera): void {
    const before = this.#camera;
    this.#camera = camera;
    if (!before || before === camera) return;
    clearTimeout(this.#clock);
    this.#clock = window.setTimeout(() => {
      this.#clock = 0;
      this.#arrived();
    }, REST_MS);
  }

  /** Nobody waits for it any more. */
  stop(): void {
    clearTimeout(this.#clock);
  }
}

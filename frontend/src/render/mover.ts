/**
 * Moves an element by a transform, and leaves the rest of the page alone: Chromium composes all
 * layers of a page anew when a transform changes by style, but not when it does by an animation.
 * This one stands still at its first moment.
 */
export class Mover {
  readonly #effect: KeyframeEffect;
  #transform = "none";

  constructor(element: HTMLElement) {
    this.#effect = new KeyframeEffect(element, null, { duration: 1, fill: "both" });
    new Animation(this.#effect).pause();
  }

  move(transform: string): void {
    if (transform === this.#transform) return;
    this.#transform = transform;
    this.#effect.setKeyframes({ transform: [transform, transform] });
  }
}

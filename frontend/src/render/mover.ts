/**
 * Moves an element by a transform, and leaves the rest of the page alone: Chromium composes all
 * layers of a page anew when a transform changes by style, but not when it does by an animation.
 * This one stands still at its first moment.
 */
export class Mover {
  readonly #effect: KeyframeEffect;
  readonly #animation: Animation;
  #transform = "none";

  constructor(element: HTMLElement) {
    this.#effect = new KeyframeEffect(element, null, { duration: 1, fill: "both" });
    this.#animation = new Animation(this.#effect);
    this.#animation.pause();
  }

  /** The element is not needed any more: an animation that stands still would keep it, and its pixels, for ever. */
  release(): void {
    this.#animation.cancel();
    this.#effect.target = null;
  }

  move(transform: string): void {
    if (transform === this.#transform) return;
    this.#transform = transform;
    this.#effect.setKeyframes({ transform: [transform, transform] });
  }
}

/** Tells of the answers to one question, which is asked again and again, which come too late. */
export class Order {
  #asked = 0;
  /** Which time brought the answer that is known. */
  #known = 0;

  /** To be called with the question; what it gives, with the answer: false when a later one was answered sooner. */
  ask(): () => boolean {
    const asked = ++this.#asked;
    return () => {
      if (asked < this.#known) return false;
      this.#known = asked;
      return true;
    };
  }
}

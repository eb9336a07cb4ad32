/** A list of listeners per topic. What changed is named; how, the listener looks up. */

export class Signal<Topic extends string> {
  readonly #listeners = new Map<Topic, Set<() => void>>();

  on(topics: readonly Topic[], listener: () => void): () => void {
    for (const topic of topics) {
      const listeners = this.#listeners.get(topic) ?? new Set();
      this.#listeners.set(topic, listeners.add(listener));
    }
    return () => {
      for (const topic of topics) this.#listeners.get(topic)?.delete(listener);
    };
  }

  emit(topic: Topic): void {
    for (const listener of this.#listeners.get(topic) ?? []) listener();
  }
}

// The editor's EventEmitter, as far as files that a test imports with importWithEditor need it.

export class PlainEmitter<T> {
  readonly #listeners = new Set<(given: T) => void>();
  readonly event = (listener: (given: T) => void) => {
    this.#listeners.add(listener);
    return { dispose: () => this.#listeners.delete(listener) };
  };

  fire(given: T): void {
    for (const listener of this.#listeners) listener(given);
  }

  dispose(): void {
    this.#listeners.clear();
  }
}

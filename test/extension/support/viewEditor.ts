// What views use of the editor and what tests of their rows need no real one for.

/** As the editor's, without an order or an end. */
export class PlainEmitter<T> {
  readonly #listeners: ((value: T) => void)[] = [];
  event = (listener: (value: T) => void): void => {
    this.#listeners.push(listener);
  };
  fire = (value: T): void => {
    for (const listener of this.#listeners) listener(value);
  };
  dispose = (): void => {
    this.#listeners.length = 0;
  };
}

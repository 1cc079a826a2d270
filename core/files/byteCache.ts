// A cache bounded by the sum of what its values are said to weigh; what was not used for longest goes first.

export class ByteCache<Value> {
  readonly #capacity: number;
  readonly #values = new Map<string | number, { value: Value; weight: number }>();
  #weight = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  has(key: string | number): boolean {
    return this.#values.has(key);
  }

  get(key: string | number): Value | undefined {
    const held = this.#values.get(key);
    if (held === undefined) return undefined;
    this.#values.delete(key);
    this.#values.set(key, held);
    return held.value;
  }

  /** A value that weighs more than the capacity is kept alone. */
  set(key: string | number, value: Value, weight: number): void {
    this.delete(key);
    this.#values.set(key, { value, weight });
    this.#weight += weight;
    for (const oldest of this.#values.keys()) {
      if (this.#weight <= this.#capacity || oldest === key) break;
      this.delete(oldest);
    }
  }

  delete(key: string | number): void {
    this.#weight -= this.#values.get(key)?.weight ?? 0;
    this.#values.delete(key);
  }
}

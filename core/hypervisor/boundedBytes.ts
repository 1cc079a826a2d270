// The first and the last bytes of a stream without end, in memory of a fixed size however small its pieces are.

export class BoundedBytes {
  readonly #headBytes: number;
  readonly #tailBytes: number;
  #head = new Uint8Array(64 * 1024);
  /** A ring; made when the head is full. */
  #tail: Uint8Array | undefined;
  #count = 0;

  constructor(headBytes: number, tailBytes: number) {
    this.#headBytes = headBytes;
    this.#tailBytes = tailBytes;
  }

  /** All that came. */
  get count(): number {
    return this.#count;
  }

  add(chunk: Uint8Array): void {
    const room = Math.max(0, this.#headBytes - this.#count);
    if (room > 0) this.#addToHead(chunk.subarray(0, room));
    const rest = chunk.subarray(room);
    this.#count += chunk.length;
    if (rest.length > 0) this.#addToTail(rest, this.#count - this.#headBytes - rest.length);
  }

  parts(): { head: Uint8Array; leftOut: number; tail: Uint8Array } {
    const head = this.#head.slice(0, Math.min(this.#count, this.#headBytes));
    const behind = this.#count - head.length;
    if (this.#tail === undefined || behind === 0) return { head, leftOut: 0, tail: new Uint8Array() };
    if (behind <= this.#tailBytes) return { head, leftOut: 0, tail: this.#tail.slice(0, behind) };
    const start = behind % this.#tailBytes;
    const tail = new Uint8Array(this.#tailBytes);
    tail.set(this.#tail.subarray(start));
    tail.set(this.#tail.subarray(0, start), this.#tailBytes - start);
    return { head, leftOut: behind - this.#tailBytes, tail };
  }

  #addToHead(bytes: Uint8Array): void {
    const needed = this.#count + bytes.length;
    if (needed > this.#head.length) {
      const larger = new Uint8Array(Math.min(this.#headBytes, Math.max(needed, this.#head.length * 2)));
      larger.set(this.#head);
      this.#head = larger;
    }
    this.#head.set(bytes, this.#count);
  }

  /** `at`: how many bytes the tail has had before. */
  #addToTail(bytes: Uint8Array, at: number): void {
    this.#tail ??= new Uint8Array(this.#tailBytes);
    const last = bytes.subarray(Math.max(0, bytes.length - this.#tailBytes));
    const start = (at + bytes.length - last.length) % this.#tailBytes;
    const first = last.subarray(0, this.#tailBytes - start);
    this.#tail.set(first, start);
    this.#tail.set(last.subarray(first.length), 0);
  }
}

// Exact numbers of bytes from a stream, for a protocol that is read step by step. Holds at most what one read of the stream
// brings beyond the answer; the stream waits while nobody asks.

import type { Readable } from "node:stream";

export class SocketReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(stream: Readable) {
    this.#chunks = stream.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array>;
  }

  /** `length` fresh bytes; null when the stream ended before them. The caller has bounded `length`. */
  async take(length: number): Promise<Uint8Array | null> {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      if (this.#rest.length === 0 && !(await this.#more())) return null;
      const part = this.#rest.subarray(0, length - done);
      bytes.set(part, done);
      this.#rest = this.#rest.subarray(part.length);
      done += part.length;
    }
    return bytes;
  }

  /** Reads `length` bytes and forgets them; false when the stream ended. */
  async skip(length: number): Promise<boolean> {
    for (let left = length; left > 0; ) {
      if (this.#rest.length === 0 && !(await this.#more())) return false;
      const part = Math.min(left, this.#rest.length);
      this.#rest = this.#rest.subarray(part);
      left -= part;
    }
    return true;
  }

  async #more(): Promise<boolean> {
    const { value, done } = await this.#chunks.next();
    if (done) return false;
    this.#rest = value;
    return true;
  }
}

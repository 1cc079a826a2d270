// Cuts what a peer sends into lines, none longer than a limit: a peer that never ends its line is found out before its
// bytes fill the memory, and one that sends byte by byte costs no more than another.

const NEWLINE = 0x0a;
const FIRST_BYTES = 4096;

export class LineReader {
  readonly #maxBytes: number;
  readonly #onLine: (line: Uint8Array) => void;
  readonly #onOverflow: () => void;
  #line = new Uint8Array(FIRST_BYTES);
  #length = 0;
  #overflowed = false;

  /** After `onOverflow`, which is called once, nothing more is taken. The lines given out are the listener's. */
  constructor(maxBytes: number, onLine: (line: Uint8Array) => void, onOverflow: () => void) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
    this.#onOverflow = onOverflow;
  }

  feed(chunk: Uint8Array): void {
    let start = 0;
    while (!this.#overflowed) {
      const end = chunk.indexOf(NEWLINE, start);
      this.#keep(chunk.subarray(start, end < 0 ? chunk.length : end));
      if (end < 0 || this.#overflowed) return;
      const line = this.#line.slice(0, this.#length);
      this.#clear();
      this.#onLine(line);
      start = end + 1;
    }
  }

  #keep(part: Uint8Array): void {
    const needed = this.#length + part.length;
    if (needed > this.#maxBytes) {
      this.#clear();
      this.#overflowed = true;
      this.#onOverflow();
      return;
    }
    if (needed > this.#line.length) {
      const larger = new Uint8Array(Math.min(this.#maxBytes, Math.max(needed, this.#line.length * 2)));
      larger.set(this.#line.subarray(0, this.#length));
      this.#line = larger;
    }
    this.#line.set(part, this.#length);
    this.#length = needed;
  }

  #clear(): void {
    this.#length = 0;
    if (this.#line.length > FIRST_BYTES) this.#line = new Uint8Array(FIRST_BYTES);
  }
}

// Cuts what a peer sends into lines, none longer than a limit: a peer that never ends its line is found out before its
// bytes fill the memory.

const NEWLINE = 0x0a;

export class LineReader {
  readonly #maxBytes: number;
  readonly #onLine: (line: Uint8Array) => void;
  readonly #onOverflow: () => void;
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #overflowed = false;

  /** After `onOverflow`, which is called once, nothing more is taken. */
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
      const line = this.#parts.length === 1 ? this.#parts[0]! : joined(this.#parts, this.#bytes);
      this.#clear();
      this.#onLine(line);
      start = end + 1;
    }
  }

  #keep(part: Uint8Array): void {
    this.#bytes += part.length;
    if (this.#bytes <= this.#maxBytes) {
      if (part.length > 0) this.#parts.push(part);
      return;
    }
    this.#clear();
    this.#overflowed = true;
    this.#onOverflow();
  }

  #clear(): void {
    this.#parts = [];
    this.#bytes = 0;
  }
}

function joined(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

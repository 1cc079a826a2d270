// Lets a protocol be read as straight-line code: a generator yields the buffer it wants filled and goes on when it is
// full. Everything is synchronous, so nothing ever needs to be queued between the socket and the parser.

export interface Want {
  /** Where the bytes go; undefined: they are skipped. May be cleared while the want is being filled. */
  into: Uint8Array | undefined;
  readonly length: number;
}

export type ByteParser<Result = void> = Generator<Want, Result, void>;

/** The next `length` bytes in a fresh buffer; the caller has bounded `length`. */
export function* take(length: number): ByteParser<Uint8Array> {
  const into = new Uint8Array(length);
  yield { into, length };
  return into;
}

/** Pushes bytes from a stream into a parser. */
export class ParserFeed {
  readonly #parser: ByteParser;
  #want: Want | undefined;
  #filled = 0;

  constructor(parser: ByteParser) {
    this.#parser = parser;
    this.#advance();
  }

  /** Throws what the parser throws. Bytes after the parser's end are ignored. */
  feed(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && this.#want !== undefined) {
      const want = this.#want;
      const count = Math.min(chunk.length - at, want.length - this.#filled);
      want.into?.set(chunk.subarray(at, at + count), this.#filled);
      this.#filled += count;
      at += count;
      if (this.#filled === want.length) this.#advance();
    }
  }

  #advance(): void {
    do {
      const step = this.#parser.next();
      this.#want = step.done ? undefined : step.value;
      this.#filled = 0;
    } while (this.#want !== undefined && this.#want.length === 0);
  }
}

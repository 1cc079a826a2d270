// What a machine says on its serial line. Everything in it was written by the guest: memory is bounded (the first MiB and
// the last 4 MiB are kept) and it is only ever data.

import { ConsoleLines } from "./consoleText.js";
import { hypervisorError } from "./hypervisorErrors.js";
import { type WaitOptions, withinLimit } from "./timeLimit.js";

export interface SerialLine {
  /** Without escapes and control characters; at most 4096 characters. */
  text: string;
  /** performance.now() when it was complete; for an unfinished line, when it was looked at. */
  atMs: number;
}

/** What a line is looked at with: a regular expression without the flags g and y, or another kind of pattern. */
export interface LineTest {
  test(text: string): boolean;
  /** For messages. */
  toString(): string;
}

/** How long a line that matches may go on before its part counts. */
const UNFINISHED_MS = 300;
const HEAD_BYTES = 1024 * 1024;
const TAIL_BYTES = 4 * 1024 * 1024;
const MAX_LINES = 50_000;
const MAX_LINES_CHARACTERS = 4 * 1024 * 1024;

export class SerialLog {
  readonly #head: Uint8Array[] = [];
  readonly #tail: Uint8Array[] = [];
  readonly #lines: SerialLine[] = [];
  readonly #text: ConsoleLines;
  readonly #lineListeners = new Set<(line: SerialLine) => void>();
  readonly #byteListeners = new Set<(chunk: Uint8Array) => void>();
  #headBytes = 0;
  #tailBytes = 0;
  #lineCharacters = 0;
  #byteCount = 0;
  #lastByteAtMs: number | undefined;
  #send: (bytes: Uint8Array) => void = () => {};

  constructor() {
    this.#text = new ConsoleLines((text) => this.#addLine({ text, atMs: performance.now() }));
  }

  /** All that came, also what is no longer kept. */
  get byteCount(): number {
    return this.#byteCount;
  }

  /** performance.now(); undefined: nothing has come yet. */
  get lastByteAtMs(): number | undefined {
    return this.#lastByteAtMs;
  }

  /** The last lines, at most 50,000 and 4 Mi characters, oldest first; the unfinished one is not among them. */
  get lines(): readonly SerialLine[] {
    return this.#lines;
  }

  /** The first MiB and the last 4 MiB, byte for byte, with a line between them that says how much is left out. */
  contents(): Uint8Array {
    const leftOut = this.#byteCount - this.#headBytes - this.#tailBytes;
    const note = leftOut > 0 ? [new TextEncoder().encode(`\n[${leftOut} bytes are left out here]\n`)] : [];
    return Buffer.concat([...this.#head, ...note, ...this.#tail]);
  }

  /** Each line when it is complete. The function returned ends it. */
  onLine(listener: (line: SerialLine) => void): () => void {
    this.#lineListeners.add(listener);
    return () => this.#lineListeners.delete(listener);
  }

  /** The raw bytes, for a terminal. The function returned ends it. */
  onBytes(listener: (chunk: Uint8Array) => void): () => void {
    this.#byteListeners.add(listener);
    return () => this.#byteListeners.delete(listener);
  }

  /**
   * The first line that matches, of those that came and those to come, unfinished ones (a login prompt) included. Each line is
   * looked at by itself. SERIAL_SILENT at the end of the time.
   */
  async waitFor(pattern: LineTest, options: WaitOptions): Promise<SerialLine> {
    const tooLate = () => {
      const data = { pattern: String(pattern), bytes: this.#byteCount, lastLine: this.#lines.at(-1)?.text ?? "" };
      return hypervisorError("SERIAL_SILENT", `no line of the serial console matches ${pattern} in time`, { data });
    };
    return await withinLimit<SerialLine>(options, tooLate, (resolve) => {
      const said = this.#lines.find(({ text }) => pattern.test(text));
      if (said !== undefined) {
        resolve(said);
        return undefined;
      }
      // More of the line may be on its way, and its whole text is worth more than the part that matched.
      let settling: NodeJS.Timeout | undefined;
      const lookAtUnfinished = () => {
        if (settling !== undefined || !pattern.test(this.#text.unfinished)) return;
        const part = this.#text.unfinished;
        settling = setTimeout(
          () => resolve({ text: this.#text.unfinished || part, atMs: performance.now() }),
          UNFINISHED_MS,
        );
      };
      lookAtUnfinished();
      const endLines = this.onLine((line) => {
        if (pattern.test(line.text)) resolve(line);
      });
      const endBytes = this.onBytes(lookAtUnfinished);
      return () => {
        clearTimeout(settling);
        endLines();
        endBytes();
      };
    });
  }

  /** Types on the console. Nothing happens when the machine is gone. */
  write(bytes: Uint8Array): void {
    this.#send(bytes);
  }

  /** For the connection to the machine. */
  connect(send: (bytes: Uint8Array) => void): void {
    this.#send = send;
  }

  /** For the connection to the machine. */
  feed(chunk: Uint8Array): void {
    this.#byteCount += chunk.length;
    this.#lastByteAtMs = performance.now();
    this.#keep(Uint8Array.from(chunk));
    this.#text.feed(chunk);
    for (const listener of this.#byteListeners) listener(chunk);
  }

  #keep(chunk: Uint8Array): void {
    const toHead = chunk.subarray(0, HEAD_BYTES - this.#headBytes);
    if (toHead.length > 0) this.#head.push(toHead);
    this.#headBytes += toHead.length;
    const rest = chunk.subarray(toHead.length);
    if (rest.length === 0) return;
    this.#tail.push(rest);
    this.#tailBytes += rest.length;
    while (this.#tailBytes > TAIL_BYTES && this.#tail.length > 1) this.#tailBytes -= this.#tail.shift()!.length;
  }

  #addLine(line: SerialLine): void {
    this.#lines.push(line);
    this.#lineCharacters += line.text.length;
    while (this.#lines.length > MAX_LINES || this.#lineCharacters > MAX_LINES_CHARACTERS) {
      this.#lineCharacters -= this.#lines.shift()!.text.length;
    }
    for (const listener of this.#lineListeners) listener(line);
  }
}

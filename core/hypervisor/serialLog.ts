// What a machine says on its serial line. Everything in it was written by the guest: memory is bounded (the first MiB and
// the last 4 MiB are kept) and it is only ever data.

import { BoundedBytes } from "./boundedBytes.js";
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
const MAX_LINES = 40_000;
/** Lines are dropped when they are this much too many. */
const SLACK = 1.25;
const MAX_LINES_CHARACTERS = 3 * 1024 * 1024;

export class SerialLog {
  readonly #bytes = new BoundedBytes(HEAD_BYTES, TAIL_BYTES);
  readonly #lines: SerialLine[] = [];
  readonly #text: ConsoleLines;
  readonly #lineListeners = new Set<(line: SerialLine) => void>();
  readonly #byteListeners = new Set<(chunk: Uint8Array) => void>();
  #lineCharacters = 0;
  #lastByteAtMs: number | undefined;
  #send: (bytes: Uint8Array) => void = () => {};

  constructor() {
    this.#text = new ConsoleLines((text) => this.#addLine({ text, atMs: performance.now() }));
  }

  /** All that came, also what is no longer kept. */
  get byteCount(): number {
    return this.#bytes.count;
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
    const { head, leftOut, tail } = this.#bytes.parts();
    const note = leftOut > 0 ? `\n[${leftOut} bytes are left out here]\n` : "";
    return Buffer.concat([head, new TextEncoder().encode(note), tail]);
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
      const data = { pattern: String(pattern), bytes: this.#bytes.count, lastLine: this.#lines.at(-1)?.text ?? "" };
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
    this.#lastByteAtMs = performance.now();
    this.#bytes.add(chunk);
    this.#text.feed(chunk);
    for (const listener of this.#byteListeners) listener(chunk);
  }

  #addLine(line: SerialLine): void {
    this.#lines.push(line);
    this.#lineCharacters += line.text.length;
    this.#dropOldLines();
    for (const listener of this.#lineListeners) listener(line);
  }

  /** Many at once: taking the first of a long list away is dear. */
  #dropOldLines(): void {
    const isMuchTooLong = this.#lines.length > MAX_LINES * SLACK || this.#lineCharacters > MAX_LINES_CHARACTERS * SLACK;
    if (!isMuchTooLong) return;
    let dropped = 0;
    while (this.#lines.length - dropped > MAX_LINES || this.#lineCharacters > MAX_LINES_CHARACTERS) {
      this.#lineCharacters -= this.#lines[dropped++]!.text.length;
    }
    this.#lines.splice(0, dropped);
  }
}

// Finds a text in the lines of a file that comes in pieces. Memory does not grow with the file or its lines.

import { inertLine } from "../../core/index.js";
import type { FoundLine } from "./searchProtocol.js";

/** A longer line is looked at in parts of so many characters. */
const MAX_LINE_CHARS = 64 * 1024;
const SHOWN_BEFORE = 40;
const SHOWN_AFTER = 160;
/** As other programs do it: a zero byte near the beginning is no text. */
const PROBED_BYTES = 8192;

export class TextScanner {
  readonly #wanted: RegExp;
  readonly #decoder = new TextDecoder("utf-8");
  readonly #maxLines: number;
  readonly lines: FoundLine[] = [];
  #rest = "";
  #line = 0;
  /** Characters of the line before the rest. */
  #column = 0;

  constructor(text: string, matchCase: boolean, maxLines: number) {
    this.#wanted = new RegExp(text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"), matchCase ? "gu" : "giu");
    this.#maxLines = maxLines;
  }

  get isFull(): boolean {
    return this.lines.length >= this.#maxLines;
  }

  add(piece: Uint8Array): void {
    this.#take(this.#decoder.decode(piece, { stream: true }), false);
  }

  end(): void {
    this.#take(this.#decoder.decode(), true);
  }

  #take(text: string, isLast: boolean): void {
    this.#rest += text;
    for (let from = 0; !this.isFull; ) {
      const end = this.#rest.indexOf("\n", from);
      if (end < 0) {
        this.#rest = this.#rest.slice(from);
        break;
      }
      this.#scan(this.#rest.slice(from, end));
      from = end + 1;
      this.#line++;
      this.#column = 0;
    }
    if (isLast) this.#scan(this.#rest);
    else if (this.#rest.length > MAX_LINE_CHARS) this.#scanLong();
  }

  /** A line without end: what may continue in the next piece stays. */
  #scanLong(): void {
    this.#scan(this.#rest);
    this.#column += this.#rest.length;
    this.#rest = "";
  }

  /** The first of each line, as people look for lines. */
  #scan(line: string): void {
    if (this.isFull) return;
    this.#wanted.lastIndex = 0;
    const found = this.#wanted.exec(line);
    if (found === null || found[0] === "") return;
    const [at, length] = [found.index, found[0].length];
    const before = inertLine(line.slice(Math.max(0, at - SHOWN_BEFORE), at)).trimStart();
    const itself = inertLine(found[0]);
    const after = inertLine(line.slice(at + length, at + length + SHOWN_AFTER));
    const text = `${before}${itself}${after}`;
    const place = { line: this.#line, column: this.#column + at, length };
    this.lines.push({ ...place, text, from: before.length, to: before.length + itself.length });
  }
}

export function looksBinary(piece: Uint8Array): boolean {
  return piece.subarray(0, PROBED_BYTES).includes(0);
}

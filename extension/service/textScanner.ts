// Finds a text in the lines of a file that comes in pieces. Memory does not grow with the file or its lines, and what is found does
// not depend on where the pieces end.

import { inertLine, literalPattern } from "../../core/index.js";
import type { FoundLine } from "./searchProtocol.js";

/** Of a longer line what has been looked at is let go. */
const MAX_LINE_CHARS = 64 * 1024;
const SHOWN_BEFORE = 40;
const SHOWN_AFTER = 160;
/** As other programs do it: a zero byte near the beginning is no text. */
const PROBED_BYTES = 8192;

export class TextScanner {
  readonly #wanted: RegExp;
  /** From where a found text begins to the end of what is shown behind it, and one for the end of the line. */
  readonly #reach: number;
  readonly #decoder = new TextDecoder("utf-8");
  readonly #maxLines: number;
  readonly lines: FoundLine[] = [];
  #rest = "";
  #line = 0;
  /** Characters of the line before the rest. */
  #column = 0;
  /** The line that has not ended yet is one of `lines`. */
  #hasLine = false;

  constructor(text: string, matchCase: boolean, maxLines: number) {
    this.#wanted = new RegExp(literalPattern(text), matchCase ? "gu" : "giu");
    this.#reach = text.length + SHOWN_AFTER + 1;
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
      this.#scan(withoutReturn(this.#rest.slice(from, end)));
      from = end + 1;
      this.#line++;
      this.#column = 0;
      this.#hasLine = false;
    }
    if (isLast) this.#scan(withoutReturn(this.#rest));
    else if (this.#rest.length > MAX_LINE_CHARS) this.#scanLong();
  }

  /** A line without end: what may go on in the next piece stays, and so does what is shown in front of it. */
  #scanLong(): void {
    const before = this.#rest.length - this.#reach;
    this.#scan(this.#rest, before);
    const done = before - SHOWN_BEFORE;
    this.#column += done;
    this.#rest = this.#rest.slice(done);
  }

  /** The first of each line, as people look for lines; it begins before `before`. */
  #scan(line: string, before = line.length): void {
    if (this.isFull || this.#hasLine) return;
    this.#wanted.lastIndex = 0;
    const found = this.#wanted.exec(line);
    if (found === null || found[0] === "" || found.index >= before) return;
    this.#hasLine = true;
    const [at, length] = [found.index, found[0].length];
    const head = inertLine(line.slice(Math.max(0, at - SHOWN_BEFORE), at)).trimStart();
    const itself = inertLine(found[0]);
    const tail = inertLine(line.slice(at + length, at + length + SHOWN_AFTER));
    const place = { line: this.#line, column: this.#column + at, length };
    const shown = { text: `${head}${itself}${tail}`, from: head.length, to: head.length + itself.length };
    this.lines.push({ ...place, ...shown });
  }
}

/** Lines may end as on Windows. */
function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}

export function looksBinary(piece: Uint8Array): boolean {
  return piece.subarray(0, PROBED_BYTES).includes(0);
}

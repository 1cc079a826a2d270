// Text of a guest's console as plain lines: terminal escapes, control characters and direction marks are taken out, so
// that a pattern meets what a person would see and nothing that is shown later can be more than text.

const ESC = String.fromCharCode(27);
const BEL = String.fromCharCode(7);

/** ECMA-48: control sequences (CSI), strings (OSC, DCS, SOS, PM, APC) and the two-character escapes. */
const controlSequence = new RegExp(`${ESC}\\[[0-?]*[ -/]*[@-~]`, "g");
const controlString = new RegExp(`${ESC}[\\]PX^_][^${BEL}${ESC}]*(?:${BEL}|${ESC}\\\\|$)`, "g");
const otherEscape = new RegExp(`${ESC}[ -/]*[0-~]?`, "g");

export function plainConsoleText(text: string): string {
  return text
    .replace(controlString, "")
    .replace(controlSequence, "")
    .replace(otherEscape, "")
    .replace(/\t/g, " ")
    .replace(/[\p{Cc}\p{Cf}]/gu, "");
}

/** Longer lines are cut into pieces of this many characters. */
export const MAX_LINE_CHARACTERS = 4096;

/** Turns bytes into lines; CR, LF and CR LF end one. */
export class ConsoleLines {
  readonly #decoder = new TextDecoder();
  readonly #onLine: (line: string) => void;
  #rest = "";

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  /** The line that has not ended yet, such as a login prompt. */
  get unfinished(): string {
    return plainConsoleText(this.#rest);
  }

  feed(chunk: Uint8Array): void {
    const pieces = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split(/\r\n|\n|\r/);
    let last = pieces.pop() ?? "";
    for (const piece of pieces) this.#tell(piece);
    while (last.length > MAX_LINE_CHARACTERS) {
      this.#tell(last.slice(0, MAX_LINE_CHARACTERS));
      last = last.slice(MAX_LINE_CHARACTERS);
    }
    this.#rest = last;
  }

  #tell(piece: string): void {
    for (let at = 0; at === 0 || at < piece.length; at += MAX_LINE_CHARACTERS) {
      const line = plainConsoleText(piece.slice(at, at + MAX_LINE_CHARACTERS));
      if (line !== "") this.#onLine(line);
    }
  }
}

// What a guest's console may do to a person's terminal: colours, cursor, editors, yes; setting its title or clipboard and other
// strings for the terminal itself, no. Works on bytes, wherever they are cut.

const ESC = 0x1b;
const BEL = 0x07;
const CAN = 0x18;
/** ] OSC, P DCS, X SOS, ^ PM, _ APC (ECMA-48). */
const STRING_STARTS = new Set([0x5d, 0x50, 0x58, 0x5e, 0x5f]);
/** First byte of U+0080 to U+00BF in UTF-8; the first half of those are control characters. */
const LATIN_LEAD = 0xc2;

export class ConsoleFilter {
  #state: "text" | "escape" | "string" | "string-escape" | "latin" = "text";

  /** The bytes that may be shown. */
  pass(chunk: Uint8Array): Uint8Array {
    const shown: number[] = [];
    for (const byte of chunk) this.#take(byte, shown);
    return Uint8Array.from(shown);
  }

  #take(byte: number, shown: number[]): void {
    switch (this.#state) {
      case "text":
        if (byte === ESC) this.#state = "escape";
        else if (byte === LATIN_LEAD) this.#state = "latin";
        else shown.push(byte);
        return;
      case "escape":
        this.#state = STRING_STARTS.has(byte) ? "string" : byte === ESC ? "escape" : "text";
        if (this.#state === "text") shown.push(ESC, byte);
        return;
      case "latin":
        this.#state = "text";
        if (byte >= 0x80 && byte < 0xa0) return;
        shown.push(LATIN_LEAD);
        this.#take(byte, shown);
        return;
      case "string":
        if (byte === BEL || byte === CAN) this.#state = "text";
        else if (byte === ESC) this.#state = "string-escape";
        return;
      case "string-escape":
        // ESC \ ends the string; any other ESC begins something new.
        this.#state = "text";
        if (byte !== 0x5c) {
          this.#state = "escape";
          this.#take(byte, shown);
        }
    }
  }
}

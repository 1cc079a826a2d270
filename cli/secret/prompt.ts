// Asks for one line on a terminal without showing what is typed.

import { StringDecoder } from "node:string_decoder";
import { Interruption } from "../interruption.js";
import type { InputStream } from "../io.js";

const MAX_CHARS = 4096;

export interface PromptOptions {
  stdin: InputStream;
  write(text: string): void;
  signal: AbortSignal;
}

/** The line without its end. Rejects with an Interruption on Ctrl-C (a raw terminal sends no signal) and on an abort. */
export async function promptHidden(question: string, options: PromptOptions): Promise<string> {
  const { stdin, write, signal } = options;
  signal.throwIfAborted();
  // Before the question stands there: whoever answers at once must not be shown either.
  stdin.setRawMode?.(true);
  write(question);
  const line = new HiddenLine();
  return await new Promise<string>((resolve, reject) => {
    const finish = (settle: () => void) => {
      stdin.off("data", onData).off("end", onEnd).off("error", onEnd);
      signal.removeEventListener("abort", onAbort);
      stdin.setRawMode?.(false);
      stdin.pause();
      if (line.rest !== "") stdin.unshift(Buffer.from(line.rest));
      write("\n");
      settle();
    };
    const onData = (bytes: Uint8Array | string) => {
      const outcome = line.take(bytes);
      if (outcome === "interrupted") finish(() => reject(new Interruption("SIGINT")));
      else if (outcome === "ended") finish(() => resolve(line.text));
    };
    const onEnd = () => finish(() => resolve(line.text));
    const onAbort = () => finish(() => reject(signal.reason));
    stdin.on("data", onData).on("end", onEnd).on("error", onEnd);
    signal.addEventListener("abort", onAbort, { once: true });
    stdin.resume();
  });
}

/** The keys of a line editor that matter when nothing is shown. */
class HiddenLine {
  /** What was typed (or pasted) after the end of the line: for the next question. */
  rest = "";
  readonly #decoder = new StringDecoder("utf8");
  #characters: string[] = [];

  get text(): string {
    return this.#characters.join("");
  }

  take(bytes: Uint8Array | string): "more" | "ended" | "interrupted" {
    const typed = typeof bytes === "string" ? bytes : this.#decoder.write(Buffer.from(bytes));
    const characters = [...typed];
    for (const [index, character] of characters.entries()) {
      this.rest = characters.slice(index + 1).join("");
      if (character === "\r" || character === "\n") return "ended";
      if (character === "\u0003") return "interrupted"; // Ctrl-C
      if (character === "\u0004" && this.#characters.length === 0) return "interrupted"; // Ctrl-D on an empty line
      if (character === "\u007f" || character === "\b") this.#characters.pop();
      else if (character === "\u0015")
        this.#characters = []; // Ctrl-U
      else if (character >= " " && this.#characters.length < MAX_CHARS) this.#characters.push(character);
    }
    return "more";
  }
}

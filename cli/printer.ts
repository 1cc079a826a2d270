// The two output streams: which of them gets what, and in which form. Everything for people goes through renderLine and so
// is free of terminal commands from outside.

import { errorToData, type FileProblem, isOurError, type Warning } from "../core/index.js";
import { EXIT, OutputClosed } from "./exitCodes.js";
import type { CliIo, OutputStream } from "./io.js";
import { jsonText, type Line, renderLine, styled } from "./output/text.js";
import { countText } from "./output/units.js";

export interface PrinterOptions {
  json: boolean;
  colors: boolean;
  /** Messages and progress on standard error as JSON lines. */
  eventLines: boolean;
}

export class Printer {
  readonly #io: Pick<CliIo, "stdout" | "stderr" | "env">;
  readonly #options: PrinterOptions;
  readonly #stderr: OutputStream;
  /** Erases a progress line before something else is written. */
  onBeforeMessage: () => void = () => {};
  /** Called once when nobody reads standard output any more. */
  onOutputClosed: () => void = () => {};
  #closed = false;

  constructor(io: Pick<CliIo, "stdout" | "stderr" | "env">, options: PrinterOptions) {
    this.#io = io;
    this.#options = options;
    this.#stderr = io.stderr;
    io.stdout.on("error", this.#onStdoutError);
    io.stderr.on("error", ignore);
  }

  /** To standard output. */
  async lines(lines: readonly Line[]): Promise<void> {
    if (lines.length === 0) return;
    const colors = this.#options.colors && this.#io.stdout.isTTY === true;
    await this.data(lines.map((line) => `${renderLine(line, colors)}\n`).join(""));
  }

  /** The one document of --json: indented on a terminal, on one line elsewhere. */
  async document(document: unknown): Promise<void> {
    await this.data(`${jsonText(document, this.#io.stdout.isTTY ? 2 : 0)}\n`);
  }

  /** Bytes or finished text to standard output, at the speed of the reader. Throws OutputClosed. */
  async data(bytes: Uint8Array | string): Promise<void> {
    this.onBeforeMessage();
    if (this.#closed) throw new OutputClosed();
    const { stdout } = this.#io;
    if (stdout.write(bytes)) return;
    await drained(stdout);
    if (this.#closed) throw new OutputClosed();
  }

  /** Waits until standard output has taken everything. */
  async flush(): Promise<void> {
    const { stdout } = this.#io;
    if (this.#closed) throw new OutputClosed();
    await new Promise<void>((resolve) => stdout.write("", () => resolve()));
    if (this.#closed) throw new OutputClosed();
  }

  /** To standard error, for people or as an event. */
  note(line: Line, event?: object): void {
    this.onBeforeMessage();
    if (this.#options.eventLines) {
      if (event !== undefined) this.event(event);
      return;
    }
    const colors = this.#options.colors && this.#stderr.isTTY === true;
    this.#stderr.write(`${renderLine(line, colors)}\n`);
  }

  warning({ code, message, data }: Warning): void {
    const line = [styled("yellow", "warning: "), message, styled("dim", ` [${code}]`)];
    this.note(line, { type: "warning", code, message, data });
  }

  event(event: object): void {
    this.#stderr.write(`${jsonText(event)}\n`);
  }

  error(error: unknown): void {
    const document = errorDocument(error);
    const { code, hint } = document.error;
    const [message, ...more] = messageLines(document.error);
    this.note([styled("red", "reprise: "), message, styled("dim", ` [${code}]`)], { type: "error", ...document.error });
    if (!this.#options.eventLines) for (const line of more) this.note(line);
    if (hint !== null && !this.#options.eventLines) this.note(["  ", hint]);
    if (this.#io.env.REPRISE_DEBUG) for (const line of stackLines(error)) this.note(styled("dim", line));
  }

  /** Stops listening; the streams stay open. */
  close(): void {
    this.#io.stdout.off("error", this.#onStdoutError);
    this.#io.stderr.off("error", ignore);
  }

  readonly #onStdoutError = (): void => {
    if (this.#closed) return;
    this.#closed = true;
    this.onOutputClosed();
  };
}

export interface ErrorDocument {
  error: {
    code: string;
    family: string;
    message: string;
    hint: string | null;
    retry: "never" | "later";
    data: Record<string, unknown>;
  };
}

export function errorDocument(error: unknown): ErrorDocument {
  if (!isOurError(error)) {
    const { name, message } = errorToData(error);
    const hint = "this is a bug: set REPRISE_DEBUG=1 to see where, and report it";
    const text = `${name}: ${message}`;
    return { error: { code: "INTERNAL_ERROR", family: "invariant", message: text, hint, retry: "never", data: {} } };
  }
  const { code, family, message, hint = null, retry, data } = error;
  return { error: { code, family, message, hint, retry, data } };
}

const FILES_WITH_MISTAKES: Readonly<Record<string, string>> = { SPEC_INVALID: "spec", CONFIG_INVALID: "configuration" };

/** A message is one line, whatever it quotes; only mistakes in a file have one each, as the error's data lists them. */
function messageLines({ code, message, data }: ErrorDocument["error"]): [string, ...string[]] {
  const what = FILES_WITH_MISTAKES[code];
  if (what === undefined || !Array.isArray(data.problems)) return [message];
  const told = data.problems as readonly FileProblem[];
  const lines = told.map(({ file = data.file, line, column, message }) => `${file}:${line}:${column}: ${message}`);
  const untold = Number(data.count) - told.length;
  if (untold > 0) lines.push(`and ${countText(untold, "more mistake")}`);
  const named = `the ${what} ${data.file} has ${countText(Number(data.count), "mistake")}`;
  return [named, ...lines];
}

export function interruptedDocument(exitCode: number): ErrorDocument {
  const message = `ended by ${exitCode === EXIT.terminated ? "SIGTERM" : "SIGINT"} before the work was done`;
  return { error: { code: "INTERRUPTED", family: "interrupted", message, hint: null, retry: "later", data: {} } };
}

function stackLines(error: unknown): string[] {
  const lines: string[] = [];
  for (let cause = error; cause instanceof Error && lines.length < 200; cause = cause.cause) {
    lines.push(...(cause.stack ?? cause.message).split("\n"));
  }
  return lines;
}

/** Resolves when more can be written, or never again. */
async function drained(stream: OutputStream): Promise<void> {
  await new Promise<void>((resolve) => {
    const settle = () => {
      stream.off("drain", settle).off("close", settle).off("error", settle);
      resolve();
    };
    stream.on("drain", settle).on("close", settle).on("error", settle);
  });
}

function ignore(): void {}

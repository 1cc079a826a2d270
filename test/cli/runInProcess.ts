// Runs the command line in this process with streams and an environment of its own. Locations `memory:NAME` live as long
// as the process, so several calls see one repository.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { PassThrough, Writable } from "node:stream";
import type { CliIo, InputStream, OutputStream } from "../../cli/io.js";
import { runCli } from "../../cli/runCli.js";

export interface CliResult {
  code: number;
  stdout: string;
  stderr: string;
  output: Uint8Array;
}

export interface CliSurroundings {
  env?: Record<string, string>;
  /** Standard input; default: empty. */
  input?: Uint8Array | string;
  stdin?: InputStream;
  /** Pretend that both output streams are terminals. */
  terminal?: boolean;
  signal?: AbortSignal;
}

/** One repository name that nobody else uses. */
export function memoryLocation(): string {
  return `memory:${randomBytes(8).toString("hex")}`;
}

export async function cli(args: readonly string[], surroundings: CliSurroundings = {}): Promise<CliResult> {
  const stdout = new Collector(surroundings.terminal === true);
  const stderr = new Collector(surroundings.terminal === true);
  const io: CliIo = {
    stdin: surroundings.stdin ?? inputOf(surroundings.input ?? ""),
    stdout,
    stderr,
    env: { REPRISE_CACHE_DIR: "/dev/null/no-cache-here", ...surroundings.env },
    signal: surroundings.signal ?? new AbortController().signal,
  };
  const code = await runCli(args, io);
  return { code, stdout: stdout.text, stderr: stderr.text, output: stdout.bytes };
}

/** Runs with --json, expects the exit code, and answers the one document on standard output. */
export async function cliJson<Document = Record<string, unknown>>(
  args: readonly string[],
  surroundings: CliSurroundings & { code?: number } = {},
): Promise<Document> {
  const { code, stdout, stderr } = await cli([...args, "--json"], surroundings);
  assert.equal(code, surroundings.code ?? 0, stderr);
  assert.ok(stdout.endsWith("\n"), "the document ends with a newline");
  return JSON.parse(stdout) as Document;
}

export async function cliText(args: readonly string[], surroundings: CliSurroundings = {}): Promise<string> {
  const { code, stdout, stderr } = await cli(args, surroundings);
  assert.equal(code, 0, stderr);
  return stdout;
}

/** A terminal on which the given keys are typed when somebody reads. */
export function typingTerminal(...lines: string[]): PassThrough & InputStream & { raw: boolean[] } {
  const waiting = [...lines];
  const stream = Object.assign(new PassThrough(), {
    isTTY: true,
    raw: [] as boolean[],
    setRawMode(raw: boolean): void {
      stream.raw.push(raw);
      if (raw) setImmediate(() => stream.write(waiting.shift() ?? ""));
    },
  });
  return stream;
}

function inputOf(input: Uint8Array | string): InputStream {
  const stream = new PassThrough();
  stream.end(input);
  return stream;
}

class Collector extends Writable implements OutputStream {
  readonly isTTY: boolean;
  readonly columns = 100;
  readonly #parts: Uint8Array[] = [];

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  override _write(bytes: Uint8Array, _encoding: string, done: () => void): void {
    this.#parts.push(Uint8Array.from(bytes));
    done();
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.#parts);
  }

  get text(): string {
    return Buffer.from(this.bytes).toString("utf8");
  }
}

// A task's terminal: runs the command line as a process of its own, without a shell. Secrets are only in the environment of that process.
// Closing the terminal or ending the task ends it as Ctrl-C does, and a second time at once.

import { type ChildProcess, spawn } from "node:child_process";
import { StringDecoder } from "node:string_decoder";
import { EventEmitter, l10n, type Pseudoterminal } from "vscode";

export interface TaskProcess {
  program: string;
  args: readonly string[];
  /** Added to that of this process. */
  env: Readonly<Record<string, string>>;
  folder: string;
  /** What is printed as the command: without secrets, because there are none on it. */
  shown: string;
}

/** An unfinished job has this long after it was told to end. */
const PATIENCE_MS = 10_000;
const COULD_NOT_RUN = 2;

export class TaskTerminal implements Pseudoterminal {
  readonly #prepare: () => Promise<TaskProcess>;
  readonly #written = new EventEmitter<string>();
  readonly #closed = new EventEmitter<number>();
  readonly onDidWrite = this.#written.event;
  readonly onDidClose = this.#closed.event;
  #child: ChildProcess | undefined;
  #isClosed = false;

  constructor(prepare: () => Promise<TaskProcess>) {
    this.#prepare = prepare;
  }

  open(): void {
    this.#run().catch((error: unknown) => {
      this.#write(`${error instanceof Error ? error.message : String(error)}\n`);
      this.#closed.fire(COULD_NOT_RUN);
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#end();
  }

  /** Ctrl-C. Nothing else is asked for: no passphrase is ever typed here. */
  handleInput(text: string): void {
    if (text.includes("\u0003")) this.#end();
  }

  async #run(): Promise<void> {
    const { program, args, env, folder, shown } = await this.#prepare();
    if (this.#isClosed) return;
    this.#write(`\u001b[2m> ${shown}\u001b[0m\n\n`);
    const child = spawn(program, args, {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      const decoder = new StringDecoder("utf8");
      stream.on("data", (chunk: Buffer) => this.#write(decoder.write(chunk)));
    }
    const code = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (exitCode) => resolve(exitCode ?? 1));
    });
    this.#child = undefined;
    this.#write(`\n\u001b[2m${wordsFor(code)}\u001b[0m\n`);
    this.#closed.fire(code);
  }

  #end(): void {
    const child = this.#child;
    if (child === undefined) return;
    child.kill("SIGINT");
    const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
    timer.unref();
    child.once("close", () => clearTimeout(timer));
  }

  #write(text: string): void {
    this.#written.fire(text.replaceAll(/\r?\n/g, "\r\n"));
  }
}

function wordsFor(code: number): string {
  if (code === 0) return l10n.t("Done.");
  if (code === 3) return l10n.t("Done, with warnings: look at them.");
  if (code === 130) return l10n.t("Ended before it was done.");
  return l10n.t("It did not succeed (exit code {0}).", code);
}

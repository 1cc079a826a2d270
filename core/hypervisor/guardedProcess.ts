// A long-running program of ours (QEMU, swtpm): without capabilities, in a session of its own so that Ctrl-C is ours to
// handle, ended by the kernel when we end (where setpriv is installed), and waited for.

import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { deathSignalWrapper } from "../platform/deathSignal.js";
import { requireTool, type ToolName, toolEnvironment } from "../platform/tool.js";

export interface ProcessEnd {
  exitCode: number | null;
  signalName: string | null;
  /** The last lines it wrote to standard error, at most 4 KiB. */
  lastWords: string;
}

const MAX_LAST_WORDS = 4096;
const TERMINATE_MS = 3_000;

/** TOOL_MISSING. A program that cannot be started ends at once. */
export async function startGuarded(tool: ToolName, args: readonly string[], folder: string): Promise<GuardedProcess> {
  const program = await requireTool(tool);
  const [first, ...words] = [...(await deathSignalWrapper("KILL", { unprivileged: true })), program, ...args];
  const child = spawn(first as string, words, {
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
    env: toolEnvironment(),
    cwd: folder,
  });
  return new GuardedProcess(child);
}

export class GuardedProcess {
  readonly #child: ChildProcess;
  #lastWords = "";
  /** Resolves when the process is gone. */
  readonly ended: Promise<ProcessEnd>;

  constructor(child: ChildProcess) {
    this.#child = child;
    const decoder = new TextDecoder();
    child.stderr?.on("data", (chunk: Uint8Array) => {
      this.#lastWords = (this.#lastWords + decoder.decode(chunk, { stream: true })).slice(-MAX_LAST_WORDS);
    });
    live.add(this);
    if (live.size === 1) process.on("exit", killLive);
    this.ended = new Promise((resolve) => {
      const settle = (words: string) => {
        live.delete(this);
        if (live.size === 0) process.off("exit", killLive);
        resolve({ exitCode: child.exitCode, signalName: child.signalCode, lastWords: words.trim() });
      };
      child.once("close", () => settle(this.#lastWords));
      child.once("error", (error) => settle(error.message));
    });
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get isGone(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Waits so long for it to end by itself, then asks, then kills. Returns when it is gone. */
  async end(politeMs: number): Promise<void> {
    await this.#within(politeMs);
    if (!this.isGone) this.#child.kill("SIGTERM");
    await this.#within(TERMINATE_MS);
    if (!this.isGone) this.#child.kill("SIGKILL");
    await this.ended;
  }

  killNow(): void {
    if (!this.isGone) this.#child.kill("SIGKILL");
  }

  async #within(limitMs: number): Promise<void> {
    const timer = new AbortController();
    await Promise.race([this.ended, sleep(limitMs, undefined, { signal: timer.signal }).catch(() => undefined)]);
    timer.abort();
  }
}

const live = new Set<GuardedProcess>();

function killLive(): void {
  for (const process of live) process.killNow();
}

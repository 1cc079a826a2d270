// Client of the QEMU guest agent (docs/interop/qemu-ga-ref of QEMU): one JSON object a line over a virtio-serial port,
// answered in order and without ids. A guest without an agent, a hung one and a stopped one are all alike: silent. So
// every conversation starts with a synchronization, and after a time-out with another one. What comes was written by the
// guest: lines are bounded before they are kept, and nothing in them is believed but their types.

import { randomInt } from "node:crypto";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { RepriseError } from "../errors.js";
import { asArray, asObject, asText, parseObjectLine } from "./boundedJson.js";
import { plainConsoleText } from "./consoleText.js";
import { hypervisorError, shown } from "./hypervisorErrors.js";
import { LineReader } from "./lineReader.js";
import { withinLimit } from "./timeLimit.js";

export interface AgentOptions {
  /** Default: 3 s for a sign of life, 20 s for an answer; both times the accelerator's slowdown. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

export interface AgentExecOptions {
  /** Until the program has ended. */
  timeoutMs: number;
  /** What it reads from standard input. */
  input?: Uint8Array;
  signal?: AbortSignal;
}

export interface AgentExecResult {
  /** Null: ended by a signal. */
  exitCode: number | null;
  /** UTF-8, at most a MiB of it. Written by the guest. */
  stdout: string;
  stderr: string;
  /** More came than is given here. */
  truncated: boolean;
}

export interface AgentOsInfo {
  /** As in /etc/os-release: `debian`, `mswindows`. Empty when not told, as all others. */
  id: string;
  name: string;
  prettyName: string;
  versionId: string;
  kernelRelease: string;
  machine: string;
}

export interface AgentInterface {
  name: string;
  mac: string | null;
  /** Such as `10.0.2.15/24`. */
  addresses: readonly string[];
}

/** The agent captures at most 16 MiB of each stream, in base64: 43 MiB. */
const MAX_LINE_BYTES = 48 * 1024 * 1024;
const MAX_OUTPUT_BYTES = 1024 * 1024;
const MAX_INPUT_BYTES = 1024 * 1024;
/** What nobody in the guest reads waits in our socket; then more is not sent. */
const MAX_UNREAD_BYTES = 64 * 1024;
const SYNC_MS = 3_000;
const ANSWER_MS = 20_000;
const EXEC_POLL_MS = 200;
/** Ends whatever the agent's parser holds; it sends the same byte before the answer to guest-sync-delimited. */
const FLUSH = 0xff;

/**
 * Errors: GUEST_AGENT_SILENT (no agent, not yet, or hung), GUEST_AGENT_REFUSED (the agent says no), GUEST_AGENT_PROTOCOL (too
 * much, or not what the protocol says). All of them can be tried again. Calls are answered one after the other.
 */
export class GuestAgent {
  readonly #socket: Socket;
  readonly #slowdown: number;
  #lines: LineReader;
  #answer: ((message: Record<string, unknown> | Error) => void) | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #synchronized = false;
  #synchronizing = false;
  #gone = false;

  constructor(socket: Socket, { slowdown = 1 } = {}) {
    this.#socket = socket;
    this.#slowdown = slowdown;
    this.#lines = this.#newReader();
    socket.on("data", (chunk: Uint8Array) => this.#lines.feed(chunk));
    socket.on("error", () => {});
    socket.once("close", () => {
      this.#gone = true;
      this.#answer?.(silent("the machine is gone"));
    });
  }

  /** A sign of life, quickly. */
  async ping(options: AgentOptions = {}): Promise<void> {
    await this.#inTurn(async () => {
      this.#synchronized = false;
      await this.#synchronize(options);
    });
  }

  /** `args` are sent as they are; what comes back is to be distrusted. */
  async command(name: string, args: Record<string, unknown> = {}, options: AgentOptions = {}): Promise<unknown> {
    return await this.#inTurn(async () => {
      if (!this.#synchronized) await this.#synchronize({ signal: options.signal });
      const answer = await this.#exchange(`${JSON.stringify({ execute: name, arguments: args })}\n`, () => true, {
        timeoutMs: options.timeoutMs ?? ANSWER_MS * this.#slowdown,
        signal: options.signal,
      });
      const error = asObject(answer.error);
      if (error === undefined) return answer.return;
      const words = shown(asText(error.desc));
      throw hypervisorError("GUEST_AGENT_REFUSED", `the guest agent refused ${name}: ${words}`, {
        data: { command: name, class: shown(asText(error.class)) },
      });
    });
  }

  async osInfo(options: AgentOptions = {}): Promise<AgentOsInfo> {
    const info = asObject(await this.command("guest-get-osinfo", {}, options)) ?? {};
    const text = (key: string) => shown(asText(info[key]));
    return {
      id: text("id"),
      name: text("name"),
      prettyName: text("pretty-name"),
      versionId: text("version-id"),
      kernelRelease: text("kernel-release"),
      machine: text("machine"),
    };
  }

  /** At most 64. */
  async networkInterfaces(options: AgentOptions = {}): Promise<AgentInterface[]> {
    const listed = asArray(await this.command("guest-network-get-interfaces", {}, options));
    return listed.slice(0, 64).map((entry) => {
      const { name, "hardware-address": mac, "ip-addresses": addresses } = asObject(entry) ?? {};
      return {
        name: shown(asText(name), 32),
        mac: typeof mac === "string" && /^[0-9a-f:]{17}$/i.test(mac) ? mac.toLowerCase() : null,
        addresses: asArray(addresses).slice(0, 64).flatMap(addressOf),
      };
    });
  }

  /**
   * Runs a program in the guest, without a shell, and waits for its end. GUEST_AGENT_SILENT with `data.pid` when it has not
   * ended in time: it goes on running.
   */
  async exec(run: readonly string[], options: AgentExecOptions): Promise<AgentExecResult> {
    const { timeoutMs, input, signal } = options;
    const deadlineMs = performance.now() + timeoutMs;
    const left = () => Math.max(1, deadlineMs - performance.now());
    const [path, ...arg] = run;
    if (path === undefined || (input?.length ?? 0) > MAX_INPUT_BYTES)
      throw hypervisorError("GUEST_AGENT_REFUSED", "no program is named, or its input is larger than 1 MiB");
    const started = asObject(
      await this.command(
        "guest-exec",
        {
          path,
          arg,
          "capture-output": true,
          ...(input === undefined ? {} : { "input-data": Buffer.from(input).toString("base64") }),
        },
        { timeoutMs: left(), signal },
      ),
    );
    const pid = started?.pid;
    if (typeof pid !== "number") throw broken("guest-exec gave no process id");
    for (;;) {
      const status = asObject(await this.command("guest-exec-status", { pid }, { timeoutMs: left(), signal }));
      if (status === undefined) throw broken("guest-exec-status gave no object");
      if (status.exited === true) return execResult(status);
      if (performance.now() >= deadlineMs) throw silent(`${shown(path)} has not ended in time`, { pid });
      await sleep(Math.min(EXEC_POLL_MS, left()), undefined, { signal });
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  async #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(action, action);
    this.#turn = mine.catch(() => undefined);
    return await mine;
  }

  async #synchronize({ timeoutMs = SYNC_MS * this.#slowdown, signal }: AgentOptions): Promise<void> {
    const id = randomInt(1, 2 ** 31);
    const request = `${JSON.stringify({ execute: "guest-sync-delimited", arguments: { id } })}\n`;
    const flushed = Buffer.concat([Uint8Array.of(FLUSH), Buffer.from(request)]);
    this.#lines = this.#newReader();
    this.#synchronizing = true;
    try {
      await this.#exchange(flushed, (message) => message.return === id, { timeoutMs, signal });
      this.#synchronized = true;
    } finally {
      this.#synchronizing = false;
    }
  }

  /** Sends, and waits for the first message that is wanted; others are late answers and fall away. */
  async #exchange(
    request: string | Uint8Array,
    isWanted: (message: Record<string, unknown>) => boolean,
    options: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<Record<string, unknown>> {
    if (this.#gone) throw silent("the machine is gone");
    if (this.#socket.writableLength > MAX_UNREAD_BYTES) throw silent("nobody in the guest reads what is sent");
    let answered = false;
    try {
      const tooLate = () => silent("no answer in time");
      return await withinLimit<Record<string, unknown>>(options, tooLate, (resolve, reject) => {
        this.#answer = (message) => {
          if (message instanceof Error) return reject(message);
          if (!isWanted(message)) return;
          answered = true;
          resolve(message);
        };
        this.#socket.write(request);
        return () => {
          this.#answer = undefined;
        };
      });
    } finally {
      if (!answered) this.#synchronized = false;
    }
  }

  #newReader(): LineReader {
    const overflow = () => this.#answer?.(broken("sent a line without end"));
    return new LineReader(MAX_LINE_BYTES, (line) => this.#take(line), overflow);
  }

  #take(line: Uint8Array): void {
    const start = line.lastIndexOf(FLUSH) + 1;
    if (start === line.length) return;
    const message = parseObjectLine(line.subarray(start));
    if (message !== undefined) this.#answer?.(message);
    // The rest of an earlier answer, when the conversation begins anew.
    else if (!this.#synchronizing) this.#answer?.(broken("sent a line that is no answer"));
  }
}

function execResult(status: Record<string, unknown>): AgentExecResult {
  const stdout = outputOf(status["out-data"]);
  const stderr = outputOf(status["err-data"]);
  const { exitcode } = status;
  return {
    exitCode: typeof exitcode === "number" ? exitcode : null,
    stdout: stdout.text,
    stderr: stderr.text,
    truncated:
      stdout.truncated || stderr.truncated || status["out-truncated"] === true || status["err-truncated"] === true,
  };
}

function outputOf(value: unknown): { text: string; truncated: boolean } {
  const base64 = asText(value);
  // Four characters for three bytes.
  const bytes = Buffer.from(base64.slice(0, Math.ceil(MAX_OUTPUT_BYTES / 3) * 4), "base64");
  const text = bytes.subarray(0, MAX_OUTPUT_BYTES).toString("utf8");
  return { text, truncated: base64.length > Math.ceil(MAX_OUTPUT_BYTES / 3) * 4 };
}

function addressOf(entry: unknown): string[] {
  const { "ip-address": address, prefix } = asObject(entry) ?? {};
  if (typeof address !== "string" || typeof prefix !== "number" || !/^[0-9a-f.:]{2,45}$/i.test(address)) return [];
  return [`${address}/${prefix}`];
}

function silent(what: string, data: Record<string, unknown> = {}): RepriseError {
  return hypervisorError("GUEST_AGENT_SILENT", `the guest agent is silent: ${what}`, { data, retry: "later" });
}

function broken(what: string): RepriseError {
  return hypervisorError("GUEST_AGENT_PROTOCOL", `the guest agent ${plainConsoleText(what)}`, { retry: "later" });
}

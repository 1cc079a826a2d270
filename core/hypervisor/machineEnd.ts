// Why a machine ended: decided from QEMU's events, once, and the first reason counts.

import { setTimeout as sleep } from "node:timers/promises";
import { asObject, asText } from "./boundedJson.js";
import type { GuardedProcess, ProcessEnd } from "./guardedProcess.js";
import { shown } from "./hypervisorErrors.js";
import type { Screenshot } from "./picture.js";
import type { QmpClient, QmpEvent } from "./qmpClient.js";
import type { SerialLog } from "./serialLog.js";

export interface MachineEnd {
  kind:
    | "powered-off"
    /** More often than allowed. */
    | "rebooted"
    | "panicked"
    /** QEMU ended by itself, or somebody else killed it. */
    | "crashed"
    /** The accelerator gave up: emulation may still work. */
    | "internal-error"
    /** A disk could not be read or written; `description` says which. */
    | "disk-error"
    /** By `stop`. */
    | "killed";
  /** For people, one line. */
  description: string;
  /** Of QEMU. */
  exitCode: number | null;
  signalName: string | null;
  /** QEMU's last words on standard error, at most 4 KiB. */
  lastWords: string;
  /** What stood on the screen when the guest ended, where QEMU was still there to tell. */
  lastScreenshot: Screenshot | null;
  /** performance.now() when the reason was seen. */
  atMs: number;
}

type Reason = Pick<MachineEnd, "kind" | "description">;

export interface MachineWatchOptions {
  process: GuardedProcess;
  qmp: QmpClient;
  serial: SerialLog;
  rebootsAllowed: number;
  /** May fail. */
  screenshot(): Promise<Screenshot>;
}

const reportedPanic: Reason = { kind: "panicked", description: "the guest reported a panic" };
const PANIC_LINES = 200;
const PANIC = /Kernel panic - not syncing/;
const QUIT_MS = 3_000;
const LAST_LOOK_MS = 5_000;
/** After QEMU's last event the end of its process is near. */
const EVENT_GRACE_MS = 500;

export class MachineWatch {
  readonly #options: MachineWatchOptions;
  #reason: (Reason & { atMs: number }) | undefined;
  #decide: (reason: Reason) => void = () => {};
  #reboots = 0;
  #isStopping = false;
  readonly end: Promise<MachineEnd>;

  constructor(options: MachineWatchOptions) {
    this.#options = options;
    const decided = new Promise<void>((resolve) => {
      this.#decide = (reason) => {
        this.#reason ??= { ...reason, atMs: performance.now() };
        resolve();
      };
    });
    options.qmp.onEvent((event) => this.#take(event));
    this.end = this.#follow(decided);
  }

  /** How often the guest restarted. */
  get reboots(): number {
    return this.#reboots;
  }

  /** Ends the machine; returns when its process is gone. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#decide({ kind: "killed", description: "stopped by us" });
    await this.end;
  }

  async #follow(decided: Promise<void>): Promise<MachineEnd> {
    const { process } = this.#options;
    await Promise.race([decided, process.ended]);
    if (this.#reason === undefined && process.isGone) await sleep(EVENT_GRACE_MS);
    const isThere = !process.isGone && !this.#isStopping;
    const lastScreenshot = isThere ? await this.#lastLook() : null;
    await this.#quit();
    const ended = await process.ended;
    const reason = this.#reason ?? { ...crash(ended), atMs: performance.now() };
    return { ...reason, ...ended, lastScreenshot };
  }

  async #lastLook(): Promise<Screenshot | null> {
    const late = sleep(LAST_LOOK_MS, null, { ref: false });
    return await Promise.race([this.#options.screenshot().catch(() => null), late]);
  }

  async #quit(): Promise<void> {
    const { process, qmp } = this.#options;
    if (!process.isGone) await qmp.execute("quit", {}, { timeoutMs: QUIT_MS }).catch(() => undefined);
    await process.end(QUIT_MS);
    qmp.close();
  }

  #take({ name, data }: QmpEvent): void {
    if (name === "SHUTDOWN") this.#onShutdown(asText(data.reason));
    else if (name === "RESET") this.#onReset(data.guest === true);
    else if (name === "GUEST_PANICKED") this.#decide(reportedPanic);
    else if (name === "BLOCK_IO_ERROR") this.#onDiskError(data);
    else if (name === "STOP") void this.#onStop();
  }

  #onShutdown(reason: string): void {
    if (reason === "guest-shutdown") this.#decide({ kind: "powered-off", description: "the guest powered itself off" });
    else if (reason === "guest-panic") this.#decide(reportedPanic);
    else if (reason === "guest-reset") {
      this.#reboots++;
      this.#decide(this.#restartReason());
    }
  }

  #onReset(byGuest: boolean): void {
    if (!byGuest) return;
    this.#reboots++;
    if (this.#reboots > this.#options.rebootsAllowed || this.#panicWasPrinted()) this.#decide(this.#restartReason());
  }

  /** A kernel without a panic device prints its panic and restarts. */
  #restartReason(): Reason {
    if (this.#panicWasPrinted())
      return { kind: "panicked", description: "the guest printed a kernel panic and restarted" };
    const times = this.#reboots === 1 ? "" : ` ${this.#reboots} times`;
    return { kind: "rebooted", description: `the guest restarted${times}` };
  }

  #panicWasPrinted(): boolean {
    return this.#options.serial.lines.slice(-PANIC_LINES).some(({ text }) => PANIC.test(text));
  }

  #onDiskError(data: Record<string, unknown>): void {
    if (data.action !== "stop") return;
    const disk = shown(asText(data["node-name"]) || asText(data.device), 60);
    const operation = data.operation === "write" ? "written" : "read";
    const why = data.nospace === true ? "no space is left for what it writes" : shown(asText(data.reason));
    this.#decide({ kind: "disk-error", description: `a disk could not be ${operation} (${disk}): ${why}` });
  }

  /** The accelerator's failures have no event of their own. */
  async #onStop(): Promise<void> {
    const answer = await this.#options.qmp.execute("query-status").catch(() => undefined);
    if (asObject(answer)?.status === "internal-error")
      this.#decide({ kind: "internal-error", description: "the accelerator could not go on" });
  }
}

function crash({ exitCode, signalName, lastWords }: ProcessEnd): Reason {
  const how = signalName === null ? `with exit code ${exitCode}` : `by ${signalName}`;
  const words = shown(lastWords.split("\n").at(-1) ?? "");
  return { kind: "crashed", description: `QEMU ended ${how}${words === "" ? "" : `: ${words}`}` };
}

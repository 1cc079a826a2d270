// A machine while it is on: powering up from its disks until it is ready, and down again until nothing of it is left.

import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import type { RestoreTestRecord } from "../../format/restoreTestRecord.js";
import { type Accelerator, detectAccelerator } from "../../hypervisor/accelerator.js";
import type { RunningMachine } from "../../hypervisor/machine.js";
import type { Screenshot } from "../../hypervisor/picture.js";
import type { SerialConsole } from "../checks/check.js";
import { adviceOf, isTimeout, messageOf, verdictOfError } from "../checks/problems.js";
import type { MachineTest } from "../spec/restoreTestSpec.js";
import { type GuestSide, guestSideOf, isPortServed, NO_GUEST } from "./guestContext.js";
import { type IsolationProof, proveByArguments } from "./isolationProof.js";
import { endedResult, readyResult, unreadyResult } from "./ownResults.js";
import { type Readiness, waitUntilReady } from "./readySignal.js";
import type { RunLog } from "./runLog.js";
import type { TestDisks } from "./testDisks.js";

/** Longest between the end of a machine and the news of it. */
const END_NEWS_MS = 3_000;

export type Way = "instant" | "restored";

/** What the group does for its machine; it knows folder and network. */
export interface PowerSupply {
  /** Makes the disks ready; `signal` ends with the time for a restore. */
  provideDisks(way: Way, signal: AbortSignal): Promise<TestDisks>;
  start(disks: TestDisks, accelerator: Accelerator, signal: AbortSignal): Promise<RunningMachine>;
}

export class PoweredMachine {
  readonly #test: MachineTest;
  readonly #log: RunLog;
  readonly #supply: PowerSupply;
  readonly #signal: AbortSignal;
  #machine: RunningMachine | null = null;
  #disks: TestDisks | null = null;
  #isUp = false;
  guest: GuestSide = NO_GUEST;
  hypervisor: string | null = null;
  accelerator: Accelerator | null = null;
  readonly deviations: string[] = [];
  /** Of the machine that was started last. */
  overlays: RunningMachine["overlays"] = [];
  readonly rto: RestoreTestRecord["times"]["rto"] = [];
  /** How it was shut in, by the way it was started last. */
  proof: IsolationProof | null = null;
  teardown: RestoreTestRecord["integrity"]["teardown"] = { confirmed: true, observed: "nothing was started" };

  constructor(test: MachineTest, log: RunLog, supply: PowerSupply, signal: AbortSignal) {
    this.#test = test;
    this.#log = log;
    this.#supply = supply;
    this.#signal = signal;
  }

  /** False when it did not get ready; the reason is in the log. Rejects only with an abort. */
  async powerUp(way: Way): Promise<boolean> {
    const beganMs = this.#log.timeline.elapsed();
    try {
      this.accelerator ??= await detectAccelerator(this.#test.hardware.accelerator);
      const limit = AbortSignal.any([this.#signal, AbortSignal.timeout(this.#test.timeouts.restoreMs)]);
      this.#disks = await this.#log.phase(`disks, ${way}`, () => this.#supply.provideDisks(way, limit));
      const poweredMs = this.#log.timeline.elapsed();
      const readiness = await this.#boot(way);
      const bootMs = this.#log.timeline.elapsed() - poweredMs;
      this.#noteReadiness(way, readiness, { startMs: poweredMs, durationMs: bootMs });
      this.#isUp = readiness.state === "ready";
      if (!this.#isUp) return false;
      const restoreMs = poweredMs - beganMs;
      this.rto.push({ way, restoreMs, bootMs, serveMs: 0, totalMs: restoreMs + bootMs });
      return true;
    } catch (error) {
      this.#noteObstacle(error, way, beganMs);
      return false;
    }
  }

  /** Whether a machine that was ready is still there; to be asked before it is powered down. */
  async noteEarlyEnd(): Promise<void> {
    if (this.#machine === null || !this.#isUp) return;
    // A check that found it gone is a little ahead of the news.
    const waitMs = this.#log.holds ? 0 : END_NEWS_MS;
    const end = await Promise.race([this.#machine.end, sleep(waitMs, null)]);
    if (end !== null) this.#log.note(endedResult(end, this.#log.instant));
  }

  /** Does not throw: what could not be confirmed is said in `teardown`. */
  async powerDown(): Promise<void> {
    const machine = this.#machine;
    this.#machine = null;
    this.#isUp = false;
    this.guest = NO_GUEST;
    if (machine !== null) {
      this.#keepSerialLog(machine);
      try {
        await machine.stop();
        this.teardown = { confirmed: true, observed: `process ${machine.pid} has ended` };
      } catch (error) {
        this.teardown = { confirmed: false, observed: messageOf(error) };
      }
    }
    await this.#disks?.close();
    this.#disks = null;
  }

  /** What is on the screen, for a machine that did not do what it should. */
  async keepLastPicture(): Promise<void> {
    const machine = this.#machine;
    const picture = await machine?.screenshot().catch(() => lastScreenOf(machine));
    if (picture === undefined || picture === null) return;
    this.#log.keepArtifact({ name: "screen-at-the-end.png", mediaType: "image/png", bytes: picture.png });
  }

  /** With KVM chosen by ourselves, and KVM giving up on this machine, once more with emulation. */
  async #boot(way: Way): Promise<Readiness> {
    await this.#log.phase(`power on, ${way}`, () => this.#start());
    const readiness = await this.#log.phase(`boot, ${way}`, () => this.#waitUntilReady());
    if (readiness.state !== "broken" || !(await this.#hasKvmGivenUp())) return readiness;
    await this.#machine?.stop();
    this.accelerator = await detectAccelerator("tcg");
    this.deviations.push(`KVM could not run this machine (${readiness.reason}): started again with emulation`);
    await this.#log.phase(`power on, ${way}, emulated`, () => this.#start());
    return await this.#log.phase(`boot, ${way}, emulated`, () => this.#waitUntilReady());
  }

  async #hasKvmGivenUp(): Promise<boolean> {
    if (this.accelerator?.kind !== "kvm" || this.#test.hardware.accelerator !== "auto") return false;
    return (await this.#machine?.end)?.kind === "internal-error";
  }

  async #start(): Promise<void> {
    const machine = await this.#supply.start(this.#disks as TestDisks, this.accelerator as Accelerator, this.#signal);
    this.#machine = machine;
    this.hypervisor = `QEMU ${machine.version}`;
    this.deviations.push(...machine.notes.filter((note) => !this.deviations.includes(note)));
    this.guest = guestSideOf(machine, guestPortsOf(this.#test));
    this.overlays = machine.overlays;
    this.proof = proveByArguments(machine.arguments);
  }

  async #waitUntilReady(): Promise<Readiness> {
    const machine = this.#machine as RunningMachine;
    return await waitUntilReady(
      {
        signal: this.#test.ready,
        bootMs: this.#test.timeouts.bootMs,
        console: this.guest.serial as SerialConsole,
        agent: this.guest.agent,
        end: machine.end,
        answers: (port, signal) => isPortServed(machine, port, signal),
      },
      this.#signal,
    );
  }

  #noteReadiness(way: Way, readiness: Readiness, when: { startMs: number; durationMs: number }): void {
    const errors = this.#disks?.readErrors() ?? [];
    const told =
      readiness.state === "ready" || errors.length === 0
        ? readiness
        : { ...readiness, reason: `${readiness.reason}; its disk could not be read: ${errors.at(-1)}` };
    this.#log.note(readyResult(way, this.#test.ready, told, when));
  }

  /** The end of the whole test's time is a result, an interruption is not. */
  #noteObstacle(error: unknown, way: Way, startMs: number): void {
    if (this.#signal.aborted && !isTimeout(this.#signal.reason)) this.#signal.throwIfAborted();
    const isDamage = !isTimeout(error) && verdictOfError(error) === "fails";
    const reason = `the machine could not be started (${way}): ${adviceOf(error)}`;
    const when = { startMs, durationMs: this.#log.timeline.elapsed() - startMs };
    this.#log.note(unreadyResult(isDamage ? "failed" : "inconclusive", reason, when));
  }

  #keepSerialLog({ serial }: RunningMachine): void {
    const bytes = serial.contents();
    if (bytes.length > 0) this.#log.keepArtifact({ name: "serial.log", mediaType: "text/plain", bytes });
  }
}

/** Of a machine that has ended by itself. */
async function lastScreenOf({ end }: RunningMachine): Promise<Screenshot | null> {
  return await Promise.race([end.then(({ lastScreenshot }) => lastScreenshot), setImmediate(null)]);
}

/** Ports of the guest that the spec asks for. */
export function guestPortsOf({ checks, ready }: MachineTest): number[] {
  const ports = checks.flatMap((check) => (check.type === "tcp" || check.type === "http" ? [check.port] : []));
  return [...new Set(ready.port === null ? ports : [...ports, ready.port])];
}

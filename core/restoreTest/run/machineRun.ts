// One machine of a restore test, from its snapshot to its record: first the backup is looked at, then the machine is started
// from it, then asked. What goes wrong on the way is a result, never an error; only an abort ends it without a record.

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { qualifiedGroup } from "../../format/manifest.js";
import type { CheckResult, RestoreTestRecord } from "../../format/restoreTestRecord.js";
import { bounded } from "../../report/visibleText.js";
import type { Snapshot } from "../../repository/catalog.js";
import { silenceOf } from "../checks/agent.js";
import type { CheckContext, ChunkReport, ObservedArtifact } from "../checks/check.js";
import { impliedChecks } from "../checks/impliedChecks.js";
import { messageOf } from "../checks/problems.js";
import { runCheck, skippedCheck } from "../checks/runCheck.js";
import { forbiddenOnConsole } from "../checks/serial.js";
import { reportFolderName } from "../report/reportFiles.js";
import { LEVEL_OF_CHECK, reaches } from "../spec/checkLevels.js";
import type { CheckSpec, CheckType, MachineTest } from "../spec/restoreTestSpec.js";
import { buildRecord } from "./buildRecord.js";
import { describeCoverage } from "./coverage.js";
import { describeShape } from "./describeShape.js";
import { type IsolationProof, proveByListener, proveFromInside } from "./isolationProof.js";
import { keepOverlays } from "./keptOverlays.js";
import { overheardSupply } from "./overheardSupply.js";
import { consoleResult, isolationResult, unreadyResult } from "./ownResults.js";
import { PoweredMachine, type PowerSupply } from "./poweredMachine.js";
import type { PreparedMachine } from "./prepareMachine.js";
import { RunLog } from "./runLog.js";
import type { SharedRun } from "./sharedRun.js";

/** They may need a while after the machine is ready: repeated until the application's time is over. */
const OF_SERVICE: ReadonlySet<CheckType> = new Set(["tcp", "http", "command", "sql"]);
const OF_AGENT: ReadonlySet<CheckType> = new Set(["agent", "command", "sql"]);
/** How long a machine is watched after its last check. */
const SETTLE_MS = 3000;
/** For reading all of a backup; the whole test has a limit of its own. */
const READING_LIMIT_MS = 24 * 60 * 60 * 1000;

type Disposal = RestoreTestRecord["integrity"]["disposal"];

export class MachineRun {
  readonly #shared: SharedRun;
  readonly #prepared: PreparedMachine;
  readonly #runFolder: string;
  readonly #log: RunLog;
  readonly #power: PoweredMachine;
  readonly #innerProofs: IsolationProof[] = [];
  #chunkReport: ChunkReport | null = null;
  #volumesOpened = 0;
  #agentWasAwaited = false;
  /** Paths of overlays. */
  #kept: readonly string[] = [];

  constructor(shared: SharedRun, prepared: PreparedMachine, runFolder: string, supply: PowerSupply) {
    this.#shared = shared;
    this.#prepared = prepared;
    this.#runFolder = runFolder;
    const { request, options } = shared;
    this.#log = new RunLog(prepared.test.machine, request.repository.environment.now(), options.onEvent);
    const tellLine = options.onConsoleLine?.bind(null, prepared.test.machine);
    this.#power = new PoweredMachine(prepared.test, this.#log, overheardSupply(supply, tellLine), options.signal);
  }

  get snapshot(): Snapshot {
    return this.#prepared.chosen.snapshot;
  }

  /** As the history of tests names it. */
  get machine(): string {
    const { namespace, group } = this.snapshot.manifest;
    return qualifiedGroup(namespace, group);
  }

  get test(): MachineTest {
    return this.#prepared.test;
  }

  /** Whether all that is required of this machine has held so far. */
  get holds(): boolean {
    return this.#log.holds;
  }

  announce(): void {
    const { sid, manifest } = this.snapshot;
    const { machine, level } = this.test;
    const event = "machine-started";
    this.#shared.options.onEvent({ event, machine, snapshot: manifest.time, sid, level });
  }

  /** What is stored, and what can be read of it. */
  async checkBackup(): Promise<void> {
    for (const check of impliedChecks(this.test.level, READING_LIMIT_MS)) await this.#check(check);
    for (const check of this.#specChecks()) {
      if (isOfBackup(check)) await this.#check(check);
    }
    if (reaches(this.test.level, "readable")) this.#volumesOpened = await this.#countVolumes();
  }

  /** Starts the machine in each way the spec wants, the last one stays up, and asks it. */
  async checkMachine(gateway: string | null): Promise<void> {
    if (await this.#powerOn()) {
      await this.#checkGuest();
      await this.#proveIsolation(gateway);
      await this.#lookAgain();
    } else {
      this.#skipGuestChecks("the machine did not get ready");
    }
  }

  /** For a machine that is not even looked at. */
  skipAll(reason: string): void {
    const { startMs } = this.#log.instant;
    for (const check of impliedChecks(this.test.level, READING_LIMIT_MS)) {
      this.#log.note(skippedCheck(check, reason, startMs));
    }
    if (reaches(this.test.level, "boots")) this.#log.note(unreadyResult("skipped", reason, this.#log.instant));
    this.#skipGuestChecks(reason);
  }

  /** What kept the run from trying: nothing is known about the machine. */
  noteObstacle(reason: string): void {
    this.#log.note(unreadyResult("inconclusive", reason, this.#log.instant));
    this.#skipGuestChecks(reason);
  }

  /** Takes everything down. Does not throw: what could not be confirmed is in the record. */
  async tearDown(): Promise<void> {
    await this.#log.phase("teardown", async () => {
      await this.#power.noteEarlyEnd();
      if (!this.holds) await this.#power.keepLastPicture();
      await this.#power.powerDown();
      if (!this.holds) await this.#keepOverlays();
    });
  }

  async #keepOverlays(): Promise<void> {
    const { request, options, interruption } = this.#shared;
    const { overlays } = this.#power;
    if (overlays.length === 0 || interruption.aborted || !request.spec.keepOnFailure.includes("overlay")) return;
    const warn = (why: string) =>
      options.onWarning({ code: "OVERLAY_NOT_KEPT", message: `what ${this.test.machine} wrote is not kept: ${why}` });
    if (request.keepFolder === null) return warn("there is no folder for the report");
    try {
      this.#kept = await keepOverlays(overlays, join(request.keepFolder, reportFolderName(this.machine)));
    } catch (error) {
      warn(messageOf(error));
    }
  }

  /** When all is over and the folder of the run is gone. `previous`: digest of the machine's record before this one. */
  record(disposal: Disposal, previous: string | null): RestoreTestRecord {
    const { request, runId, listener } = this.#shared;
    const { chosen, shape, shapeNotes } = this.#prepared;
    const { hypervisor, accelerator, deviations, rto, proof, teardown } = this.#power;
    const started = hypervisor !== null;
    const outerProofs = proof === null ? [] : [proof, proveByListener(listener)];
    return buildRecord(
      {
        request,
        test: this.test,
        runId,
        recordId: request.repository.newId(),
        snapshot: chosen.snapshot,
        choice: [chosen.reason, ...chosen.notes],
        timeline: this.#log.timeline,
        results: this.#log.results,
        artifacts: this.artifacts,
        hypervisor,
        accelerator,
        hardware: started ? describeShape(shape) : [],
        deviations: [...shapeNotes, ...deviations],
        network: started ? request.spec.network.mode : "not-started",
        proofs: [...outerProofs, ...this.#innerProofs],
        rto,
        coverage: describeCoverage(this.#prepared, this.#log.results, this.#chunkReport, this.#volumesOpened),
        simulated: this.#shared.drill !== null,
        teardown,
        disposal: this.#disposalWith(disposal),
      },
      previous,
    );
  }

  #disposalWith({ confirmed, observed }: Disposal): Disposal {
    const kept = this.#kept.length === 0 ? "" : `; kept before: ${this.#kept.join(", ")}`;
    return { confirmed, observed: bounded(observed + kept) };
  }

  get artifacts(): readonly ObservedArtifact[] {
    return this.#log.artifacts;
  }

  async #powerOn(): Promise<boolean> {
    const isDamaged = this.#log.results.some(({ type, outcome }) => type === "chunks" && outcome === "failed");
    if (isDamaged) {
      const reason = "data of the snapshot is lost or damaged, so the machine was not started";
      this.#log.note(unreadyResult("skipped", reason, this.#log.instant));
      return false;
    }
    const { via } = this.test;
    if (via !== "both") return await this.#power.powerUp(via);
    const restored = await this.#power.powerUp("restored");
    await this.#power.powerDown();
    return restored && (await this.#power.powerUp("instant"));
  }

  /** First what counts for the recovery time, so that nothing else is in it. */
  async #checkGuest(): Promise<void> {
    const checks = this.#specChecks().filter((check) => !isOfBackup(check));
    const readyMs = this.#log.timeline.elapsed();
    let servedMs = readyMs;
    for (const check of checks.filter(({ type }) => OF_SERVICE.has(type))) {
      if (OF_AGENT.has(check.type)) await this.#awaitAgent();
      const { outcome, startMs, durationMs } = await this.#untilServed(check, readyMs);
      if (outcome === "passed") servedMs = Math.max(servedMs, startMs + durationMs);
    }
    this.#noteServed(servedMs - readyMs);
    for (const check of checks.filter(({ type }) => !OF_SERVICE.has(type))) {
      if (OF_AGENT.has(check.type)) await this.#awaitAgent();
      await this.#check(check);
    }
  }

  /** A machine may say that it is ready, and break down a moment later. */
  async #lookAgain(): Promise<void> {
    const { serial } = this.#power.guest;
    const startMs = this.#log.timeline.elapsed();
    await sleep(SETTLE_MS, undefined, { signal: this.#shared.options.signal }).catch(() => undefined);
    const durationMs = this.#log.timeline.elapsed() - startMs;
    this.#log.note(consoleResult(forbiddenOnConsole(serial?.text() ?? ""), { startMs, durationMs }));
  }

  #noteServed(serveMs: number): void {
    const last = this.#power.rto.at(-1);
    if (last === undefined) return;
    last.serveMs = serveMs;
    last.totalMs += serveMs;
  }

  /** Once, from now on. When it does not come, the checks that ask it say so. */
  async #awaitAgent(): Promise<void> {
    const { agent } = this.#context();
    if (agent === null || this.#agentWasAwaited) return;
    this.#agentWasAwaited = true;
    const late = AbortSignal.timeout(this.test.timeouts.agentMs);
    const signal = AbortSignal.any([late, this.#shared.options.signal]);
    await this.#log.phase("agent", () => silenceOf(agent, Number.POSITIVE_INFINITY, signal));
  }

  async #untilServed(check: CheckSpec, readyMs: number): Promise<CheckResult> {
    const { timeline } = this.#log;
    const { signal } = this.#shared.options;
    const deadlineMs = readyMs + this.test.timeouts.applicationMs;
    const startMs = timeline.elapsed();
    for (let attempts = 0; ; ) {
      const run = await runCheck(check, this.#context());
      attempts += run.result.attempts;
      const isLast = timeline.elapsed() + check.intervalMs >= deadlineMs || signal.aborted;
      if (run.result.outcome === "passed" || isLast) {
        const durationMs = timeline.elapsed() - startMs;
        return this.#log.keep({ ...run, result: { ...run.result, startMs, durationMs, attempts } });
      }
      await sleep(check.intervalMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Without a network there is nothing to try. */
  async #proveIsolation(gateway: string | null): Promise<void> {
    const { listener, options } = this.#shared;
    const startMs = this.#log.timeline.elapsed();
    const { proof, guest } = this.#power;
    if (gateway !== null) {
      const { agent, guestPorts } = guest;
      const attempt = { agent, gateway, listener, ownPorts: guestPorts, signal: options.signal };
      this.#innerProofs.push(...(await proveFromInside(attempt)));
    }
    const proofs = [...(proof === null ? [] : [proof]), proveByListener(listener), ...this.#innerProofs];
    this.#log.note(isolationResult(proofs, { startMs, durationMs: this.#log.timeline.elapsed() - startMs }));
  }

  /** Those whose file system opens. */
  async #countVolumes(): Promise<number> {
    const volumes = this.#prepared.disks?.tree.volumes;
    let opened = 0;
    for (const volume of (await volumes?.volumes().catch(() => [])) ?? []) {
      if ((await volumes?.describe(volume))?.fileSystem !== null) opened++;
    }
    return opened;
  }

  #skipGuestChecks(reason: string): void {
    const done = new Set(this.#log.results.map(({ id }) => id));
    for (const check of this.#specChecks()) {
      if (!done.has(check.id)) this.#log.note(skippedCheck(check, reason, this.#log.timeline.elapsed()));
    }
  }

  async #check(check: CheckSpec): Promise<CheckResult> {
    return this.#log.keep(await runCheck(check, this.#context()));
  }

  #context(): CheckContext {
    const { chosen, disks } = this.#prepared;
    const { timeline } = this.#log;
    const { guest } = this.#power;
    return {
      ...(this.#shared.drill?.guest(guest) ?? guest),
      snapshot: chosen.snapshot,
      disks,
      verifyChunks: (signal) => this.#verifyOnce(signal),
      runFolder: this.#runFolder,
      signal: this.#shared.options.signal,
      startedAtMs: timeline.startedAtMs,
      now: () => timeline.elapsed(),
    };
  }

  async #verifyOnce(signal: AbortSignal): Promise<ChunkReport> {
    this.#chunkReport ??= await this.#prepared.verifyChunks(signal);
    return this.#chunkReport;
  }

  #specChecks(): readonly CheckSpec[] {
    const { only } = this.#shared.request;
    return this.test.checks.filter(({ id }) => only === null || only.includes(id));
  }
}

/** Made before the machine is started, from the disks alone. */
function isOfBackup({ type }: CheckSpec): boolean {
  return !reaches(LEVEL_OF_CHECK[type], "boots");
}

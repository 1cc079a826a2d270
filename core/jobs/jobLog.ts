// What a job gathers for its report while it runs: a line for each machine, whatever becomes of it, and problems with the place in
// reprise.yml that they belong to.

import type { JobConfig, RepriseConfig } from "../config/repriseConfig.js";
import { errorToData, isAbort, isOurError } from "../errors.js";
import type { Outcome } from "../format/restoreTestRecord.js";
import type { JobReport, MachineReportLine, ReportOutcome, ReportProblem } from "../jobReport/jobReport.js";
import { worstOutcome } from "../jobReport/reportWords.js";
import type { OnWarning, Warning } from "../repository/warnings.js";
import { findMachine } from "./configJobs.js";
import type { JobOptions } from "./jobRequest.js";

/** What is known of one machine when a command is through with it. */
export type MachineResult = Pick<MachineReportLine, "outcome" | "reason"> &
  Partial<Pick<MachineReportLine, "snapshot" | "backup" | "verification" | "test" | "durationMs">>;

/** What it means for a machine that the work could not be done: a backup is missing then, a proof is only still to come. */
const NOT_DONE: Record<JobConfig["command"], "failed" | "inconclusive"> = {
  backup: "failed",
  verify: "inconclusive",
  "restore-test": "inconclusive",
  prune: "failed",
  sync: "failed",
};

/** Of many warnings of one kind the first ones say enough. */
const MAX_WARNINGS_OF_A_CODE = 20;

export class JobLog {
  readonly lines: MachineReportLine[] = [];
  readonly facts: JobReport["facts"] = [];
  readonly problems: ReportProblem[] = [];
  readonly #config: RepriseConfig;
  readonly #job: JobConfig;
  readonly #options: JobOptions;
  readonly #warningCounts = new Map<string, number>();
  #atLeast: ReportOutcome = "passed";

  constructor(config: RepriseConfig, job: JobConfig, options: JobOptions) {
    this.#config = config;
    this.#job = job;
    this.#options = options;
  }

  /** For core calls that are about no machine in particular. */
  readonly onWarning: OnWarning = (warning) => this.#warn(warning, null);

  get notDone(): "failed" | "inconclusive" {
    return NOT_DONE[this.#job.command];
  }

  /** Of the lines and problems so far. */
  get outcome(): ReportOutcome {
    const problems = this.problems.some(({ severity }) => severity === "warning") ? ["warned" as const] : [];
    return worstOutcome([this.#atLeast, ...problems, ...this.lines.map(({ outcome }) => outcome)]);
  }

  /**
   * Works on one machine and writes its line. An error becomes the reason of the line, and the next machine has its turn; only an
   * abort passes. Answers the result.
   */
  async machine(machine: string, work: (onWarning: OnWarning) => Promise<MachineResult>): Promise<MachineResult> {
    const { environment, signal, onEvent } = this.#options;
    signal.throwIfAborted();
    onEvent?.({ event: "machine-started", job: this.#job.name, machine });
    const startedMs = environment.now();
    const warnings: Warning[] = [];
    const onWarning: OnWarning = (warning) => {
      warnings.push(warning);
      this.#warn(warning, machine);
    };
    let result: MachineResult;
    try {
      result = withWarnings(await work(onWarning), warnings);
    } catch (error) {
      if (isAbort(error) || signal.aborted) {
        this.addLine(machine, { outcome: "inconclusive", reason: "cancelled while it was worked on" }, startedMs);
        throw error;
      }
      result = { outcome: this.notDone, reason: reasonOf(error) };
      this.addError(error, machine);
    }
    this.addLine(machine, result, startedMs);
    return result;
  }

  /** For commands that work on several machines at a time. */
  addLine(machine: string, result: MachineResult, startedMs: number = this.#options.environment.now()): void {
    const nowMs = this.#options.environment.now();
    const parts = { snapshot: null, backup: null, verification: null, test: null, state: null };
    const times = { finishedAt: new Date(nowMs).toISOString(), durationMs: Math.max(0, nowMs - startedMs) };
    this.lines.push({ machine, job: this.#job.name, ...parts, ...times, ...result });
    const { outcome, reason } = result;
    this.#options.onEvent?.({ event: "machine-finished", job: this.#job.name, machine, outcome, reason });
  }

  /** The same for those that have no line yet. */
  addLines(machines: readonly string[], result: MachineResult, startedMs?: number): void {
    for (const machine of machines) {
      if (!this.lines.some((line) => line.machine === machine)) this.addLine(machine, result, startedMs);
    }
  }

  /** Worsens the whole when it is about no machine. */
  addError(error: unknown, machine: string | null, severity: "error" | "warning" = "error"): void {
    const { code = "INTERNAL_ERROR", hint = null } = isOurError(error) ? error : {};
    if (machine === null && severity === "error") this.worsen(this.notDone);
    this.addProblem({ severity, code, message: reasonOf(error), hint, machine });
  }

  addProblem(
    problem: Pick<ReportProblem, "severity" | "code" | "message" | "hint" | "machine"> &
      Partial<Pick<ReportProblem, "file" | "line" | "column">>,
  ): void {
    const line = findMachine(this.#config, problem.machine ?? "")?.line ?? this.#job.line;
    this.problems.push({ file: this.#config.fileName, line, column: null, ...problem });
  }

  worsen(outcome: ReportOutcome): void {
    this.#atLeast = worstOutcome([this.#atLeast, outcome]);
  }

  #warn(warning: Warning, machine: string | null): void {
    this.#options.onWarning(warning);
    const { code, message } = warning;
    const count = 1 + (this.#warningCounts.get(code) ?? 0);
    this.#warningCounts.set(code, count);
    if (count > MAX_WARNINGS_OF_A_CODE) return;
    this.addProblem({ severity: "warning", code, message, hint: null, machine });
  }
}

function withWarnings(result: MachineResult, [first, ...more]: readonly Warning[]): MachineResult {
  if (first === undefined || result.outcome !== "passed") return result;
  const others = more.length === 0 ? "" : ` (and ${more.length} more)`;
  return { ...result, outcome: "warned", reason: `${result.reason}; ${first.message}${others}` };
}

/** One sentence about an error, of ours or not. */
export function reasonOf(error: unknown): string {
  const { name, message } = errorToData(error);
  return isOurError(error) ? message : `${name}: ${message}`;
}

/** What machines that a cancelled job has not come to get as their line. */
export const NOT_REACHED: MachineResult & { outcome: Outcome } = {
  outcome: "skipped",
  reason: "the job was cancelled before its turn",
};

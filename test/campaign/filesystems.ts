// Mutated images by the thousand for the readers of partitions, volumes and file systems: no hang, no foreign error, bounded
// memory. They are read in a thread of their own, which is ended when one image takes too long or too much memory; the
// next one goes on behind it.

import { Worker } from "node:worker_threads";
import { type FuzzReport, MAX_RUN_MS } from "../filesystem/fuzzReader.js";
import { type Campaign, type CampaignOptions, mebibytes, printTable } from "./campaign.js";
import { subjectsOfReaders } from "./filesystemSubjects.js";
import type { WorkerMessage, WorkerTask } from "./filesystemWorker.js";

export const filesystemsCampaign: Campaign = {
  summary:
    "10,000 mutated images of each file system reader [--reader NAME]: no hang, no foreign error, bounded memory",
  defaultCount: 10_000,
  run: runFilesystems,
};

/** Of the heap; what buffers take is watched by fuzzReader. */
const MAX_HEAP_MIB = 512;
/** A run that the thread does not end by itself, and a margin for a machine that does other work. */
const WATCHDOG_MS = MAX_RUN_MS + 3000;
const LOOK_EVERY_MS = 500;
/** Making the image and reading it for the first time. */
const START_MS = 120_000;
const NOT_STARTED = -1;
const HANGS = "still in run";

async function runFilesystems({ count, seed, reader }: CampaignOptions): Promise<string[]> {
  const names = Object.keys(subjectsOfReaders);
  if (reader !== undefined && !names.includes(reader)) {
    return [`there is no reader ${reader}; there are ${names.join(", ")}`];
  }
  const violations: string[] = [];
  const rows: (string | number)[][] = [];
  for (const name of reader === undefined ? names : [reader]) {
    const subjects = subjectsOfReaders[name] ?? [];
    for (const [i, subject] of subjects.entries()) {
      const started = performance.now();
      const total = Math.ceil(count / subjects.length);
      const report = await trySubject(subject.name, { reader: name, subject: i, seed }, total);
      violations.push(...report.violations);
      rows.push(rowOf(subject.name, report));
      console.log(`${subject.name}: ${report.runs} runs in ${Math.round((performance.now() - started) / 1000)} s`);
    }
  }
  printTable(["image", "runs", "opened", "errors", "slowest ms", "peak buffers", "violations"], rows);
  return violations;
}

function rowOf(name: string, report: FuzzReport): (string | number)[] {
  const errors = Object.values(report.errors).reduce((sum, times) => sum + times, 0);
  const { runs, opened, slowestMs, peakBytes, violations } = report;
  return [name, runs, opened, errors, Math.round(slowestMs), mebibytes(peakBytes), violations.length];
}

async function trySubject(
  name: string,
  task: Pick<WorkerTask, "reader" | "subject" | "seed">,
  total: number,
): Promise<FuzzReport> {
  const sum: FuzzReport = { runs: 0, opened: 0, errors: {}, slowestMs: 0, peakBytes: 0, violations: [] };
  let firstRun = 0;
  while (firstRun < total) {
    const { report, stoppedAt, reason } = await tryInThread({ ...task, firstRun, count: total - firstRun });
    add(sum, report);
    if (reason === null) break;
    if (stoppedAt === NOT_STARTED) throw new Error(`${name}: ${reason} before the first run`);
    const confirmed = reason.startsWith(HANGS) ? await hangsAgain(task, stoppedAt) : true;
    if (confirmed) sum.violations.push(`${name}, seed ${task.seed}, run ${stoppedAt}: ${reason}`);
    firstRun = stoppedAt + 1;
  }
  sum.runs = total;
  return sum;
}

/** A busy machine may have stood still: what counts happens again. */
async function hangsAgain(task: Pick<WorkerTask, "reader" | "subject" | "seed">, run: number): Promise<boolean> {
  return (await tryInThread({ ...task, firstRun: run, count: 1 })).reason !== null;
}

interface ThreadResult {
  report: FuzzReport;
  /** The run that it was in. */
  stoppedAt: number;
  /** Why it was ended; null: it came to its end. */
  reason: string | null;
}

async function tryInThread(task: Omit<WorkerTask, "current">): Promise<ThreadResult> {
  const current = new SharedArrayBuffer(4);
  const numbers = new Int32Array(current).fill(NOT_STARTED);
  let report: FuzzReport = { runs: 0, opened: 0, errors: {}, slowestMs: 0, peakBytes: 0, violations: [] };
  const worker = new Worker(new URL("./filesystemWorker.js", import.meta.url), {
    workerData: { ...task, current } satisfies WorkerTask,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB },
  });
  let watchdog: NodeJS.Timeout | undefined;
  const reason = await new Promise<string | null>((resolve) => {
    worker.on("message", (message: WorkerMessage) => {
      report = message.report;
      if (message.kind === "done") resolve(null);
    });
    worker.on("error", (error) => resolve(`${error.message}\n${error.stack}`));
    worker.on("exit", (code) => resolve(`the thread ended with code ${code}`));
    watchdog = watch(numbers, (run) => resolve(`${HANGS} ${run} after ${WATCHDOG_MS} ms`));
  });
  const stoppedAt = numbers[0] as number;
  clearInterval(watchdog);
  await worker.terminate();
  return { report, stoppedAt, reason };
}

function watch(numbers: Int32Array, onHang: (run: number) => void): NodeJS.Timeout {
  let seen = NOT_STARTED;
  let seenAt = performance.now();
  return setInterval(() => {
    const run = Atomics.load(numbers, 0);
    if (run !== seen) {
      seen = run;
      seenAt = performance.now();
    } else if (performance.now() - seenAt > (run === NOT_STARTED ? START_MS : WATCHDOG_MS)) {
      onHang(run);
    }
  }, LOOK_EVERY_MS);
}

function add(sum: FuzzReport, { opened, errors, slowestMs, peakBytes, violations }: FuzzReport): void {
  sum.opened += opened;
  sum.slowestMs = Math.max(sum.slowestMs, slowestMs);
  sum.peakBytes = Math.max(sum.peakBytes, peakBytes);
  sum.violations.push(...violations);
  for (const [code, times] of Object.entries(errors)) sum.errors[code] = (sum.errors[code] ?? 0) + times;
}

// The thread that tries mutated images: whoever started it sees which run it is in, and ends it when that does not end.

import { parentPort, workerData } from "node:worker_threads";
import { type FuzzReport, type FuzzSubject, fuzzReader } from "../filesystem/fuzzReader.js";
import { subjectsOfReaders } from "./filesystemSubjects.js";

export interface WorkerTask {
  reader: string;
  /** Which of the reader's images. */
  subject: number;
  seed: number;
  firstRun: number;
  count: number;
  /** The number of the run that is under way: 32 bits. */
  current: SharedArrayBuffer;
}

export type WorkerMessage = { kind: "progress" | "done"; report: FuzzReport };

const RUNS_PER_MESSAGE = 200;

const { reader, subject, seed, firstRun, count, current } = workerData as WorkerTask;
const numbers = new Int32Array(current);
let told = 0;

const tell = (kind: WorkerMessage["kind"], report: FuzzReport) =>
  parentPort?.postMessage({ kind, report: structuredClone(report) } satisfies WorkerMessage);

const report = await fuzzReader(subjectsOfReaders[reader]?.[subject] as FuzzSubject, {
  seed,
  firstRun,
  count,
  onRun: (run, soFar) => {
    Atomics.store(numbers, 0, run);
    if (soFar.runs + soFar.violations.length < told + RUNS_PER_MESSAGE) return;
    told = soFar.runs + soFar.violations.length;
    tell("progress", soFar);
  },
});
tell("done", report);

// Mutated images for every reader of a file system: each run spoils a few bytes where the reader looks for structures, then
// opens the image, walks all of it within a budget, and puts the bytes back. A run depends on seed and number only.

import { isOurError } from "../../core/errors.js";
import type { BlockReader, ReadOptions } from "../../core/filesystem/blockReader.js";
import type { DataRange, FileSystem } from "../../core/filesystem/fileSystem.js";
import { Chance } from "../campaign/campaign.js";
import { type NoteError, walkDamaged } from "./fuzzWalk.js";
import { walkFileSystem } from "./treeWalk.js";

/** One image of one reader. */
export interface FuzzSubject {
  name: string;
  /** Its own copy: it is changed and changed back. */
  image(): Promise<Uint8Array>;
  open(reader: BlockReader): Promise<FileSystem>;
  /** What is done instead of walking, where there is no tree to walk. */
  explore?(reader: BlockReader, note: NoteError): Promise<void>;
}

export interface FuzzOptions {
  seed: number;
  count: number;
  /** The number of the first run; to repeat a run that went wrong, with a count of 1. */
  firstRun?: number;
  /** No new run is started after so many milliseconds. */
  maxMs?: number;
  /** Told before each run, with what there is so far. */
  onRun?: (run: number, report: Readonly<FuzzReport>) => void;
}

export interface FuzzReport {
  runs: number;
  /** Runs whose image could be opened, in spite of the changes. */
  opened: number;
  /** Errors of ours that were allowed, by code. */
  errors: Record<string, number>;
  slowestMs: number;
  /** The most memory that one run took for buffers. */
  peakBytes: number;
  /** What went against a promise, with the seed and number of the run. */
  violations: string[];
}

const ALLOWED_FAMILIES = new Set(["corrupt", "unsupported", "not-found", "usage", "format"]);
/** Of processor time: what else the machine does is not the reader's fault. */
export const MAX_RUN_MS = 5000;
const MAX_MEMORY_BYTES = 512 * 1024 * 1024;
const READS_PER_LOOK_AT_MEMORY = 1024;
const MAX_MUTATIONS = 6;
const WALK = { maxEntries: 2000, maxFileBytes: 256 * 1024, maxLookups: 50 };

export async function fuzzReader(subject: FuzzSubject, options: FuzzOptions): Promise<FuzzReport> {
  const image = await subject.image();
  const places = await structurePlaces(subject, image);
  const report: FuzzReport = { runs: 0, opened: 0, errors: {}, slowestMs: 0, peakBytes: 0, violations: [] };
  const started = performance.now();
  const { seed, count, firstRun = 0, maxMs = Number.POSITIVE_INFINITY, onRun } = options;
  for (let run = firstRun; run < firstRun + count && performance.now() - started < maxMs; run++) {
    onRun?.(run, report);
    const undo = mutate(image, places, new Chance(seed * 1_000_003 + run));
    const problems = await tryOne(subject, image, report);
    undo();
    for (const problem of problems) report.violations.push(`${subject.name}, seed ${seed}, run ${run}: ${problem}`);
    report.runs++;
  }
  return report;
}

/** Where the reader reads while it looks at everything but the contents of files. */
async function structurePlaces(subject: FuzzSubject, image: Uint8Array): Promise<DataRange[]> {
  const reader = new WatchedReader(image);
  if (subject.explore !== undefined) await subject.explore(reader, () => {});
  else await walkFileSystem(await subject.open(reader), { maxFileBytes: 0 });
  return reader.ranges;
}

async function tryOne(subject: FuzzSubject, image: Uint8Array, report: FuzzReport): Promise<string[]> {
  const problems = new Set<string>();
  const reader = new WatchedReader(image, processorMs() + MAX_RUN_MS);
  const note = (_path: string, error: unknown) => {
    if (isOurError(error) && ALLOWED_FAMILIES.has(error.family)) {
      report.errors[error.code] = (report.errors[error.code] ?? 0) + 1;
    } else {
      problems.add(error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
  };
  const started = processorMs();
  try {
    if (subject.explore !== undefined) {
      await subject.explore(reader, note);
      report.opened++;
    } else {
      const fileSystem = await subject.open(reader);
      report.opened++;
      await walkDamaged(fileSystem, reader.sizeBytes, WALK, note);
    }
  } catch (error) {
    note("/", error);
  }
  reader.checkMemory();
  const tookMs = processorMs() - started;
  report.slowestMs = Math.max(report.slowestMs, tookMs);
  report.peakBytes = Math.max(report.peakBytes, reader.peakBytes);
  if (tookMs > MAX_RUN_MS) problems.add(`took ${Math.round(tookMs)} ms`);
  if (reader.peakBytes > MAX_MEMORY_BYTES) problems.add(`took ${Math.round(reader.peakBytes / 2 ** 20)} MiB`);
  return [...problems];
}

function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Memory as a device that remembers what was read, never lets a read outside pass, and ends runs that take too long. */
class WatchedReader implements BlockReader {
  readonly ranges: DataRange[] = [];
  peakBytes = 0;
  readonly #bytes: Uint8Array;
  readonly #deadline: number;
  readonly #memoryBefore = process.memoryUsage().arrayBuffers;
  #reads = 0;

  constructor(bytes: Uint8Array, deadline = Number.POSITIVE_INFINITY) {
    this.#bytes = bytes;
    this.#deadline = deadline;
  }

  get sizeBytes(): number {
    return this.#bytes.length;
  }

  async read(buffer: Uint8Array, offset: number, options: ReadOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    if (!Number.isSafeInteger(offset) || offset < 0 || offset + buffer.length > this.#bytes.length) {
      throw new Error(`read of ${buffer.length} bytes at ${offset}, outside the device`);
    }
    if (processorMs() > this.#deadline) throw new Error(`still reading after ${MAX_RUN_MS} ms`);
    if (++this.#reads % READS_PER_LOOK_AT_MEMORY === 0) this.checkMemory();
    if (this.#deadline === Number.POSITIVE_INFINITY) this.ranges.push({ offset, length: buffer.length });
    buffer.set(this.#bytes.subarray(offset, offset + buffer.length));
  }

  checkMemory(): void {
    this.peakBytes = Math.max(this.peakBytes, process.memoryUsage().arrayBuffers - this.#memoryBefore);
  }
}

type Mutation = (bytes: Uint8Array, chance: Chance) => void;

/** What may happen to up to 64 bytes. */
const mutations: Mutation[] = [
  (bytes, chance) => {
    bytes[chance.below(bytes.length)]! ^= 1 << chance.below(8);
  },
  (bytes, chance) => {
    bytes[chance.below(bytes.length)] = chance.below(256);
  },
  // numbers at the ends of their ranges, and small ones, in either order of bytes
  (bytes, chance) => {
    const width = chance.pick([1, 2, 4, 8]);
    const at = Math.floor(chance.below(bytes.length) / width) * width;
    const filler = chance.pick([0x00, 0xff]);
    bytes.fill(filler, at, at + width);
    const end = chance.pick([at, at + width - 1]);
    if (end < bytes.length && chance.below(2) === 0)
      bytes[end] = chance.pick([0x01, 0x7f, 0x80, 0xfe, chance.below(16)]);
  },
  (bytes, chance) => {
    for (let i = 0; i < bytes.length; i++) bytes[i] = chance.below(256);
  },
  (bytes, chance) => bytes.fill(chance.pick([0x00, 0xff])),
  // inserts
  (bytes, chance) => {
    const shift = 1 + chance.below(8);
    bytes.copyWithin(shift, 0);
    for (let i = 0; i < Math.min(shift, bytes.length); i++) bytes[i] = chance.below(256);
  },
  // removes
  (bytes, chance) => bytes.copyWithin(0, 1 + chance.below(8)),
];

/** Answers what puts everything back. */
function mutate(image: Uint8Array, places: readonly DataRange[], chance: Chance): () => void {
  const before: { offset: number; bytes: Uint8Array }[] = [];
  const pickPlace = (): { offset: number; length: number } => {
    const range = chance.pick(places);
    const offset = range.offset + chance.below(range.length);
    return { offset, length: Math.min(1 + chance.below(64), range.offset + range.length - offset) };
  };
  const count = 1 + chance.below(MAX_MUTATIONS);
  for (let i = 0; i < count; i++) {
    const { offset, length } = pickPlace();
    const target = image.subarray(offset, offset + length);
    before.unshift({ offset, bytes: target.slice() });
    if (chance.below(8) > 0) {
      chance.pick(mutations)(target, chance);
    } else {
      // what is sound elsewhere
      const other = pickPlace();
      target.set(image.slice(other.offset, other.offset + Math.min(other.length, length)));
    }
  }
  return () => {
    for (const { offset, bytes } of before) image.set(bytes, offset);
  };
}

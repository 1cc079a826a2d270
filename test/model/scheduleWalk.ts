// One seeded schedule of whole product operations side by side on one storage: backups through the real chunker, collections
// with probe and repacking, forgetting; with crashes, lost replies, late requests and listings in pages. Unlike the
// explorer it tries few orders of many steps. After every change it looks whether a snapshot has lost anything.

import assert from "node:assert/strict";
import { isOurError } from "../../core/errors.js";
import { folder, type Sid } from "../../core/format/ids.js";
import { BlobReader } from "../../core/repository/blobReader.js";
import { loadCatalog } from "../../core/repository/catalog.js";
import { openWithKeyring } from "../../core/repository/openRepository.js";
import { loadPresenceForReading } from "../../core/repository/presence.js";
import { visitReachable } from "../../core/repository/reachability.js";
import type { Backend } from "../../core/storage/backend.js";
import { MemoryBackend } from "../../core/storage/memoryBackend.js";
import { assertSnapshots, assertTidy, type Finished } from "../crash/crashed.js";
import { join, noise } from "../support/sampleBytes.js";
import { type PendingOperation, Scheduler } from "../support/steppedBackend.js";
import { TestRepository } from "../support/testRepository.js";
import { SeededChoice } from "./seededChoice.js";

export interface ScheduleWalk {
  steps: number;
  crashes: number;
  /** How the operations ended: "done", or the code of the error. */
  endings: Record<string, number>;
}

/** Reasons to fail that a disturbed storage or another process gives. */
const EXCUSES = new Set(["STORAGE_FAILED", "SESSION_FENCED", "COMMIT_UNCERTAIN", "GC_PROBE_FAILED"]);
const PROCESSES = 10;
const SIDE_BY_SIDE = 4;
const DISKS = 5;
/** How much faster than the slowest a process may be: 2 to this. */
const SPEEDS = 7;

/** Throws an AssertionError that names the seed and what was done. */
export async function walkSchedule(seed: number): Promise<ScheduleWalk> {
  const walk = new Walk(seed);
  try {
    return await walk.run();
  } catch (error) {
    throw new assert.AssertionError({
      message: `seed ${seed}: ${(error as Error).message}\n  ${walk.trace.slice(-150).join("\n  ")}`,
    });
  }
}

class Walk {
  readonly trace: string[] = [];
  readonly #choice: SeededChoice;
  readonly #scheduler: Scheduler;
  readonly #disturbed: boolean;
  readonly #memory = new MemoryBackend({ now: () => 0 });
  readonly #result: ScheduleWalk = { steps: 0, crashes: 0, endings: {} };
  /** Acknowledged and not forgotten. */
  readonly #finished = new Map<Sid, Finished>();
  readonly #forgotten = new Set<Sid>();
  readonly #speeds = new Map<string, number>();
  #started = 0;
  #made!: TestRepository;

  constructor(seed: number) {
    this.#choice = new SeededChoice(seed);
    this.#disturbed = this.#choice.happens(0.5);
    const pageEntries = this.#choice.happens(0.5) ? 1 + this.#choice.below(3) : Number.POSITIVE_INFINITY;
    this.#scheduler = new Scheduler({ pageEntries });
  }

  async run(): Promise<ScheduleWalk> {
    const encrypted = this.#choice.happens(0.3);
    this.#made = await TestRepository.make({ backend: this.#memory, encrypted, seed: this.#choice.below(1000) });
    for (let i = 0; i < 3; i++) await this.#backUp(this.#made, i);
    const [oldest] = this.#finished.keys();
    await this.#forget(this.#made, oldest!);
    for (;;) {
      const running = this.#scheduler.running().length;
      const mayStart = this.#started < PROCESSES && running < SIDE_BY_SIDE;
      if (mayStart && (running === 0 || this.#choice.happens(0.05))) await this.#startProcess();
      else if (running > 0) await this.#step();
      else break;
    }
    await this.#afterwards();
    return this.#result;
  }

  async #step(): Promise<void> {
    const pending = this.#scheduler.pending();
    const zombies = this.#scheduler.zombies();
    this.#result.steps++;
    if (zombies.length > 0 && this.#choice.happens(0.05)) {
      const index = this.#choice.below(zombies.length);
      this.#note(zombies[index]!, "arrives late");
      await this.#scheduler.stepZombie(index);
      return this.#look(zombies[index]!);
    }
    const index = this.#chooseBySpeed(pending);
    const chosen = pending[index]!;
    if (this.#choice.happens(0.004)) return this.#crash(chosen.process);
    const lost = this.#disturbed && this.#choice.happens(0.01);
    this.#note(chosen, lost ? "reply lost" : "");
    await this.#scheduler.step(index, lost ? "lost" : "given");
    await this.#look(chosen);
  }

  async #crash(process: string): Promise<void> {
    this.trace.push(`${process}: crashes`);
    this.#result.crashes++;
    this.#scheduler.crash(process);
    await this.#scheduler.settle();
  }

  /** Some processes stand nearly still for a while: races need one that is late by much. */
  #chooseBySpeed(pending: readonly PendingOperation[]): number {
    const weights = pending.map(({ process }) => {
      if (!this.#speeds.has(process) || this.#choice.happens(0.02)) {
        this.#speeds.set(process, 2 ** this.#choice.below(SPEEDS));
      }
      return this.#speeds.get(process)!;
    });
    let left = this.#choice.next() * weights.reduce((sum, weight) => sum + weight, 0);
    const chosen = weights.findIndex((weight) => {
      left -= weight;
      return left < 0;
    });
    return Math.max(0, chosen);
  }

  async #startProcess(): Promise<void> {
    const number = this.#started++;
    const kind = this.#choice.pick(["backup", "backup", "gc", "gc", "forget"]);
    const name = `${kind}${number}`;
    this.trace.push(`${name}: starts`);
    const run = async (backend: Backend) => {
      const repository = this.#sameRepository(backend);
      if (kind === "backup") await this.#backUp(repository, this.#choice.below(DISKS));
      else if (kind === "gc") await this.#collect(repository);
      else await this.#forgetSomething(repository);
    };
    this.#scheduler.spawn(name, this.#memory, run).then(
      () => this.#count("done"),
      (error: unknown) => this.#count(isOurError(error) ? error.code : `BUG: ${(error as Error).stack}`),
    );
    await this.#scheduler.settle();
  }

  /** Opening is no part of the protocol. */
  #sameRepository(backend: Backend): TestRepository {
    const { config, keyring, environment } = this.#made.repository;
    const repository = openWithKeyring(backend, config, keyring, { environment, cacheFolder: null });
    return new TestRepository(repository, this.#made.environment, null);
  }

  #count(ending: string): void {
    this.#result.endings[ending] = (this.#result.endings[ending] ?? 0) + 1;
  }

  async #backUp(repository: TestRepository, variant: number): Promise<void> {
    const disks = { disk: diskOf(variant) };
    const manifest = await repository.backUp(`vm/${variant}`, disks);
    if (!this.#forgotten.has(manifest.sid)) this.#finished.set(manifest.sid, { manifest, disks });
  }

  async #collect(repository: TestRepository): Promise<void> {
    const fenceAfterMs = this.#choice.happens(0.5) ? 0 : 1;
    await repository.gc({ fenceAfterMs, maxUnused: this.#choice.happens(0.7) ? 0 : 0.3 });
  }

  async #forgetSomething(repository: TestRepository): Promise<void> {
    const { snapshots } = await repository.catalog();
    if (snapshots.length > 0) await this.#forget(repository, this.#choice.pick(snapshots).sid);
  }

  async #forget(repository: TestRepository, sid: Sid): Promise<void> {
    this.#forgotten.add(sid);
    this.#finished.delete(sid);
    await repository.forget(sid);
  }

  /** What every snapshot needs is in a pack that is there, and what was acknowledged exists. */
  async #look({ operation, key }: PendingOperation): Promise<void> {
    const changes = operation === "delete" || operation === "put" || operation === "putIfAbsent";
    if (!changes || !WATCHED.some((prefix) => key.startsWith(prefix))) return;
    const { repository, options } = this.#made;
    const { snapshots } = await loadCatalog(repository, options);
    const { index } = await loadPresenceForReading(repository, options);
    let lost = 0;
    const visitor = {
      onBlob: (id: Uint8Array) => void (index.has(id) || lost++),
      onUnreadable: () => void lost++,
    };
    await visitReachable(snapshots, new BlobReader(repository, index), visitor);
    assert.equal(lost, 0, "a snapshot has lost something");
    const there = new Set(snapshots.map(({ sid }) => sid));
    for (const sid of this.#finished.keys()) assert.ok(there.has(sid), `the acknowledged snapshot ${sid} has vanished`);
  }

  async #afterwards(): Promise<void> {
    while (this.#scheduler.zombies().length > 0) {
      const [zombie] = this.#scheduler.zombies();
      this.#note(zombie!, "arrives late");
      await this.#scheduler.stepZombie(0);
      await this.#look(zombie!);
    }
    assert.deepEqual(this.#scheduler.running(), []);
    const odd = Object.keys(this.#result.endings).filter((ending) => ending !== "done" && !EXCUSES.has(ending));
    assert.deepEqual(odd, [], "operations failed without a reason");
    if (!this.#disturbed) assert.ok(!("STORAGE_FAILED" in this.#result.endings));
    const unsure = (await this.#made.catalog()).snapshots.filter(({ sid }) => !this.#finished.has(sid));
    for (const { manifest } of unsure) {
      this.#finished.set(manifest.sid, { manifest, disks: { disk: diskOf(Number(manifest.group.slice(3))) } });
    }
    await this.#made.gc();
    await this.#made.gc();
    await assertSnapshots(this.#made, [...this.#finished.values()], "at the end");
    assert.equal((await this.#made.verify()).ok, true, "verify --read-data at the end");
    await assertTidy(this.#made, "at the end");
  }

  #note({ process, operation, key }: PendingOperation, how: string): void {
    if (key.startsWith("probe/") && how === "") return;
    this.trace.push(`${process}: ${operation} ${key} ${how}`.trimEnd());
  }
}

const WATCHED = [folder.packs, folder.snapshots, folder.forgotten];

/** Disks that share some of their chunks: each has two stretches of four. */
function diskOf(variant: number): Uint8Array {
  const stretch = (number: number) => noise(100 + (number % DISKS), 50_000);
  return join(stretch(variant), new Uint8Array(70_000), stretch(variant + 1), noise(variant, 20_000));
}

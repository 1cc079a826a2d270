// A life of one repository on a real server behind a fault proxy: two writers and a collector at once, each with connections of
// its own that break, against a plain map of what was finished. In the end, without faults: everything that was finished is
// there and whole, nothing else is, and what is garbage goes.

import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { backUp } from "../../core/backup/backup.js";
import { isOurError, type RepriseError } from "../../core/errors.js";
import { applyPrune, forgetSnapshots, planRepositoryPrune } from "../../core/forget/forget.js";
import type { Sid } from "../../core/format/ids.js";
import { collectGarbage, DEFAULT_FENCE_AFTER_MS } from "../../core/gc/collect.js";
import { loadCatalog, type Snapshot } from "../../core/repository/catalog.js";
import { openRepository } from "../../core/repository/openRepository.js";
import { loadPresenceForReading } from "../../core/repository/presence.js";
import { type Environment, type Repository, systemEnvironment } from "../../core/repository/repository.js";
import { restoreStream } from "../../core/restore/restoreStream.js";
import { openRawSource } from "../../core/source/rawSource.js";
import { verifyRepository } from "../../core/verify/verify.js";
import { listKeys } from "../support/listing.js";
import { noise, prose } from "../support/sampleBytes.js";
import { TEST_PASSPHRASE, TestRepository } from "../support/testRepository.js";
import type { FaultyPlace } from "./faultyPlaces.js";
import { SeededChoice } from "./seededChoice.js";

export interface FaultyWalkOptions {
  seed: number;
  /** For disk images. */
  folder: string;
  /** Of each of the two writers. */
  backups: number;
}

export interface FaultyWalkReport {
  /** What went against a promise, each with the seed; empty: nothing. */
  violations: string[];
  /** Operations by outcome: `backup done`, `gc STORAGE_UNREACHABLE` … */
  outcomes: Map<string, number>;
  durationMs: number;
}

interface Finished {
  group: string;
  digest: string;
}

const KIB = 1024;
const CHUNKER = { minBytes: 16 * KIB, averageBytes: 64 * KIB, maxBytes: 256 * KIB, segmentBytes: 1024 * KIB };
/** Not hung: every wait is bounded, but on SSH servers that fall silent again and again they add up. */
const LONGEST_MS = 300_000;
const KEEP_LAST = 2;
/** What an operation may end with while the network breaks. */
const UNDERSTANDABLE: ReadonlySet<string> = new Set(["SESSION_FENCED", "GC_PROBE_FAILED"]);
const quiet = { onWarning: () => {} };

/** Never throws. */
export async function walkWithFaults(place: FaultyPlace, options: FaultyWalkOptions): Promise<FaultyWalkReport> {
  const started = performance.now();
  const walk = new FaultyWalk(place, options);
  await walk.run();
  return { violations: walk.violations, outcomes: walk.outcomes, durationMs: performance.now() - started };
}

class FaultyWalk {
  readonly violations: string[] = [];
  readonly outcomes = new Map<string, number>();
  readonly #place: FaultyPlace;
  readonly #options: FaultyWalkOptions;
  readonly #choice: SeededChoice;
  readonly #environment: Environment = { ...systemEnvironment("0.0.0"), heartbeatMs: 400 };
  readonly #ending = new AbortController();
  readonly #finished = new Map<Sid, Finished>();
  /** Backups that ended with "perhaps": each may have made one snapshot. */
  readonly #uncertain: Finished[] = [];
  /** A policy has chosen them; whether that got through is open. */
  readonly #chosen = new Set<Sid>();
  /** Forgetting them was acknowledged. */
  readonly #forgotten = new Set<Sid>();
  readonly #doing = new Map<string, string>();

  constructor(place: FaultyPlace, options: FaultyWalkOptions) {
    this.#place = place;
    this.#options = options;
    this.#choice = new SeededChoice(options.seed);
  }

  async run(): Promise<void> {
    try {
      await this.#bounded("the beginning", this.#begin());
      this.#place.startFaults();
      await this.#bounded("the walk", this.#walk());
      await this.#bounded("the calm", this.#place.calm());
      await this.#bounded("the end", this.#checkTheEnd());
    } catch (error) {
      this.#violate((error as Error).stack ?? String(error));
    }
  }

  async #begin(): Promise<void> {
    const backend = await this.#place.openDirectly();
    await TestRepository.make({ backend, chunker: CHUNKER, seed: this.#options.seed });
    await backend.close();
  }

  async #walk(): Promise<void> {
    let writing = true;
    const collecting = (async () => {
      while (writing) await this.#collect();
    })();
    await Promise.all(["vm/a", "vm/b"].map((group) => this.#write(group)));
    writing = false;
    await collecting;
  }

  async #write(group: string): Promise<void> {
    const choice = new SeededChoice(this.#options.seed * 31 + group.length + group.charCodeAt(3));
    const disk = firstDisk(choice);
    const path = join(this.#options.folder, `${this.#options.seed}-${group.slice(3)}.raw`);
    for (let n = 0; n < this.#options.backups; n++) {
      change(disk, choice);
      await writeFile(path, disk);
      await this.#inRepository(group, (repository) => this.#backUp(repository, group, path, digestOf(disk)));
      await this.#inRepository(group, (repository) => this.#look(repository, choice));
    }
  }

  async #backUp(repository: Repository, group: string, path: string, digest: string): Promise<void> {
    await this.#attempt(group, "backup", async () => {
      try {
        const sid = await this.#backUpOnce(repository, group, path);
        this.#finished.set(sid, { group, digest });
      } catch (error) {
        if (isOurError(error, "COMMIT_UNCERTAIN")) this.#uncertain.push({ group, digest });
        throw error;
      }
    });
  }

  async #backUpOnce(repository: Repository, group: string, path: string): Promise<Sid> {
    const source = await openRawSource(path);
    try {
      const disk = { kind: "image", name: "disk", format: "raw", source, location: { kind: "file", path } } as const;
      const { manifest } = await backUp(
        repository,
        {
          ...{ group, namespace: "", disks: [disk], files: [], notes: "", tags: [], protected: false },
          ...{ codec: { codec: "zstd", level: 1 }, dryRun: false, lanes: 0 },
        },
        { ...quiet, signal: this.#ending.signal },
      );
      if (manifest === null) throw new Error("no manifest");
      return manifest.sid;
    } finally {
      await source.close();
    }
  }

  /** A restore or a verification in the middle of it all. */
  async #look(repository: Repository, choice: SeededChoice): Promise<void> {
    const settled = [...this.#finished].filter(([sid]) => !this.#chosen.has(sid));
    if (settled.length === 0) return;
    const [sid, { digest }] = choice.pick(settled);
    await this.#attempt("a reader", choice.happens(0.5) ? "restore" : "verify", async (verb) => {
      const catalog = await loadCatalog(repository, quiet);
      const snapshot = catalog.snapshots.find((candidate) => candidate.sid === sid);
      if (snapshot === undefined) {
        if (!this.#chosen.has(sid)) this.#violate(`the finished snapshot ${sid} is not listed`);
      } else if (verb === "restore") {
        const restored = await digestOfRestore(repository, snapshot);
        if (restored !== digest) this.#violate(`${sid} restores to something else`);
      } else {
        const report = await verify(repository, [snapshot]);
        if (!report.ok && !this.#chosen.has(sid)) this.#violate(`verify of ${sid}: ${JSON.stringify(report)}`);
      }
    }).catch((error: unknown) => {
      // Its packs may go as soon as a policy has chosen it.
      if (!this.#chosen.has(sid)) throw error;
    });
  }

  async #collect(): Promise<void> {
    await delay(this.#choice.below(100));
    const prunes = this.#choice.happens(0.3);
    const fenceAfterMs = this.#choice.happens(0.3) ? 0 : DEFAULT_FENCE_AFTER_MS;
    await this.#inRepository("the collector", (repository) =>
      prunes ? this.#prune(repository) : this.#gc(repository, fenceAfterMs),
    );
  }

  async #prune(repository: Repository): Promise<void> {
    await this.#attempt("the collector", "prune", async () => {
      const catalog = await loadCatalog(repository, { ...quiet, fresh: true });
      const keep = { last: KEEP_LAST };
      const scope = { group: null, namespace: null, keep, timeZone: "UTC", nowMs: Date.now() };
      const plans = planRepositoryPrune(catalog, scope);
      for (const { decisions } of plans)
        for (const { mark, snapshot } of decisions) if (mark === "remove") this.#chosen.add(snapshot.sid);
      const options = { confirmed: true, signal: this.#ending.signal };
      for (const sid of await applyPrune(repository, plans, options)) this.#forgotten.add(sid);
    });
  }

  async #gc(repository: Repository, fenceAfterMs: number): Promise<void> {
    await this.#attempt("the collector", "gc", async () => {
      const request = { dryRun: false, fenceAfterMs, maxUnused: this.#choice.pick([0, 0.3]), confirmed: true };
      await collectGarbage(repository, request, { ...quiet, signal: this.#ending.signal });
    });
  }

  /** As a process of its own would: opens, works, closes. */
  async #inRepository(who: string, work: (repository: Repository) => Promise<void>): Promise<void> {
    await this.#attempt(who, "open", async () => {
      const backend = await this.#place.open();
      try {
        await work(await this.#openRepository(backend));
      } finally {
        await backend.close();
      }
    });
  }

  #openRepository(backend: Repository["backend"]): Promise<Repository> {
    const secret = async () => ({ passphrase: TEST_PASSPHRASE });
    return openRepository(backend, { secret, environment: this.#environment, cacheFolder: null, ...quiet });
  }

  /** Errors of a network are what we are here for; every other one is a violation. */
  async #attempt<Verb extends string>(who: string, verb: Verb, act: (verb: Verb) => Promise<void>): Promise<void> {
    this.#ending.signal.throwIfAborted();
    const before = this.#doing.get(who);
    this.#doing.set(who, verb);
    try {
      await act(verb);
      this.#count(`${verb} done`);
    } catch (error) {
      if (this.#ending.signal.aborted) throw error;
      this.#count(`${verb} ${isOurError(error) ? error.code : (error as Error).name}`);
      if (!isUnderstandable(error)) this.#violate(`${who}, ${verb}: ${(error as Error).stack}`);
    } finally {
      this.#doing.set(who, before ?? "nothing");
    }
  }

  async #checkTheEnd(): Promise<void> {
    const backend = await this.#place.openDirectly();
    try {
      const repository = await this.#openRepository(backend);
      const { snapshots, unreadable } = await loadCatalog(repository, { ...quiet, fresh: true });
      if (unreadable.length > 0) this.#violate(`unreadable: ${JSON.stringify(unreadable)}`);
      this.#checkPresent(snapshots);
      for (const snapshot of snapshots) await this.#checkContents(repository, snapshot);
      await this.#expectVerified(repository, "in the end");
      await this.#checkWork(repository);
      await this.#checkGarbage(repository);
    } finally {
      await backend.close();
    }
  }

  #checkPresent(snapshots: readonly Snapshot[]): void {
    const present = new Set(snapshots.map(({ sid }) => sid));
    for (const sid of this.#finished.keys()) {
      if (!present.has(sid) && !this.#chosen.has(sid)) this.#violate(`the finished snapshot ${sid} is lost`);
    }
    for (const sid of this.#forgotten) if (present.has(sid)) this.#violate(`${sid} was forgotten and is back`);
  }

  /** Equal bytes; and every snapshot is one that was finished, or one of those that perhaps were. */
  async #checkContents(repository: Repository, snapshot: Snapshot): Promise<void> {
    const digest = await digestOfRestore(repository, snapshot);
    const { group } = snapshot.manifest;
    const finished = this.#finished.get(snapshot.sid);
    if (finished !== undefined) {
      if (finished.digest !== digest) this.#violate(`${snapshot.sid} restores to something else`);
      return;
    }
    const at = this.#uncertain.findIndex((perhaps) => perhaps.group === group && perhaps.digest === digest);
    if (at < 0) this.#violate(`nobody knows the snapshot ${snapshot.sid} of ${group}`);
    else this.#uncertain.splice(at, 1);
  }

  /** Nothing to wait for: the next backup and the next collection do their work. */
  async #checkWork(repository: Repository): Promise<void> {
    const disk = firstDisk(this.#choice);
    const path = join(this.#options.folder, `${this.#options.seed}-next.raw`);
    await writeFile(path, disk);
    await this.#backUpOnce(repository, "vm/next", path);
    const request = { dryRun: false, fenceAfterMs: 0, maxUnused: 0, confirmed: true };
    await collectGarbage(repository, request, quiet);
    const again = await collectGarbage(repository, request, quiet);
    if (again.waitingFor.length > 0) this.#violate(`gc waits for ${JSON.stringify(again.waitingFor)}`);
    await this.#expectVerified(repository, "after the last gc");
  }

  async #expectVerified(repository: Repository, when: string): Promise<void> {
    const report = await verify(repository, null);
    if (!report.ok) this.#violate(`verify --read-data ${when}: ${JSON.stringify(report)}`);
  }

  /** Without a snapshot everything is garbage. */
  async #checkGarbage(repository: Repository): Promise<void> {
    const { snapshots } = await loadCatalog(repository, { ...quiet, fresh: true });
    const sids = snapshots.map(({ sid }) => sid);
    await forgetSnapshots(repository, sids, "the end");
    const request = { dryRun: false, fenceAfterMs: 0, maxUnused: 0, confirmed: true };
    await collectGarbage(repository, request, quiet);
    for (const folder of ["packs/", "index/", "sessions/"]) {
      const left = await listKeys(repository.backend, folder);
      if (left.length > 0) this.#violate(`gc leaves ${left.join(" ")}`);
    }
  }

  async #bounded(what: string, work: Promise<void>): Promise<void> {
    const timer = new AbortController();
    const hung = delay(LONGEST_MS, "hung", { signal: timer.signal }).catch(() => "over");
    const ended = await Promise.race([work, hung]).finally(() => timer.abort());
    if (ended !== "hung") return;
    work.catch(() => {});
    this.#ending.abort();
    throw new Error(`${what} hangs: ${[...this.#doing].map(([who, verb]) => `${who} in ${verb}`).join(", ")}`);
  }

  #count(outcome: string): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }

  #violate(text: string): void {
    this.violations.push(`seed ${this.#options.seed} (${this.#place.name}): ${text}`);
  }
}

function isUnderstandable(error: unknown): error is RepriseError {
  return isOurError(error) && (error.family === "backend" || UNDERSTANDABLE.has(error.code));
}

async function digestOfRestore(repository: Repository, snapshot: Snapshot): Promise<string> {
  const presence = await loadPresenceForReading(repository, quiet);
  const hash = createHash("sha256");
  for await (const part of restoreStream(repository, presence, snapshot.manifest.archives[0]!, { lanes: 0 })) {
    hash.update(part);
  }
  return hash.digest("hex");
}

function verify(repository: Repository, snapshots: readonly Snapshot[] | null) {
  const request = { snapshots, readData: true, ignoreVerified: false, outdatedAfterMs: null, subset: null };
  return verifyRepository(repository, { ...request, record: false, lanes: 0 }, quiet);
}

/** 4 to 8 MiB, a half of it noise. */
function firstDisk(choice: SeededChoice): Uint8Array {
  const disk = new Uint8Array((4 + choice.below(5)) * 1024 * KIB);
  disk.set(noise(choice.below(1_000_000), disk.length >> 1));
  return disk;
}

/** A day in its life: never the same disk twice. */
function change(disk: Uint8Array, choice: SeededChoice): void {
  for (let n = 1 + choice.below(4); n > 0; n--) {
    const length = 1000 + choice.below(300 * KIB);
    const at = choice.below(disk.length - length);
    const seed = choice.below(1_000_000);
    disk.set(choice.happens(0.7) ? noise(seed, length) : prose(seed, length), at);
  }
  disk.set(noise(choice.below(2 ** 30), 16));
}

function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

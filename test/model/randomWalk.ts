// A long random life of one repository against a plain map of what every snapshot holds: backups of machines whose disks
// change, forgetting, pruning, collecting, verifying, repairing the index, notes and protection, backups side by side with a
// collection in the middle, damage and healing. Everything follows from the seed, which every failure names.

import assert from "node:assert/strict";
import { isOurError } from "../../core/errors.js";
import { applyPrune, checkForgettable, planRepositoryPrune } from "../../core/forget/forget.js";
import { bytesToHex, folder, objectName, type Sid } from "../../core/format/ids.js";
import { sha256 } from "../../core/hash/digest.js";
import { applyRepairIndex, planRepairIndex } from "../../core/repair/repairIndex.js";
import { writeRecord } from "../../core/repository/records.js";
import { MemoryBackend } from "../../core/storage/memoryBackend.js";
import { listKeys } from "../support/listing.js";
import { changeObject, flipped } from "../support/objectChanges.js";
import { noise, prose } from "../support/sampleBytes.js";
import { TestRepository } from "../support/testRepository.js";
import { SeededChoice } from "./seededChoice.js";

interface Expected {
  group: string;
  disk: Uint8Array;
  notes: string;
  protected: boolean;
}

const GROUPS = ["vm/web", "vm/db", "ct/mail"];
const DISK_BYTES = 220_000;
const DAY = 86_400_000;

/** Throws an AssertionError that names the seed and what was done. */
export async function walkRandomly(seed: number, steps: number): Promise<Record<string, number>> {
  const walk = new RandomWalk(seed);
  try {
    return await walk.run(steps);
  } catch (error) {
    const done = walk.done.slice(-60).join("\n  ");
    throw new assert.AssertionError({ message: `seed ${seed}: ${(error as Error).stack}\n  ${done}` });
  }
}

class RandomWalk {
  readonly done: string[] = [];
  readonly #choice: SeededChoice;
  readonly #seed: number;
  readonly #disks = new Map<string, Uint8Array>();
  readonly #snapshots = new Map<Sid, Expected>();
  readonly #counts: Record<string, number> = {};
  readonly #actions: [weight: number, name: string, action: () => Promise<string>][] = [
    [8, "backup", () => this.#backUp()],
    [3, "forget", () => this.#forget()],
    [1, "prune", () => this.#prune()],
    [4, "gc", () => this.#collect()],
    [2, "verify", () => this.#verify()],
    [1, "repair index", () => this.#repairIndex()],
    [2, "note", () => this.#note()],
    [2, "protect", () => this.#protect()],
    [2, "side by side", () => this.#sideBySide()],
    [1, "damage and heal", () => this.#damageAndHeal()],
    [1, "die", () => this.#die()],
    [1, "pass of time", () => this.#passTime()],
  ];
  #made!: TestRepository;

  constructor(seed: number) {
    this.#seed = seed;
    this.#choice = new SeededChoice(seed);
    for (const [i, group] of GROUPS.entries()) this.#disks.set(group, noise(seed * 10 + i, DISK_BYTES));
  }

  async run(steps: number): Promise<Record<string, number>> {
    this.#made = await TestRepository.make({ encrypted: this.#choice.happens(0.5), seed: this.#seed });
    for (let step = 0; step < steps; step++) {
      const [name, action] = this.#chooseAction();
      this.done.push(name);
      const how = await action();
      this.done[this.done.length - 1] = `${name}: ${how}`;
      this.#counts[name] = (this.#counts[name] ?? 0) + 1;
      await this.#compare(step % 10 === 9);
    }
    await this.#made.gc();
    await this.#compare(true);
    assert.equal((await this.#made.gc()).deletedPacks, 0, "a second gc finds nothing");
    return this.#counts;
  }

  #chooseAction(): [string, () => Promise<string>] {
    const total = this.#actions.reduce((sum, [weight]) => sum + weight, 0);
    let left = this.#choice.next() * total;
    for (const [weight, name, action] of this.#actions) {
      left -= weight;
      if (left < 0) return [name, action];
    }
    return ["backup", () => this.#backUp()];
  }

  get #memory(): MemoryBackend {
    assert.ok(this.#made.backend instanceof MemoryBackend);
    return this.#made.backend;
  }

  async #backUp(group = this.#choice.pick(GROUPS)): Promise<string> {
    const disk = this.#changeDisk(group);
    const notes = this.#choice.happens(0.3) ? `note ${this.#choice.below(100)}` : "";
    const manifest = await this.#made.backUp(group, { disk }, { notes });
    this.#snapshots.set(manifest.sid, { group, disk, notes, protected: false });
    return `${group} as ${manifest.sid.slice(0, 8)}, ${manifest.statistics.chunksNew} new chunks`;
  }

  /** A day in the life of a disk. */
  #changeDisk(group: string): Uint8Array {
    const disk = this.#disks.get(group)!.slice();
    for (let changes = this.#choice.below(4); changes > 0; changes--) {
      const at = this.#choice.below(DISK_BYTES);
      const length = Math.min(DISK_BYTES - at, 1 + this.#choice.below(60_000));
      const kind = this.#choice.below(4);
      const seed = this.#choice.below(1_000_000);
      if (kind === 0) disk.fill(0, at, at + length);
      else if (kind === 1) disk.set(noise(seed, length), at);
      else if (kind === 2) disk.set(prose(seed, length), at);
      else disk.set(this.#disks.get(this.#choice.pick(GROUPS))!.subarray(at, at + length), at);
    }
    this.#disks.set(group, disk);
    return disk;
  }

  async #forget(): Promise<string> {
    const catalog = await this.#made.catalog();
    if (catalog.snapshots.length === 0) return "nothing";
    const snapshot = this.#choice.pick(catalog.snapshots);
    try {
      checkForgettable([snapshot], catalog);
    } catch (error) {
      assert.ok(isOurError(error, "SNAPSHOT_PROTECTED") && this.#snapshots.get(snapshot.sid)!.protected);
      return "refused";
    }
    assert.equal(this.#snapshots.get(snapshot.sid)!.protected, false);
    await this.#made.forget(snapshot.sid);
    this.#snapshots.delete(snapshot.sid);
    return snapshot.sid.slice(0, 8);
  }

  async #prune(): Promise<string> {
    const last = 1 + this.#choice.below(4);
    const scope = {
      group: null,
      namespace: null,
      keep: { last },
      timeZone: "UTC",
      nowMs: this.#made.environment.nowMs,
    };
    const catalog = await this.#made.catalog();
    const removed = await applyPrune(this.#made.repository, planRepositoryPrune(catalog, scope), { confirmed: true });
    for (const sid of removed) {
      assert.equal(this.#snapshots.get(sid)?.protected, false, "prune removes what exists and is not protected");
      this.#snapshots.delete(sid);
    }
    for (const group of GROUPS) {
      const before = catalog.snapshots.filter(({ manifest }) => manifest.group === group);
      const newest = before.slice(-last).map(({ sid }) => sid);
      assert.ok(
        newest.every((sid) => this.#snapshots.has(sid)),
        `the last ${last} of ${group} are kept`,
      );
    }
    return `keep last ${last}, ${removed.length} removed`;
  }

  async #collect(): Promise<string> {
    const report = await this.#made.gc({ maxUnused: this.#choice.pick([0, 0, 0.05, 0.5]) });
    assert.deepEqual(report.waitingFor, []);
    return `${report.deletedPacks} packs deleted, ${report.repackedPacks} repacked`;
  }

  async #verify(): Promise<string> {
    const report = await this.#made.verify({ readData: this.#choice.happens(0.5), record: true });
    const bad = report.snapshots.filter(({ result }) => result !== "ok");
    assert.deepEqual([bad, report.objects.problems], [[], []]);
    return report.level;
  }

  async #repairIndex(): Promise<string> {
    const names = await listKeys(this.#memory, folder.index);
    const kinds = names.map((name) => [name, this.#choice.below(4)] as const);
    for (const [name, kind] of kinds) {
      if (kind === 0) await this.#memory.delete(name);
      if (kind === 1)
        await changeObject(this.#memory, name, (bytes) => flipped(bytes, this.#choice.below(bytes.length)));
    }
    if (this.#choice.happens(0.5)) await this.#backUp();
    const plan = await planRepairIndex(this.#made.repository, this.#made.options);
    await applyRepairIndex(this.#made.repository, plan, this.#made.options);
    assert.equal((await planRepairIndex(this.#made.repository, this.#made.options)).upToDate, true);
    return `of ${names.length} index objects ${kinds.filter(([, kind]) => kind < 2).length} were broken`;
  }

  async #note(): Promise<string> {
    const { snapshots, records } = await this.#made.catalog();
    if (snapshots.length === 0) return "nothing";
    const { sid } = this.#choice.pick(snapshots);
    const text = `noted ${this.#choice.below(1000)}`;
    await writeRecord(this.#made.repository, { type: "notes", data: { text } }, [sid], records);
    this.#snapshots.get(sid)!.notes = text;
    return sid.slice(0, 8);
  }

  async #protect(): Promise<string> {
    const { snapshots, records } = await this.#made.catalog();
    if (snapshots.length === 0) return "nothing";
    const { sid } = this.#choice.pick(snapshots);
    const isProtected = this.#choice.happens(0.4);
    const body = { type: "protection", data: { protected: isProtected } } as const;
    await writeRecord(this.#made.repository, body, [sid], records);
    this.#snapshots.get(sid)!.protected = isProtected;
    return `${sid.slice(0, 8)} ${isProtected}`;
  }

  /** While one backup reads its disk, another one runs, and a collection that may give the first one up. */
  async #sideBySide(): Promise<string> {
    const [slow, quick] = [this.#choice.pick(GROUPS), this.#choice.pick(GROUPS)];
    const fenceAfterMs = this.#choice.pick([0, DAY]);
    const disk = this.#changeDisk(slow);
    const middle = this.#choice.below(DISK_BYTES);
    const inTheMiddle = async () => {
      const doFirst = this.#choice.below(3);
      if (doFirst > 0) await this.#forget();
      if (doFirst !== 1) await this.#backUp(quick);
      await this.#made.gc({ fenceAfterMs });
      if (doFirst === 1) await this.#backUp(quick);
    };
    async function* stream(): AsyncIterable<Uint8Array> {
      yield disk.slice(0, middle);
      await inTheMiddle();
      yield disk.slice(middle);
    }
    try {
      const manifest = await this.#made.backUp(
        slow,
        {},
        { disks: [{ kind: "stream", name: "disk", stream: stream() }] },
      );
      this.#snapshots.set(manifest.sid, { group: slow, disk, notes: "", protected: false });
      return `${slow} finished beside ${quick}`;
    } catch (error) {
      assert.ok(isOurError(error, "SESSION_FENCED") && fenceAfterMs === 0, String(error));
      return `${slow} was fenced, ${quick} finished`;
    }
  }

  /** One byte of a pack changes or a pack is lost: verify finds it, and backing up the same disks again mends it. */
  async #damageAndHeal(): Promise<string> {
    const packs = await listKeys(this.#memory, folder.packs);
    if (packs.length === 0) return "nothing";
    const pack = this.#choice.pick(packs);
    const lose = this.#choice.happens(0.4);
    if (lose) await this.#memory.delete(pack);
    else await changeObject(this.#memory, pack, (bytes) => flipped(bytes, this.#choice.below(bytes.length)));
    await this.#made.verify({ record: true });
    const healers: Sid[] = [];
    for (const { group, disk } of this.#snapshots.values()) {
      healers.push((await this.#made.backUp(group, { disk })).sid);
    }
    const report = await this.#made.verify({ record: true });
    const bad = report.snapshots.filter(({ result }) => result !== "ok");
    assert.deepEqual(bad, [], `healed after ${lose ? "the loss of" : "a flip in"} ${pack}`);
    await this.#made.forget(...healers);
    return `${lose ? "lost" : "flipped"} ${pack.slice(-20)}, ${this.#snapshots.size} snapshots healed`;
  }

  /** A backup whose machine dies: some of its objects are there, and nothing else. */
  async #die(): Promise<string> {
    const before = this.#memory.snapshotState();
    const manifest = await this.#made.backUp("vm/dies", { disk: this.#changeDisk(this.#choice.pick(GROUPS)) });
    const after = this.#memory.snapshotState();
    const left = new Map([...after].filter(([key]) => before.has(key) || this.#choice.happens(0.7)));
    left.delete(objectName.snapshot(manifest.sid));
    this.#memory.restoreState(left);
    return `${left.size - before.size} of ${after.size - before.size} objects left`;
  }

  async #passTime(): Promise<string> {
    const days = this.#choice.pick([1, 10, 40, 100]);
    this.#made.environment.nowMs += days * DAY;
    return `${days} days`;
  }

  /** The catalog says what the map says, and disks restore to what the map holds. */
  async #compare(thoroughly: boolean): Promise<void> {
    const { snapshots, unreadable } = await this.#made.catalog();
    assert.deepEqual(unreadable, []);
    const found = snapshots.map((snapshot) => {
      return [snapshot.sid, snapshot.manifest.group, snapshot.notes, snapshot.protected] as const;
    });
    const expected = [...this.#snapshots].map(([sid, { group, notes, protected: kept }]) => {
      return [sid, group, notes, kept] as const;
    });
    assert.deepEqual(found.sort(byFirst), expected.sort(byFirst));
    const toRestore = thoroughly || snapshots.length === 0 ? snapshots : [this.#choice.pick(snapshots)];
    for (const { sid, manifest } of toRestore) {
      const restored = await this.#made.restore(manifest, "disk");
      assert.equal(digestOf(restored), digestOf(this.#snapshots.get(sid)!.disk), `${manifest.group} ${sid}`);
    }
    if (thoroughly) await this.#verify();
  }
}

function byFirst(a: readonly unknown[], b: readonly unknown[]): number {
  return String(a[0]) < String(b[0]) ? -1 : 1;
}

function digestOf(bytes: Uint8Array): string {
  return bytesToHex(sha256(bytes));
}

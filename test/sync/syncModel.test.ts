// Random lives of three repositories that copy from each other, against a plain map: whatever happens, a snapshot is what it
// was, and after a replication everything is there.

import assert from "node:assert/strict";
import fc from "fast-check";
import { bytesToHex, objectName } from "../../core/format/ids.js";
import { sha256 } from "../../core/hash/digest.js";
import { repairFromReplica } from "../../core/repair/repairFrom.js";
import type { Snapshot } from "../../core/repository/catalog.js";
import { originOf } from "../../core/repository/snapshotOrigin.js";
import { originKey } from "../../core/sync/planSync.js";
import { listBlobs } from "../support/damageSample.js";
import { changeObject, flipped } from "../support/objectChanges.js";
import { noise } from "../support/sampleBytes.js";
import type { TestRepository } from "../support/testRepository.js";
import { KINDS, makeReplica, sync } from "./replicas.js";

type Step =
  | { do: "backUp"; at: number; seed: number }
  | { do: "sync"; from: number; to: number; last: number | null }
  | { do: "forget"; at: number; pick: number }
  | { do: "gc"; at: number }
  | { do: "heal"; at: number; from: number; pick: number };

const place = fc.nat(2);
const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant("backUp" as const), at: place, seed: fc.nat(5) }) },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant("sync" as const),
        from: place,
        to: place,
        last: fc.option(fc.integer({ min: 1, max: 2 })),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("forget" as const), at: place, pick: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("gc" as const), at: place }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("heal" as const), at: place, from: place, pick: fc.nat() }) },
  ),
  { minLength: 5, maxLength: 18 },
);

/** Disks of equal seeds are equal; others share most of their bytes. */
function diskOf(seed: number): Uint8Array {
  const disk = new Uint8Array(180_000);
  disk.set(noise(1, 90_000), 0);
  disk.set(noise(100 + seed, 15_000), 20_000);
  return disk;
}

class World {
  readonly repositories: TestRepository[];
  /** Origin → digest of the disk. */
  readonly contents = new Map<string, string>();

  constructor(repositories: TestRepository[]) {
    this.repositories = repositories;
  }

  at(index: number): TestRepository {
    return this.repositories[index] as TestRepository;
  }

  async snapshots(index: number): Promise<Map<string, Snapshot>> {
    const { repository } = this.at(index);
    const { snapshots } = await this.at(index).catalog();
    return new Map(snapshots.map((snapshot) => [originKey(originOf(snapshot, repository)), snapshot]));
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case "backUp": {
        const disk = diskOf(step.seed);
        const { sid } = await this.at(step.at).backUp(`vm/m${step.seed % 2}`, { root: disk });
        for (const [key, snapshot] of await this.snapshots(step.at)) {
          if (snapshot.sid === sid) this.contents.set(key, bytesToHex(sha256(disk)));
        }
        return;
      }
      case "sync":
        if (step.from !== step.to) await this.#sync(step.from, step.to, step.last);
        return;
      case "forget": {
        const { snapshots } = await this.at(step.at).catalog();
        const chosen = snapshots[step.pick % Math.max(1, snapshots.length)];
        if (chosen) await this.at(step.at).forget(chosen.sid);
        return;
      }
      case "gc":
        await this.at(step.at).gc();
        return;
      case "heal":
        if (step.at !== step.from) await this.#heal(step.at, step.from, step.pick);
    }
  }

  async #sync(from: number, to: number, transferLast: number | null): Promise<void> {
    const report = await sync(this.at(from), this.at(to), { transferLast });
    assert.deepEqual(report.failed, []);
    const there = await this.snapshots(to);
    if (transferLast === null) for (const key of (await this.snapshots(from)).keys()) assert.ok(there.has(key), key);
    assert.deepEqual((await sync(this.at(from), this.at(to), { transferLast })).copied, []);
  }

  /** A blob of a repository is destroyed when the other one has copies of all its snapshots. */
  async #heal(at: number, from: number, pick: number): Promise<void> {
    const theirs = await this.snapshots(from);
    const blobs = await listBlobs(this.at(at).repository);
    const blob = blobs[pick % Math.max(1, blobs.length)];
    if (blob === undefined || [...(await this.snapshots(at)).keys()].some((key) => !theirs.has(key))) return;
    await changeObject(this.at(at).backend, objectName.pack(blob.pack), (bytes) => flipped(bytes, blob.end - 1));
    const options = this.at(at).options;
    const request = { dryRun: false, lanes: 0 };
    const report = await repairFromReplica(this.at(at).repository, this.at(from).repository, request, options);
    assert.ok(report.snapshots.every(({ healed }) => healed));
    await this.at(at).gc();
  }

  async check(): Promise<void> {
    for (const [index, repository] of this.repositories.entries()) {
      for (const [key, { manifest }] of await this.snapshots(index)) {
        assert.equal(bytesToHex(sha256(await repository.restore(manifest, "root"))), this.contents.get(key), key);
      }
      const report = await repository.verify();
      assert.deepEqual([report.ok, report.packs.problems], [true, []], `repository ${index}`);
    }
  }
}

describe("repositories that copy from each other", function () {
  this.timeout(60_000);

  it("keep every snapshot as it was, whatever happens to them", async () => {
    const kinds = [KINDS.sealed, KINDS["open, larger chunks"], KINDS["sealed, larger chunks"]];
    await fc.assert(
      fc.asyncProperty(steps, async (taken) => {
        const world = new World(await Promise.all(kinds.map((kind) => makeReplica(kind))));
        for (const step of taken) await world.take(step);
        await world.check();
      }),
      { numRuns: 40 },
    );
  });
});

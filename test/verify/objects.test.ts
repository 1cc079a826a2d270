import assert from "node:assert/strict";
import { objectName } from "../../core/format/ids.js";
import { MemoryBackend } from "../../core/storage/memoryBackend.js";
import type { VerifyReport } from "../../core/verify/verifyReport.js";
import { type DamageSample, makeDamageSample } from "../support/damageSample.js";
import { listKeys } from "../support/listing.js";
import { changeObject, objectSizes, swapObjects } from "../support/objectChanges.js";

/** Names of objects and packs that a report complains about. */
function blamed(report: VerifyReport): string[] {
  const packs = report.packs.problems.map(({ pack }) => objectName.pack(pack));
  return [...new Set([...report.objects.problems.map(({ object }) => object), ...packs])].sort();
}

function damagedSnapshots(report: VerifyReport): string[] {
  return report.snapshots.filter(({ result }) => result === "damaged").map(({ sid }) => sid);
}

/** Snapshots that need something from the pack. */
function needing(sample: DamageSample, key: string): string[] {
  const ids = sample.blobs.filter(({ pack }) => objectName.pack(pack) === key).map(({ id }) => id);
  const sids = new Set(ids.flatMap((id) => (sample.needs.get(id) ?? []).map(({ snapshot }) => snapshot as string)));
  return sample.manifests.map(({ sid }) => sid as string).filter((sid) => sids.has(sid));
}

const CHANGES: [string, (bytes: Uint8Array) => Uint8Array][] = [
  ["emptied", () => new Uint8Array(0)],
  ["cut to one byte", (bytes) => bytes.slice(0, 1)],
  ["cut by half", (bytes) => bytes.slice(0, bytes.length >> 1)],
  ["cut by one byte", (bytes) => bytes.slice(0, -1)],
  ["made longer by one byte", (bytes) => Uint8Array.from([...bytes, 0])],
  ["doubled", (bytes) => Uint8Array.from([...bytes, ...bytes])],
  ["zeroed", (bytes) => new Uint8Array(bytes.length)],
];

for (const encrypted of [true, false]) {
  describe(`verify: objects that changed as a whole, ${encrypted ? "encrypted" : "not encrypted"}`, function () {
    this.timeout(60_000);
    this.slow(20_000);
    let sample: DamageSample;
    let backend: MemoryBackend;
    before(async () => {
      sample = await makeDamageSample({ encrypted });
      assert.ok(sample.test.backend instanceof MemoryBackend);
      backend = sample.test.backend;
    });

    async function reportAfter(change: () => Promise<void>): Promise<VerifyReport> {
      const sound = backend.snapshotState();
      try {
        await change();
        return await sample.test.verify();
      } finally {
        backend.restoreState(sound);
      }
    }

    for (const [what, change] of CHANGES) {
      it(`${what}: found in each, and the damage named`, async () => {
        for (const { key } of await objectSizes(backend)) {
          const report = await reportAfter(() => changeObject(backend, key, change));
          assert.equal(report.ok, false, key);
          assert.deepEqual(blamed(report), [key], key);
          if (key.startsWith("packs/")) {
            const isWhole = what === "made longer by one byte" || what === "doubled";
            if (!isWhole && what !== "cut by one byte") {
              const lost = damagedSnapshots(report);
              assert.ok(
                lost.every((sid) => needing(sample, key).includes(sid)),
                key,
              );
              if (what !== "cut by half") assert.deepEqual(lost, needing(sample, key), key);
            }
          }
        }
      });
    }

    it("a missing pack is found by the snapshots that need it", async () => {
      for (const key of await listKeys(backend, "packs/")) {
        for (const readData of [true, false]) {
          const sound = backend.snapshotState();
          await backend.delete(key);
          const report = await sample.test.verify({ readData });
          backend.restoreState(sound);
          assert.equal(report.ok, needing(sample, key).length === 0, key);
          assert.deepEqual(damagedSnapshots(report), needing(sample, key), key);
          const reasons = report.snapshots.flatMap(({ damaged }) => damaged.map(({ reason }) => reason));
          assert.ok(
            reasons.every((reason) => reason.includes("in no pack")),
            reasons.join(),
          );
        }
      }
    });

    it("two exchanged objects are both found, whatever they are", async () => {
      const keys = (await listKeys(backend)).filter((key) => !key.startsWith("packs/"));
      for (let i = 0; i + 1 < keys.length; i++) {
        const [a, b] = [keys[i] as string, keys[(i * 7 + 3) % keys.length] as string];
        if (a === b) continue;
        const report = await reportAfter(() => swapObjects(backend, a, b));
        assert.deepEqual(blamed(report), [a, b].sort(), `${a} and ${b}`);
      }
    });

    it("two exchanged packs are both found, with every snapshot that they harm", async () => {
      const keys = await listKeys(backend, "packs/");
      for (const a of keys) {
        for (const b of keys.filter((key) => key > a)) {
          const report = await reportAfter(() => swapObjects(backend, a, b));
          assert.equal(report.ok, false);
          assert.deepEqual(blamed(report), [a, b]);
          const harmed = new Set([...needing(sample, a), ...needing(sample, b)]);
          assert.deepEqual(new Set(damagedSnapshots(report)), harmed, `${a} and ${b}`);
          assert.ok(report.packs.problems.some(({ code }) => code === "OBJECT_SWAPPED"));
        }
      }
    });

    it("two exchanged packs of equal size are found although the index fits both", async () => {
      let keys: [string, string] = ["", ""];
      const report = await reportAfter(async () => {
        keys = await equalPacks();
        await swapObjects(backend, ...keys);
      });
      assert.deepEqual(blamed(report), [...keys].sort());
      assert.equal(damagedSnapshots(report).length, 2);
      assert.ok(report.packs.problems.every(({ needed }) => needed));
    });

    it("objects that are none of a repository's are listed and harm nothing", async () => {
      const names = [
        "notes.txt",
        "snapshots/README",
        "packs/zz/readme",
        "gc/x.plan",
        "index/old",
        "records/a/b",
        "probe/1",
      ];
      const report = await reportAfter(async () => {
        for (const name of names) await backend.put(name, new Uint8Array(3));
      });
      assert.equal(report.ok, true, JSON.stringify(report.objects));
      assert.deepEqual([...report.objects.foreign].sort(), [...names].sort());
    });

    it("an object from another repository is found, and the others go on", async () => {
      const other = await makeDamageSample({ encrypted, seed: 77 });
      for (const prefix of ["snapshots/", "index/", "records/", "forgotten/", "quarantine/", "gc/"]) {
        const key = (await listKeys(other.test.backend, prefix))[0] as string;
        const report = await reportAfter(async () => backend.put(key, await other.test.backend.get(key)));
        if (encrypted) {
          assert.deepEqual(blamed(report), [key]);
          assert.equal(report.objects.problems[0]?.code, "KEY_WRONG");
          assert.equal(report.snapshots.length, sample.manifests.length);
        }
      }
    });

    /** Keys of two packs of the same size, in a backend of their own. */
    async function equalPacks(): Promise<[string, string]> {
      const { test } = sample;
      const bytes = new Uint8Array(20_000).map((_, at) => (at * at * 31) >> 3);
      const made = [];
      for (const seed of [1, 2])
        made.push(
          await test.backUp(
            `vm/equal${seed}`,
            { d: bytes.map((byte) => byte ^ seed) },
            { codec: { codec: "none", level: 1 } },
          ),
        );
      const keys = await listKeys(backend, "packs/");
      const found = made.map(({ sid }) => keys.find((key) => key.endsWith(`${sid}-00000000`)) as string);
      const sizes = await Promise.all(found.map(async (key) => (await backend.stat(key)).sizeBytes));
      assert.equal(sizes[0], sizes[1]);
      return found as [string, string];
    }
  });
}

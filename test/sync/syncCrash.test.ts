import assert from "node:assert/strict";
import { isAbort } from "../../core/errors.js";
import { folder } from "../../core/format/ids.js";
import type { MemoryBackend } from "../../core/storage/memoryBackend.js";
import { applySync, planRepositorySync } from "../../core/sync/sync.js";
import { assertSound, assertTidy, nextDay, sampleDisk } from "../crash/crashed.js";
import { FaultyBackend } from "../support/faultyBackend.js";
import { listKeys } from "../support/listing.js";
import { RecordingBackend } from "../support/recordingBackend.js";
import { noise } from "../support/sampleBytes.js";
import type { TestRepository } from "../support/testRepository.js";
import { ALL, contentsOf, makeReplica, recordedSync, sync } from "./replicas.js";

const disk = sampleDisk(1);

describe("a replication that stops after any change", function () {
  this.timeout(60_000);
  let from: TestRepository;
  let empty: TestRepository;
  let wanted: string[];
  let recording: RecordingBackend;
  let everything: number;

  before(async () => {
    from = await makeReplica();
    await from.backUp("vm/web", { disk });
    await from.backUp("vm/web", { disk: nextDay(disk, 7) }, { tags: ["x"] });
    await from.backUp("vm/db", { disk: noise(5, 60_000) });
    wanted = await contentsOf(from);
    empty = await makeReplica({ encrypted: false });
    const start = (empty.backend as MemoryBackend).snapshotState();
    recording = new RecordingBackend(empty.backend);
    const report = await sync(from, await empty.reopen({ backend: recording }));
    everything = report.copied.reduce((sum, { bytesStored }) => sum + bytesStored, 0);
    (empty.backend as MemoryBackend).restoreState(start);
  });

  const stateAfter = async (changes: number): Promise<TestRepository> =>
    empty.reopen({ backend: await recording.replayPrefix(changes) });

  it("shows finished copies only, sound ones, and the next run completes it with what was stored", async () => {
    const seen = new Set<number>();
    for (let changes = 0; changes <= recording.mutations.length; changes++) {
      const about = `after ${changes} of ${recording.mutations.length}`;
      const to = await stateAfter(changes);
      const there = await contentsOf(to);
      seen.add(there.length);
      assert.ok(
        there.every((line) => wanted.includes(line)),
        about,
      );
      await assertSound(to, about);
      const stored = await sizeOfPacks(to);
      const { report } = await recordedSync(from, to);
      assert.equal(report.copied.length, wanted.length - there.length, about);
      assert.deepEqual(await contentsOf(to), wanted, about);
      const again = report.copied.reduce((sum, { bytesStored }) => sum + bytesStored, 0);
      assert.ok(
        again + stored <= everything * 1.02 + 20_000,
        `${about}: ${stored} there, ${again} sent, of ${everything}`,
      );
      await assertSound(to, about);
    }
    assert.deepEqual([...seen], [0, 1, 2, 3]);
  });

  it("leaves only garbage for a collection", async () => {
    for (const changes of [3, 5, 8]) {
      const to = await stateAfter(changes);
      await to.gc();
      await sync(from, to);
      await to.gc();
      assert.deepEqual(await contentsOf(to), wanted);
      await assertTidy(to, `after ${changes}`);
    }
  });

  it("that fails at any call of either storage is completed by the next run", async () => {
    for (const side of ["from", "to"] as const) {
      for (const method of ["get", "list", "put", "putIfAbsent"] as const) {
        if (side === "from" && method.startsWith("put")) continue;
        for (let skip = 0; ; skip += method === "get" ? 3 : 1) {
          const to = await stateAfter(0);
          const faulty = new FaultyBackend(side === "from" ? from.backend : to.backend);
          const brokenFrom = side === "from" ? await from.reopen({ backend: faulty }) : from;
          const brokenTo = side === "to" ? await to.reopen({ backend: faulty }) : to;
          faulty.fail(method, { kind: "before", skip });
          const error = await sync(brokenFrom, brokenTo).then(
            () => null,
            (cause: Error) => cause,
          );
          const about = `${side} ${method} ${skip}`;
          const there = await contentsOf(to);
          assert.ok(
            there.every((line) => wanted.includes(line)),
            about,
          );
          if (error === null && wasNotReached(faulty)) break;
          await sync(from, to);
          assert.deepEqual(await contentsOf(to), wanted, about);
        }
      }
    }
  });

  it("by an abort gives its session up at once", async () => {
    const to = await stateAfter(0);
    const abort = new AbortController();
    const options = { ...to.options, signal: abort.signal, onProgress: () => abort.abort() };
    const plan = await planRepositorySync(from.repository, to.repository, ALL, options);
    await assert.rejects(applySync(plan, options), isAbort);
    assert.deepEqual(await listKeys(to.backend, folder.sessions), []);
    assert.deepEqual((await to.catalog()).snapshots, []);
    await sync(from, to);
    assert.deepEqual(await contentsOf(to), wanted);
  });

  async function sizeOfPacks(repository: TestRepository): Promise<number> {
    let bytes = 0;
    for await (const { sizeBytes } of repository.backend.list(folder.packs)) bytes += sizeBytes;
    return bytes;
  }

  function wasNotReached(faulty: FaultyBackend): boolean {
    try {
      faulty.assertAllReached();
      return false;
    } catch {
      return true;
    }
  }
});

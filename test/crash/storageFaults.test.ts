import assert from "node:assert/strict";
import { isOurError } from "../../core/errors.js";
import { folder } from "../../core/format/ids.js";
import { MemoryBackend, type MemoryState } from "../../core/storage/memoryBackend.js";
import { assertCode } from "../support/assertCode.js";
import { FaultyBackend, type FaultyMethod } from "../support/faultyBackend.js";
import { RecordingBackend } from "../support/recordingBackend.js";
import { TestRepository } from "../support/testRepository.js";
import { assertSnapshots, assertSound, assertTidy, type Finished, nextDay, sampleDisk } from "./crashed.js";

const COMMIT = /^snapshots\//;
const PROBE = /^probe\//;
const NOT_PROBE = /^(?!probe\/)/;

describe("faults of the storage", function () {
  this.timeout(60_000);
  const first = { disk: sampleDisk(1).subarray(800_000) };
  const second = { disk: nextDay(first.disk, 7) };
  let made: TestRepository;
  let old: Finished;
  let start: MemoryState;

  before(async () => {
    made = await TestRepository.make();
    old = { manifest: await made.backUp("vm/web", first), disks: first };
    const doomed = await made.backUp("vm/web", { disk: sampleDisk(3).subarray(800_000) });
    await made.forget(doomed.sid);
    start = memory().snapshotState();
  });

  const memory = () => made.backend as MemoryBackend;

  /** The repository as it was at first, behind a storage that will fail. */
  async function withFaults(): Promise<{ faulty: FaultyBackend; repository: TestRepository }> {
    memory().restoreState(start);
    const faulty = new FaultyBackend(memory());
    return { faulty, repository: await made.reopen({ backend: faulty }) };
  }

  /** The calls that the operation makes when nothing fails, by method. Those of the probe are its own tests' matter. */
  async function callsOf(operation: (repository: TestRepository) => Promise<unknown>) {
    memory().restoreState(start);
    const recording = new RecordingBackend(memory());
    const repository = await made.reopen({ backend: recording });
    const before = recording.operations.length;
    await operation(repository);
    const calls = new Map<FaultyMethod, number>();
    for (const { operation: method, key } of recording.operations.slice(before)) {
      if (!PROBE.test(key)) calls.set(method, (calls.get(method) ?? 0) + 1);
    }
    return calls;
  }

  async function assertHealthy(about: string, alsoExpected: Finished[] = []): Promise<void> {
    const repository = await made.reopen({ backend: memory() });
    await assertSnapshots(repository, [old, ...alsoExpected], about);
    await assertSound(repository, about);
    const manifest = await repository.backUp("vm/web", second);
    await repository.gc();
    await assertSnapshots(repository, [old, ...alsoExpected, { manifest, disks: second }], about);
    await assertTidy(repository, about);
  }

  it("a backup into a full storage fails and leaves nothing but garbage, wherever it fills up", async () => {
    const puts = await callsOf((repository) => repository.backUp("vm/web", second));
    const count = puts.get("put")! + puts.get("putIfAbsent")!;
    for (let nth = 1; nth <= count; nth++) {
      const { faulty, repository } = await withFaults();
      faulty.fullFromPut(nth);
      // The last put is the commit. It was refused, but so is giving up: nobody knows for sure.
      const code = nth < count ? "STORAGE_FULL" : "COMMIT_UNCERTAIN";
      await assertCode(repository.backUp("vm/web", second), code, `put ${nth} of ${count}`);
      faulty.assertAllReached();
      await assertHealthy(`full from put ${nth} of ${count}`);
    }
  });

  it("a collection in a full storage deletes nothing that is needed, and frees space when it can", async () => {
    const probePuts = 40;
    let succeeded = false;
    for (let nth = 1; !succeeded; nth += nth < probePuts ? 10 : 1) {
      const { faulty, repository } = await withFaults();
      faulty.fullFromPut(nth);
      const error = await repository.gc().catch((thrown: unknown) => thrown);
      succeeded = !(error instanceof Error);
      if (!succeeded)
        assert.ok(isOurError(error, "STORAGE_FULL") || isOurError(error, "GC_PROBE_FAILED"), String(error));
      await assertHealthy(`full from put ${nth}`);
    }
  });

  it("a backup whose replies are lost succeeds or fails, and what it says is true", async () => {
    await loseEveryReply((repository) => repository.backUp("vm/web", second));
  });

  it("a collection whose replies are lost loses nothing", async () => {
    await loseEveryReply((repository) => repository.gc());
  });

  async function loseEveryReply(operation: (repository: TestRepository) => Promise<unknown>): Promise<void> {
    for (const [method, count] of await callsOf(operation)) {
      for (let skip = 0; skip < count; skip++) {
        const about = `reply to ${method} ${skip + 1} of ${count} lost`;
        const { faulty, repository } = await withFaults();
        faulty.fail(method, { kind: "after", key: NOT_PROBE, skip });
        const before = (await made.catalog()).snapshots.length;
        const result = await operation(repository).catch((error: unknown) => {
          assert.ok(isOurError(error), `${about}: ${String(error)}`);
          return error;
        });
        const { snapshots } = await (await made.reopen({ backend: memory() })).catalog();
        const added = snapshots.filter(({ sid }) => sid !== old.manifest.sid).map(({ manifest }) => manifest);
        const claims = isManifest(result) ? [result.sid] : [];
        assert.deepEqual(
          added.map(({ sid }) => sid),
          claims,
          `${about}: what was reported is what there is`,
        );
        assert.ok(snapshots.length <= before + 1);
        await assertHealthy(
          about,
          added.map((manifest) => ({ manifest, disks: second })),
        );
      }
    }
  }

  it("a commit whose reply is lost is found out, and nothing is committed twice", async () => {
    for (const times of [1, 2, 4]) {
      const { faulty, repository } = await withFaults();
      faulty.fail("putIfAbsent", { kind: "after", key: COMMIT, times });
      const manifest = await repository.backUp("vm/web", second).catch((error: unknown) => assert.fail(String(error)));
      faulty.assertAllReached();
      await assertHealthy(`${times} replies lost`, [{ manifest, disks: second }]);
    }
  });

  it("a commit that is not carried out at first is repeated", async () => {
    const { faulty, repository } = await withFaults();
    faulty.fail("putIfAbsent", { kind: "before", key: COMMIT, times: 3 });
    const manifest = await repository.backUp("vm/web", second);
    faulty.assertAllReached();
    await assertHealthy("three requests lost", [{ manifest, disks: second }]);
  });

  it("a commit whose answer cannot be read at first is read again", async () => {
    const { faulty, repository } = await withFaults();
    faulty.fail("putIfAbsent", { kind: "after", key: COMMIT });
    faulty.fail("get", { kind: "before", key: COMMIT, times: 2 });
    const manifest = await repository.backUp("vm/web", second);
    faulty.assertAllReached();
    await assertHealthy("answer read late", [{ manifest, disks: second }]);
  });

  it("a commit that was carried out but never answered is found when the backup gives up", async () => {
    const { faulty, repository } = await withFaults();
    faulty.fail("putIfAbsent", { kind: "after", key: COMMIT, times: 5 });
    const manifest = await repository.backUp("vm/web", second);
    faulty.assertAllReached();
    await assertHealthy("found at the end", [{ manifest, disks: second }]);
  });

  it("a commit without any answer is reported as uncertain, neither as done nor as failed", async () => {
    const { faulty, repository } = await withFaults();
    faulty.fail("putIfAbsent", { kind: "after", key: COMMIT, times: 100 });
    const error = await assertCode(repository.backUp("vm/web", second), "COMMIT_UNCERTAIN");
    assert.match(error.message, /may or may not exist/);
    const { snapshots } = await (await made.reopen({ backend: memory() })).catalog();
    const added = snapshots.filter(({ sid }) => sid !== old.manifest.sid);
    assert.equal(added.length, 1, "here it does");
    await assertHealthy(
      "uncertain",
      added.map(({ manifest }) => ({ manifest, disks: second })),
    );
  });

  it("an init whose reply is lost has made the repository, and says how to open it", async () => {
    const faulty = new FaultyBackend(new MemoryBackend());
    faulty.fail("putIfAbsent", { kind: "after", key: "config" });
    const fresh = await TestRepository.make({ backend: faulty, seed: 9 });
    faulty.assertAllReached();
    await fresh.reopen({ secret: async () => ({ recoveryKey: fresh.recoveryKey! }) });
  });

  it("an init that loses the race says so and takes its keys away again", async () => {
    const memory = new MemoryBackend();
    const other = await TestRepository.make({ seed: 10 });
    const faulty = new FaultyBackend(memory);
    const racing = Object.assign(Object.create(faulty) as FaultyBackend, {
      location: "memory:",
      putIfAbsent: async (key: string, bytes: Uint8Array) => {
        if (key === "config") await memory.put("config", await other.backend.get("config"));
        return memory.putIfAbsent(key, bytes);
      },
      put: memory.put.bind(memory),
      get: memory.get.bind(memory),
      stat: memory.stat.bind(memory),
      delete: memory.delete.bind(memory),
      list: memory.list.bind(memory),
    });
    await assertCode(TestRepository.make({ backend: racing, seed: 9 }), "REPOSITORY_EXISTS");
    assert.deepEqual([...memory.snapshotState().keys()], ["config"]);
  });

  it("a failure after the commit does not make the backup a failure", async () => {
    const { faulty, repository } = await withFaults();
    faulty.fail("delete", { kind: "before", key: new RegExp(`^${folder.sessions}`) });
    const manifest = await repository.backUp("vm/web", second);
    faulty.assertAllReached();
    await assertHealthy("announcement left", [{ manifest, disks: second }]);
  });
});

function isManifest(result: unknown): result is Finished["manifest"] {
  return typeof result === "object" && result !== null && (result as { type?: unknown }).type === "snapshot";
}

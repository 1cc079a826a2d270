import assert from "node:assert/strict";
import { join } from "node:path";
import { bytesToHex } from "../../core/format/ids.js";
import { sha256 } from "../../core/hash/digest.js";
import { loadPresenceForReading } from "../../core/repository/presence.js";
import { restoreFile } from "../../core/restore/restoreFile.js";
import type { MemoryBackend, MemoryState } from "../../core/storage/memoryBackend.js";
import type { Finished } from "../crash/crashed.js";
import { InterruptedBackend } from "../support/interruptedBackend.js";
import { restoreToFile } from "../support/restoreToFile.js";
import { join as joinBytes, noise } from "../support/sampleBytes.js";
import { makeTemporaryFolder } from "../support/temporaryFolder.js";
import { archiveOf, TestRepository } from "../support/testRepository.js";

describe("a whole collection between two operations of", function () {
  this.timeout(120_000);
  this.slow(10_000);
  let made: TestRepository;
  let kept: Finished;
  let start: MemoryState;
  const stretch = (seed: number) => noise(seed, 60_000);
  const config = noise(5, 300);
  const memory = () => made.backend as MemoryBackend;

  before(async () => {
    made = await TestRepository.make({ encrypted: false });
    const doomed = await made.backUp("vm/a", { disk: joinBytes(stretch(1), stretch(2), stretch(3)) });
    const disks = { disk: joinBytes(stretch(3), stretch(4)) };
    const files = [{ name: "machine.conf", bytes: config }];
    kept = { manifest: await made.backUp("vm/a", disks, { files }), disks };
    await made.forget(doomed.sid);
    start = memory().snapshotState();
  });

  async function beforeEveryOperation(
    run: (repository: TestRepository, about: string) => Promise<void>,
  ): Promise<void> {
    let nth = 1;
    for (let happened = true; happened; nth++) {
      memory().restoreState(start);
      happened = false;
      const interrupted = new InterruptedBackend(memory(), nth, async () => {
        happened = true;
        const report = await made.gc();
        assert.ok(report.repackedPacks > 0 && report.deletedPacks > 0, "what is needed moves to another pack");
      });
      await run(await made.reopen({ backend: interrupted }), `collection before operation ${nth}`);
    }
    assert.ok(nth > 5, `${nth} operations`);
  }

  it("a restore does not disturb it", async () => {
    await beforeEveryOperation(async (repository, about) => {
      const restored = await repository
        .restore(kept.manifest, "disk")
        .catch((error) => assert.fail(`${about}: ${error}`));
      assert.equal(bytesToHex(sha256(restored)), bytesToHex(sha256(kept.disks.disk!)), about);
    });
  });

  it("a restore into a file does not disturb it", async () => {
    const folder = await makeTemporaryFolder("meanwhile");
    let nth = 0;
    try {
      await beforeEveryOperation(async (repository, about) => {
        const path = join(folder.path, `${nth++}.raw`);
        const { bytes, lost } = await restoreToFile(repository, kept.manifest, "disk", path, { skipDamaged: true });
        assert.deepEqual(lost, [], about);
        assert.equal(bytesToHex(sha256(bytes)), bytesToHex(sha256(kept.disks.disk!)), about);
      });
    } finally {
      await folder.remove();
    }
  });

  it("a restore of a configuration file does not disturb it", async () => {
    await beforeEveryOperation(async (repository, about) => {
      const presence = await loadPresenceForReading(repository.repository, repository.options);
      const file = archiveOf(kept.manifest, "machine.conf");
      const bytes = await restoreFile(repository.repository, presence, file, repository.options).catch((error) =>
        assert.fail(`${about}: ${error}`),
      );
      assert.deepEqual(bytes, config, about);
    });
  });

  it("a verification does not look like damage", async () => {
    await beforeEveryOperation(async (repository, about) => {
      const report = await repository.verify({ record: true });
      assert.deepEqual(
        report.snapshots.map(({ result }) => result),
        ["ok"],
        about,
      );
      assert.deepEqual([report.objects.problems, report.packs.problems], [[], []], about);
      assert.equal(report.ok, true, about);
    });
  });

  it("a backup does not make it fail", async () => {
    await beforeEveryOperation(async (repository, about) => {
      const disk = joinBytes(stretch(1), stretch(4));
      const manifest = await repository.backUp("vm/b", { disk }).catch((error) => {
        // A stream cannot be read again; everything else is repeated.
        assert.equal(error.code, "SESSION_FENCED", about);
        return null;
      });
      if (manifest === null) return;
      assert.equal(bytesToHex(sha256(await made.restore(manifest, "disk"))), bytesToHex(sha256(disk)), about);
    });
  });
});

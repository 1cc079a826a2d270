import assert from "node:assert/strict";
import { parseRecoveryKey } from "../../core/crypto/recoveryKey.js";
import { isOurError } from "../../core/errors.js";
import { addKeySlot, changePassphrase, listKeySlots, removeKeySlot } from "../../core/repository/keys.js";
import { openRepository } from "../../core/repository/openRepository.js";
import { MemoryBackend } from "../../core/storage/memoryBackend.js";
import { RecordingBackend } from "../support/recordingBackend.js";
import { TEST_PASSPHRASE, TestRepository } from "../support/testRepository.js";
import { assertSnapshots, crashesOf, type Finished, sampleDisk } from "./crashed.js";

describe("init that stops after any change", function () {
  this.timeout(60_000);

  it("has made a repository that opens with both keys, or none, and can be repeated", async () => {
    const recording = new RecordingBackend(new MemoryBackend());
    const made = await TestRepository.make({ backend: recording });
    const { mutations } = recording;
    const configAt = mutations.findIndex(({ key }) => key === "config") + 1;
    assert.ok(configAt > 2, "both key slots are stored before the config");
    for (let changes = 0; changes <= mutations.length; changes++) {
      const backend = await recording.replayPrefix(changes);
      if (changes < configAt) {
        await assert.rejects(made.reopen({ backend }), (error) => isOurError(error, "REPOSITORY_NOT_FOUND"));
        const again = await TestRepository.make({ backend, seed: 5 });
        await again.reopen();
        await again.backUp("vm/web", { disk: sampleDisk(1) });
      } else {
        const repository = await made.reopen({ backend });
        const recoveryKey = made.recoveryKey!;
        await made.reopen({ backend, secret: async () => ({ recoveryKey }) });
        const disks = { disk: sampleDisk(1) };
        const manifest = await repository.backUp("vm/web", disks);
        await assertSnapshots(repository, [{ manifest, disks }], `after ${changes} changes`);
        await assert.rejects(TestRepository.make({ backend }), (error) => isOurError(error, "REPOSITORY_EXISTS"));
      }
    }
  });
});

describe("changes of keys that stop after any change", function () {
  this.timeout(60_000);
  let made: TestRepository;
  let finished: Finished;
  const cost = "test" as const;

  before(async () => {
    made = await TestRepository.make();
    const disks = { disk: sampleDisk(1) };
    finished = { manifest: await made.backUp("vm/web", disks), disks };
  });

  async function opens(repository: TestRepository, passphrase: string): Promise<boolean> {
    try {
      await openRepository(repository.backend, {
        secret: async () => ({ passphrase }),
        environment: repository.environment,
        cacheFolder: null,
        onWarning: () => undefined,
      });
      return true;
    } catch (error) {
      if (isOurError(error, "PASSPHRASE_WRONG")) return false;
      throw error;
    }
  }

  it("key add: the old passphrase always opens, the new one from its slot on", async () => {
    const crashes = await crashesOf(made, ({ repository }) =>
      addKeySlot(repository, { passphrase: "second" }, "another", { cost }),
    );
    assert.equal(crashes.count, 1);
    for (let changes = 0; changes <= crashes.count; changes++) {
      const repository = await crashes.after(changes);
      assert.equal(await opens(repository, TEST_PASSPHRASE), true);
      assert.equal(await opens(repository, "second"), changes === 1);
      await assertSnapshots(repository, [finished], crashes.describe(changes));
    }
  });

  it("key change: one of the two passphrases always opens", async () => {
    const fresh = await TestRepository.make({ seed: 2 });
    const recording = new RecordingBackend(fresh.backend);
    const other = await fresh.reopen({ backend: recording });
    await changePassphrase(other.repository, TEST_PASSPHRASE, "second", { cost, ...other.options });
    assert.equal(recording.mutations.length, 2);
    for (let changes = 0; changes <= 2; changes++) {
      const backend = await recording.replayPrefix(changes);
      const opened = await fresh.reopen({
        backend,
        secret: async () => ({ passphrase: changes === 0 ? TEST_PASSPHRASE : "second" }),
      });
      assert.equal(await opens(opened, TEST_PASSPHRASE), changes < 2);
      const recovery = parseRecoveryKey(fresh.recoveryKey!);
      assert.equal(recovery.length, 32);
    }
  });

  it("key remove: a slot is there or not", async () => {
    const slots = await listKeySlots(made.repository, () => undefined);
    const recovery = slots.find(({ type }) => type === "recovery")!;
    const crashes = await crashesOf(made, ({ repository }) =>
      removeKeySlot(repository, recovery.slotId, () => undefined, { force: true }),
    );
    assert.equal(crashes.count, 1);
    for (let changes = 0; changes <= 1; changes++) {
      const repository = await crashes.after(changes);
      assert.equal((await listKeySlots(repository.repository, () => undefined)).length, slots.length - changes);
      await assertSnapshots(repository, [finished], crashes.describe(changes));
    }
  });
});

// What a thief with a runner's key can publish: index objects that lie, and packs whose chunks are not what they are called.
// The keeper's collection must not throw good chunks away for them.

import assert from "node:assert/strict";
import { KeeperKey } from "../../core/crypto/keeperKey.js";
import { objectName, type PackName, packName, type Sid } from "../../core/format/ids.js";
import { BLOB_ENTRY_BYTES, BLOB_ID_BYTES } from "../../core/format/pack.js";
import { encodePackIndex } from "../../core/format/packIndex.js";
import { PackBuilder } from "../../core/repository/packBuilder.js";
import { readPackContents } from "../../core/repository/packReader.js";
import { listPacks, loadPresenceForWriting } from "../../core/repository/presence.js";
import { WriterSession } from "../../core/repository/session.js";
import type { MemoryBackend } from "../../core/storage/memoryBackend.js";
import { noise } from "../support/sampleBytes.js";
import { makeTemporaryFolder } from "../support/temporaryFolder.js";
import { TestRepository } from "../support/testRepository.js";

const DISK = noise(9, 300_000);

describe("two roles: false index objects and packs", () => {
  let keeper: TestRepository;
  let runner: TestRepository;

  beforeEach(async () => {
    keeper = await TestRepository.make({ keeperKey: KeeperKey.generate() });
    runner = await keeper.reopen();
    await runner.backUp("vm/a", { root: DISK });
  });

  /** A pack that claims to hold the same chunks and holds rubbish. */
  async function publishFalseCopies(): Promise<PackName[]> {
    const { repository } = runner;
    const real = [...(await listPacks(repository, {})).values()];
    const session = await WriterSession.open(repository, { purpose: "backup", group: null, ...runner.options });
    const { packBytes } = repository.config;
    const { sid } = session;
    const builder = new PackBuilder({ sid, packBytes, keyring: repository.keyring, firstNumber: 0, numberStep: 1 });
    for (const { key, sizeBytes } of real) {
      const name = key.slice(key.lastIndexOf("/") + 1) as PackName;
      const { entries, blobCount } = await readPackContents(repository.backend, name, sizeBytes);
      for (let i = 0; i < blobCount; i++) {
        const id = entries.subarray(i * BLOB_ENTRY_BYTES, i * BLOB_ENTRY_BYTES + BLOB_ID_BYTES);
        builder.add("chunk", id, noise(1000 + i, 20_000), { codec: "none", level: 0 });
      }
    }
    const pack = builder.finish();
    assert.ok(pack);
    await session.putPack(pack);
    await session.abandon("done");
    return real.map(({ key }) => key.slice(key.lastIndexOf("/") + 1) as PackName);
  }

  it("does not delete a pack because false copies of its chunks are elsewhere", async () => {
    const real = await publishFalseCopies();
    await keeper.gc();
    assert.ok(keeper.takeWarnings().includes("GC_PACK_UNPROVEN"));
    const left = await listPacks(keeper.repository, {});
    for (const pack of real) assert.ok(left.has(pack), pack);
    const [snapshot] = (await keeper.catalog()).snapshots;
    assert.ok(snapshot);
    assert.deepEqual(await keeper.restore(snapshot.manifest, "root"), DISK);
  });

  it("does not delete a pack that an index object calls empty", async () => {
    const { repository } = runner;
    const packs = await listPacks(repository, {});
    const lies = [...packs].map(([name, { sizeBytes }]) => ({
      name,
      sizeBytes,
      blobCount: 0,
      entries: new Uint8Array(0),
    }));
    // names are listed in order, and the first description of a pack counts
    const name = objectName.index(packName("00".repeat(16) as Sid, 0));
    const decoy = await runner.backUp("vm/b", { root: noise(10, 50_000) });
    await repository.objects.write(name, "packIndex", encodePackIndex(lies));
    await keeper.gc().catch(() => undefined);
    const left = await listPacks(keeper.repository, {});
    for (const pack of packs.keys()) assert.ok(left.has(pack), pack);
    await keeper.backend.delete(name);
    assert.ok((await keeper.verify()).ok, decoy.sid);
  });

  it("does not rely on a pack whose sample is false, reports it, and stores the chunks again", async () => {
    // first: a false pack in a repository that holds nothing good
    const [snapshot] = (await keeper.catalog()).snapshots;
    assert.ok(snapshot);
    const real = await publishFalseCopies();
    for (const pack of real) await keeper.backend.delete(objectName.pack(pack));
    const victim = await keeper.reopen();
    const again = await victim.backUp("vm/c", { root: DISK }, { sampleReads: 8 });
    assert.ok(victim.takeWarnings().includes("PACK_FALSE"));
    assert.deepEqual(await victim.restore(again, "root"), DISK);
    // and what was found is known to everybody
    const { quarantined } = await loadPresenceForWriting(keeper.repository, keeper.options);
    assert.equal(quarantined.size, 1);
  });

  it("finds nothing wrong with good packs, and does not ask again about those it has met", async () => {
    const folder = await makeTemporaryFolder("samples");
    try {
      const other = await keeper.reopen({ cacheFolder: folder.path });
      let reads = 0;
      const backend = other.backend as MemoryBackend;
      const get = backend.get.bind(backend);
      backend.get = (key, options) => {
        if (key.startsWith("packs/")) reads++;
        return get(key, options);
      };
      const session = { purpose: "backup", group: null, sampleReads: 100, ...other.options };
      for (const expected of [true, false]) {
        reads = 0;
        await (await WriterSession.open(other.repository, session)).abandon("test");
        assert.equal(reads > 0, expected);
      }
      assert.deepEqual(other.takeWarnings(), []);
    } finally {
      await folder.remove();
    }
  });
});

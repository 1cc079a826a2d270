// What gc says of objects that somebody has overwritten, in storages with versions.

import assert from "node:assert/strict";
import { KeeperKey } from "../../core/crypto/keeperKey.js";
import { folder, objectName } from "../../core/format/ids.js";
import type { ObjectVersion, StorageProtection } from "../../core/storage/backend.js";
import { MemoryBackend } from "../../core/storage/memoryBackend.js";
import { assertCode } from "../support/assertCode.js";
import { TestRepository } from "../support/testRepository.js";

/** Claims that each object in `overwritten` has had other contents before. */
class VersionsBackend extends MemoryBackend {
  readonly overwritten = new Set<string>();
  protectedBy: StorageProtection = { versioning: "off", objectLockDays: null };

  async protection(): Promise<StorageProtection> {
    return this.protectedBy;
  }

  async *versions(prefix: string): AsyncIterable<ObjectVersion> {
    for await (const info of this.list(prefix)) {
      yield { ...info, versionId: "2", contentsTag: "b", isLatest: true };
      const { sizeBytes } = info;
      if (this.overwritten.has(info.key))
        yield { ...info, sizeBytes: sizeBytes + 1, versionId: "1", contentsTag: "a", isLatest: false };
    }
  }
}

describe("gc in a storage with versions", () => {
  async function make(): Promise<{ backend: VersionsBackend; made: TestRepository; snapshot: string; pack: string }> {
    const backend = new VersionsBackend();
    const made = await TestRepository.make({ backend, keeperKey: KeeperKey.generate() });
    const { sid } = await made.backUp("vm/a", { root: new Uint8Array(10_000).fill(1) });
    const packs: string[] = [];
    for await (const { key } of backend.list(folder.packs)) packs.push(key);
    return { backend, made, snapshot: objectName.snapshot(sid), pack: packs[0]! };
  }

  it("deletes nothing when a manifest was overwritten, and the last version counts", async () => {
    const { backend, made, snapshot } = await make();
    await made.gc();
    backend.overwritten.add(snapshot);
    await assertCode(made.gc(), "SNAPSHOT_OVERWRITTEN");
  });

  it("warns of packs and of rules that remove decisions, where the first version counts", async () => {
    const { backend, made, snapshot, pack } = await make();
    backend.protectedBy = { versioning: "on", objectLockDays: null, versionsExpire: ["packs/"] };
    backend.overwritten.add(snapshot);
    await made.gc();
    assert.deepEqual(made.takeWarnings(), []);
    backend.overwritten.add(pack);
    backend.protectedBy.versionsExpire = ["snap"];
    await made.gc();
    assert.deepEqual(made.takeWarnings(), ["VERSIONS_EXPIRE", "PACKS_OVERWRITTEN"]);
  });
});

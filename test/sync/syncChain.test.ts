import assert from "node:assert/strict";
import { folder } from "../../core/format/ids.js";
import { listKeys } from "../support/listing.js";
import { join, noise, prose } from "../support/sampleBytes.js";
import type { TestRepository } from "../support/testRepository.js";
import {
  assertClean,
  contentsOf,
  KINDS,
  makeReplica,
  packReads,
  putsOf,
  recordedSync,
  snapshotOf,
  sync,
} from "./replicas.js";

const first = join(noise(1, 400_000), new Uint8Array(500_000), prose(2, 300_000), noise(1, 50_000));
const second = first.slice();
second.set(noise(3, 40_000), 70_000);
second.fill(0, 200_000, 330_000);
const config = prose(4, 700);

async function fill(repository: TestRepository): Promise<void> {
  await repository.backUp(
    "vm/a",
    { root: first, data: noise(5, 90_000) },
    { files: [{ name: "a.conf", bytes: config }] },
  );
  await repository.backUp("vm/b", { root: first }, { namespace: "prod", tags: ["daily"] });
  await repository.backUp(
    "vm/a",
    { root: second, data: noise(5, 90_000) },
    { files: [{ name: "a.conf", bytes: config }] },
  );
  await repository.backUp("host/empty", { none: new Uint8Array(3_000_000), tiny: noise(6, 1) });
}

for (const [fromKind, fromOptions] of Object.entries(KINDS)) {
  for (const [toKind, toOptions] of Object.entries(KINDS)) {
    describe(`sync from ${fromKind} to ${toKind}`, function () {
      this.timeout(30_000);
      let from: TestRepository;
      let to: TestRepository;
      before(async () => {
        from = await makeReplica(fromOptions);
        to = await makeReplica(toOptions);
        await fill(from);
      });

      it("copies every snapshot, byte by byte, with equal boundaries", async () => {
        const report = await sync(from, to);
        assert.deepEqual([report.copied.length, report.failed], [4, []]);
        assert.deepEqual(await contentsOf(to), await contentsOf(from));
        await assertClean(to, "the copy");
        assert.deepEqual(to.takeWarnings(), []);
      });

      it("says of each what it is a copy of", async () => {
        const { snapshots } = await from.catalog();
        const copies = (await to.catalog()).snapshots;
        const { repositoryId } = from.repository.config;
        assert.deepEqual(
          copies.map(({ manifest }) => manifest.origin),
          snapshots.map(({ sid, digest }) => ({ repositoryId, snapshot: sid, digest })),
        );
        assert.deepEqual(
          copies.map(({ manifest }) => manifest.archives.map(({ name, kind, sizeBytes }) => [name, kind, sizeBytes])),
          snapshots.map(({ manifest }) =>
            manifest.archives.map(({ name, kind, sizeBytes }) => [name, kind, sizeBytes]),
          ),
        );
        const none = new Set(snapshots.map(({ sid }) => sid));
        assert.ok(copies.every(({ sid }) => !none.has(sid)));
      });

      it("moves nothing in a second run", async () => {
        const { report, fromOperations, toOperations } = await recordedSync(from, to);
        assert.deepEqual(report, { copied: [], failed: [], records: 0, vanished: [] });
        assert.deepEqual(putsOf(toOperations), []);
        assert.deepEqual(putsOf(fromOperations), []);
        assert.deepEqual([packReads(fromOperations), packReads(toOperations)], [0, 0]);
      });

      it("reads and sends of the next snapshot only what changed, knowing that from the maps", async () => {
        const third = second.slice();
        third.set(noise(9, 10_000), 1_000_000);
        await from.backUp("vm/a", { root: third, data: noise(5, 90_000) });
        const { report } = await recordedSync(from, to);
        const [copied] = report.copied;
        assert.ok(copied && copied.bytesRead > 10_000 && copied.bytesRead < 400_000, JSON.stringify(copied));
        assert.equal(copied.bytesNew, copied.bytesRead);
        assert.deepEqual(await contentsOf(to), await contentsOf(from));
        await assertClean(to, "the copy");
      });

      it("reads nothing of an unchanged disk", async () => {
        await from.backUp("vm/b", { root: first }, { namespace: "prod" });
        const { report } = await recordedSync(from, to);
        assert.deepEqual(
          report.copied.map(({ bytesRead, bytesNew }) => [bytesRead, bytesNew]),
          [[0, 0]],
        );
      });
    });
  }
}

describe("sync in a circle", function () {
  this.timeout(30_000);

  it("of three repositories with different keys ends where it began", async () => {
    const a = await makeReplica({ encrypted: true });
    const b = await makeReplica(KINDS["sealed, larger chunks"]);
    const c = await makeReplica({ encrypted: false });
    await fill(a);
    await sync(a, b);
    await sync(b, c);
    for (const copy of [b, c]) {
      assert.deepEqual(await contentsOf(copy), await contentsOf(a));
      await assertClean(copy, "a copy");
    }
    const [original] = (await a.catalog()).snapshots;
    assert.equal((await snapshotOf(c, original!.manifest)).origin?.repositoryId, a.repository.config.repositoryId);
    for (const [from, to] of [
      [c, a],
      [b, a],
      [a, c],
      [c, b],
    ] as const) {
      const { report, toOperations } = await recordedSync(from, to);
      assert.deepEqual([report.copied, putsOf(toOperations)], [[], []]);
    }
  });

  it("brings back what the original has lost, recognised by everybody", async () => {
    const a = await makeReplica();
    const b = await makeReplica({ encrypted: false });
    await fill(a);
    await sync(a, b);
    const before = await contentsOf(a);
    const [gone] = (await a.catalog()).snapshots;
    await a.forget(gone!.sid);
    await a.gc();
    assert.equal((await sync(b, a)).copied.length, 1);
    assert.deepEqual(await contentsOf(a), before);
    await assertClean(a, "the original");
    assert.deepEqual((await snapshotOf(a, gone!.manifest)).origin?.repositoryId, a.repository.config.repositoryId);
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const)
      assert.equal((await sync(from, to)).copied.length, 0);
  });

  it("with the same key finds chunks of other machines without reading them", async () => {
    const a = await makeReplica({ encrypted: false });
    const b = await makeReplica({ encrypted: false });
    await a.backUp("vm/a", { root: first });
    await b.backUp("vm/other", { system: first });
    const packs = (await listKeys(b.backend, folder.packs)).length;
    const { report } = await recordedSync(a, b);
    assert.deepEqual([report.copied[0]?.bytesRead, report.copied[0]?.bytesNew], [0, 0]);
    assert.ok((await listKeys(b.backend, folder.packs)).length <= packs + 1, "but for its map");
  });

  it("with different keys reads what it cannot know, and stores it once", async () => {
    const a = await makeReplica();
    const b = await makeReplica({ encrypted: false });
    await a.backUp("vm/a", { root: first });
    await sync(a, b);
    await a.backUp("vm/other", { root: first });
    const { report } = await recordedSync(a, b);
    assert.ok((report.copied[0]?.bytesRead ?? 0) > 600_000);
    assert.equal(report.copied[0]?.bytesNew, 0);
  });
});

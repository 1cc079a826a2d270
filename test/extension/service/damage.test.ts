import assert from "node:assert/strict";
import { readdir, readFile, rename, rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import { objectName, type PackName, type Sid } from "../../../core/format/ids.js";
import type { RepositoryInfo } from "../../../extension/service/protocol.js";
import { machineDisks } from "../../files/machineDisk.js";
import type { StoredBlob } from "../../support/damageSample.js";
import { chunksAt, damagedCopy, flipIn } from "../support/damagedRepository.js";
import { makeSampleRepository, SAMPLE_PASSPHRASE, type SampleRepository } from "../support/sampleRepository.js";
import { failure, type StartedService, startService } from "../support/startService.js";

const DATA = "/sda/p2/var/lib/data.bin";
const HOSTNAME = "/sda/p2/etc/hostname";
/** In the middle of data.bin; nothing else is near. */
const MIDDLE = 1_500_000;

describe("the extension's service and a damaged repository", () => {
  let sample: SampleRepository;
  let service: StartedService;
  let data: Uint8Array;
  let chunk: StoredBlob;
  const at = (info: RepositoryInfo, path: string, snapshot = sample.snapshots[0]) => {
    return { repository: info.handle, snapshot, path };
  };
  const read = (info: RepositoryInfo, path: string, snapshot?: string) =>
    service.client.call("readFile", { ...at(info, path, snapshot), maxBytes: 1e8 });
  const part = (info: RepositoryInfo, path: string, offset: number, length: number) =>
    service.client.call("readRange", { ...at(info, path), offset, length });
  const list = async (info: RepositoryInfo, path: string, snapshot?: string) => {
    const { items } = await service.client.call("list", { ...at(info, path, snapshot), offset: 0, limit: 100 });
    return items;
  };
  const open = (location: string) => service.open(location, SAMPLE_PASSPHRASE);
  const openDamaged = async (name: string, damage: (location: string) => Promise<unknown>) =>
    await open(await damagedCopy(sample, name, damage));

  before(async () => {
    sample = await makeSampleRepository();
    service = startService();
    const info = await open(sample.location);
    data = await read(info, DATA);
    const [first] = await machineDisks();
    const place = (await readFile(first)).indexOf(data.subarray(MIDDLE, MIDDLE + 64));
    const [found] = await chunksAt(sample.location, sample.snapshots[0], place, place + 64);
    assert.ok(found !== undefined && place > 0);
    chunk = found;
  });
  after(async () => {
    await service?.client.close();
    await sample?.remove();
  });

  it("names the file, its range, chunk and pack of a byte that has changed, and reads everything beside it", async () => {
    const info = await openDamaged("flipped", (location) => flipIn(location, chunk));
    const error = await failure(read(info, DATA), "ENTRY_DAMAGED");
    for (const part of [DATA, chunk.id, chunk.pack]) assert.ok(error.message.includes(part), error.message);
    assert.match(error.hint ?? "", /another snapshot/);
    const [from, to] = [Number(error.data.from), Number(error.data.to)];
    assert.ok(from <= MIDDLE && MIDDLE < to && to - from < 1024 * 1024, `${from}–${to}`);
    const before = await part(info, DATA, 0, from);
    assert.ok(Buffer.from(before.bytes).equals(data.subarray(0, from)));
    const behind = await part(info, DATA, to, 1e7);
    assert.ok(Buffer.from(behind.bytes).equals(data.subarray(to)));
    await failure(part(info, DATA, from - 10, to - from), "ENTRY_DAMAGED");
    assert.equal((await service.client.call("stat", at(info, DATA))).sizeBytes, data.length);
    assert.equal((await list(info, "/sda/p2/var/lib")).length, 3);
    assert.equal((await read(info, HOSTNAME)).length, 5);
  });

  it("leaves no half file when a damaged one is restored, and says which", async () => {
    const location = await damagedCopy(sample, "halves", (copy) => flipIn(copy, chunk));
    const info = await open(location);
    const to = join(sample.folder, "halves-out");
    const report = await service.client.call("restoreFiles", { ...at(info, "/sda/p2/var"), to, existing: "refuse" });
    const reasons = new Map(report.skippedFiles.map(({ path, reason }) => [path, reason]));
    assert.match(reasons.get(DATA) ?? "", /damaged/, JSON.stringify(report.skippedFiles));
    const names = await readdir(to, { recursive: true });
    assert.ok(!names.some((name) => /data\.bin|same\.bin/.test(name)), names.join());
  });

  it("does not say that files are missing when nobody can tell what is on the disk", async () => {
    const info = await openDamaged("pack-gone", (location) => rm(join(location, objectName.pack(chunk.pack))));
    for (const path of [DATA, "/sda/p2", "/sda/p2/etc"]) {
      const { message } = await failure(service.client.call("stat", at(info, path)), "ENTRY_DAMAGED");
      assert.match(message, /what is on it cannot be told.*is missing/);
    }
    const [volume] = await list(info, "/sda");
    assert.equal(volume?.problem?.code, "ENTRY_DAMAGED");
    const anywhere = await failure(service.client.call("stat", at(info, "/etc/hostname")), "FILE_NOT_FOUND");
    assert.equal((anywhere.data.unreadable as unknown[]).length, 1);
    assert.equal((await list(info, "/sda/fs", sample.odd)).length > 5, true);
  });

  it("names the object when the map of a disk is gone, and other machines live", async () => {
    const map = `${sample.snapshots[0]}-ffffffff` as PackName;
    const info = await openDamaged("map-gone", (location) => rm(join(location, objectName.pack(map))));
    const { message } = await failure(list(info, "/sda/p2"), "CHUNK_MISSING");
    assert.ok(message.includes(map), message);
    assert.ok((await list(info, "/sda/fs", sample.odd)).length > 5);
  });

  it("tells a damaged manifest from a snapshot that is not there", async () => {
    const object = objectName.snapshot(sample.snapshots[0] as Sid);
    const info = await openDamaged("manifest-cut", (location) => truncate(join(location, object), 100));
    const { data } = await failure(read(info, HOSTNAME), "OBJECT_DAMAGED");
    assert.equal(data.object, object);
    const { snapshots, unreadable } = await service.client.call("catalog", { repository: info.handle });
    assert.deepEqual([snapshots, unreadable.length], [3, 1]);
    assert.equal((await read(info, HOSTNAME, sample.snapshots[1])).length, 5);
  });

  it("needs no index to read", async () => {
    const info = await openDamaged("no-index", (location) => rm(join(location, "index"), { recursive: true }));
    assert.equal((await read(info, DATA)).length, data.length);
  });

  it("says what is the matter with keys and config", async () => {
    const keys = async (location: string, harm: (path: string) => Promise<unknown>) => {
      for (const name of await readdir(join(location, "keys"))) await harm(join(location, "keys", name));
    };
    await assert.rejects(
      openDamaged("no-keys", (location) => keys(location, rm)),
      { code: "KEY_SLOTS_MISSING" },
    );
    await assert.rejects(
      openDamaged("cut-keys", (location) => keys(location, (path) => truncate(path, 10))),
      { code: "KEY_SLOTS_MISSING" },
    );
    const config = async (location: string) => {
      for (const name of ["config", "config.copy"]) await truncate(join(location, name), 10);
    };
    await assert.rejects(openDamaged("no-config", config), { code: "CONFIG_DAMAGED" });
  });

  it("goes on when a repository that had gone is back", async () => {
    const location = await damagedCopy(sample, "away", async () => {});
    const info = await open(location);
    await service.client.call("catalog", { repository: info.handle });
    await rename(location, `${location}.x`);
    const { family } = await failure(list(info, "/sda/p2"), "STORAGE_FAILED");
    assert.equal(family, "backend");
    await rename(`${location}.x`, location);
    assert.equal((await list(info, "/sda/p2")).length, 6);
    await rename(location, `${location}.x`);
    await assert.rejects(read(info, DATA), { code: "STORAGE_FAILED" });
    await rename(`${location}.x`, location);
    assert.equal((await read(info, DATA)).length, data.length);
  });

  it("does not take another repository at the same place for its own", async () => {
    const location = await damagedCopy(sample, "replaced", async () => {});
    const other = await makeSampleRepository();
    try {
      const info = await open(location);
      await list(info, "/sda/p2");
      await rename(location, `${location}.x`);
      await rename(other.location, location);
      const fresh = { repository: info.handle, refresh: true };
      const { data } = await failure(service.client.call("catalog", fresh), "REPOSITORY_ID_DIFFERS");
      assert.deepEqual([data.expected, data.actual], [sample.repositoryId, other.repositoryId]);
      await assert.rejects(read(info, DATA), { name: "ServiceError" });
    } finally {
      await other.remove();
    }
  });

  it("says that a snapshot is gone which another window has forgotten and collected, and goes on with the others", async () => {
    const own = await makeSampleRepository();
    try {
      const [here, there] = [await open(own.location), await open(own.location)];
      const gone = own.snapshots[0];
      // the catalogs are read, the disks are not
      for (const { handle } of [here, there]) await service.client.call("catalog", { repository: handle });
      for (const id of own.snapshots.slice(0, 2)) await own.reprise("forget", id);
      await own.reprise("gc", "--max-unused", "0", "--confirm");
      const { hint } = await failure(read(here, DATA, gone), "SNAPSHOT_NOT_FOUND");
      assert.match(hint ?? "", /refresh/);
      await failure(list(here, "/sda/p2", gone), "SNAPSHOT_NOT_FOUND");
      for (const info of [here, there]) {
        assert.equal((await read(info, DATA, own.snapshots[2])).length, data.length);
        assert.ok((await list(info, "/sda/fs", own.odd)).length > 5);
      }
    } finally {
      await own.remove();
    }
  });
});

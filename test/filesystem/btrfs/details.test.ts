// What a comparison of whole trees does not show: the summary, looking up, extents, and what is refused and by which name.

import assert from "node:assert/strict";
import { CachedReader } from "../../../core/filesystem/blockCache.js";
import type { BlockReader } from "../../../core/filesystem/blockReader.js";
import { openBtrfs } from "../../../core/filesystem/btrfs/openBtrfs.js";
import type { DirectoryEntry, FileExtent, FileSystem, NodeId } from "../../../core/filesystem/fileSystem.js";
import { crc32cOf } from "../../../core/hash/crc32c.js";
import { openRawSource } from "../../../core/source/rawSource.js";
import { assertCode } from "../../support/assertCode.js";
import { btrfsImage, canMount, withFileSystem } from "./btrfsImages.js";

const SUPERBLOCK_AT = 64 * 1024;
const SUPERBLOCK_BYTES = 4096;

const bytesOf = (text: string) => new TextEncoder().encode(text);

async function nodeAt(fileSystem: FileSystem, path: string): Promise<NodeId> {
  let node = fileSystem.root;
  for (const name of path.split("/").slice(1)) {
    const entry = await fileSystem.lookup(node, bytesOf(name));
    assert.ok(entry, `${path}: ${name}`);
    node = entry.id;
  }
  return node;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

function extentsOf(fileSystem: FileSystem, file: NodeId): AsyncIterable<FileExtent> {
  assert.ok(fileSystem.extents);
  return fileSystem.extents(file);
}

async function list(fileSystem: FileSystem, directory: NodeId): Promise<DirectoryEntry[]> {
  return await collect(fileSystem.readDirectory(directory));
}

/** The image with some bytes of its first superblock replaced, and a checksum that fits. */
async function withPatchedSuperblock<T>(
  patch: (view: DataView) => void,
  use: (reader: BlockReader) => Promise<T>,
): Promise<T> {
  const source = await openRawSource((await btrfsImage("rootdir")).paths[0] as string);
  try {
    const superblock = new Uint8Array(SUPERBLOCK_BYTES);
    await source.read(superblock, SUPERBLOCK_AT);
    const view = new DataView(superblock.buffer);
    patch(view);
    view.setUint32(0, crc32cOf(superblock.subarray(32)), true);
    return await use({
      sizeBytes: 64 << 20,
      async read(buffer, offset) {
        if (offset === SUPERBLOCK_AT && buffer.length === SUPERBLOCK_BYTES) buffer.set(superblock);
        else await source.read(buffer, offset);
      },
    });
  } finally {
    await source.close();
  }
}

describe("btrfs: details", function () {
  this.timeout(60_000);

  it("tells label, uuid, sizes and nothing to remark", async () => {
    const { paths } = await btrfsImage("rootdir");
    const { usedBytes, sizeBytes, uuid, ...info } = await withFileSystem(paths, async ({ info: found }) => found);
    assert.deepEqual(info, { type: "btrfs", label: "rootdir", blockBytes: 4096, remarks: [] });
    assert.match(uuid, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.ok(usedBytes !== null && usedBytes > 1 << 20 && usedBytes < sizeBytes);
  });

  it("remarks which subvolume is mounted by default, and a log", async function () {
    if (!canMount()) return this.skip();
    const remarksOf = async (kind: "rich" | "logged") =>
      await withFileSystem((await btrfsImage(kind)).paths, async ({ info }) => info.remarks);
    assert.deepEqual(await remarksOf("rich"), ["mounted by default: /deep/0/snapshots/changed"]);
    assert.deepEqual(await remarksOf("logged"), ["log tree not empty: recent fsynced changes may be missing"]);
  });

  it("looks up every name that it lists, and no other", async function () {
    if (!canMount()) return this.skip();
    await withFileSystem((await btrfsImage("rich")).paths, async (fileSystem) => {
      for (const folder of ["", "/many", "/links", "/names", "/collisions", "/deep/0/snapshots"]) {
        const node = folder === "" ? fileSystem.root : await nodeAt(fileSystem, folder);
        const entries = await list(fileSystem, node);
        assert.ok(entries.length > 1);
        for (const entry of entries) assert.deepEqual(await fileSystem.lookup(node, entry.name), entry);
        assert.equal(await fileSystem.lookup(node, bytesOf("not there")), null);
        assert.equal(await fileSystem.lookup(node, bytesOf("..")), null);
      }
    });
  });

  it("shows an empty directory where a snapshot has no subvolume", async function () {
    if (!canMount()) return this.skip();
    await withFileSystem((await btrfsImage("rich")).paths, async (fileSystem) => {
      const real = await nodeAt(fileSystem, "/sub-zstd/nested");
      assert.equal((await list(fileSystem, real)).length, 1);
      const empty = await nodeAt(fileSystem, "/deep/0/snapshots/read-only/nested");
      assert.deepEqual(await list(fileSystem, empty), []);
      const { kind, mode, linkCount } = await fileSystem.stat(empty);
      assert.deepEqual([kind, mode, linkCount], ["directory", 0o755, 1]);
      assert.deepEqual(await fileSystem.attributes(empty), []);
    });
  });

  it("takes what was never written for a hole, and tells where the rest lies", async function () {
    if (!canMount()) return this.skip();
    const { paths } = await btrfsImage("rich");
    await withFileSystem(paths, async (fileSystem) => {
      const file = await nodeAt(fileSystem, "/prealloc.bin");
      const ranges = await collect(fileSystem.dataRanges(file));
      assert.equal(ranges[0]?.offset, 50 * 4096);
      const source = await openRawSource(paths[0] as string);
      const extents = await collect(extentsOf(fileSystem, file));
      assert.ok(extents.length > 0);
      for (const { offset, length, deviceOffset } of extents) {
        const [ours, raw] = [new Uint8Array(length), new Uint8Array(length)];
        assert.equal(await fileSystem.read(file, ours, offset), length);
        await source.read(raw, deviceOffset);
        assert.deepEqual(ours, raw);
      }
      await source.close();
      assert.deepEqual(await collect(extentsOf(fileSystem, await nodeAt(fileSystem, "/sub-zstd/one.txt"))), []);
    });
  });

  it("reads any part of a compressed file", async function () {
    if (!canMount()) return this.skip();
    await withFileSystem((await btrfsImage("rich")).paths, async (fileSystem) => {
      const file = await nodeAt(fileSystem, "/sub-renamed/long.txt");
      const { sizeBytes } = await fileSystem.stat(file);
      const whole = new Uint8Array(sizeBytes);
      assert.equal(await fileSystem.read(file, whole, 0), sizeBytes);
      for (const [offset, length] of [
        [1, 1],
        [131_071, 2],
        [45_055, 5000],
        [204_799, 300_000],
        [sizeBytes - 9, 9],
      ]) {
        const part = new Uint8Array(length as number);
        assert.equal(await fileSystem.read(file, part, offset as number), length);
        assert.deepEqual(part, whole.subarray(offset, (offset as number) + (length as number)));
      }
      assert.equal(await fileSystem.read(file, new Uint8Array(100), sizeBytes - 10), 10);
      assert.equal(await fileSystem.read(file, new Uint8Array(100), sizeBytes + 10), 0);
    });
  });

  it("says what a node is not", async () => {
    await withFileSystem((await btrfsImage("rootdir")).paths, async (fileSystem) => {
      const file = await nodeAt(fileSystem, "/hello.txt");
      await assertCode(list(fileSystem, file), "FILE_KIND_WRONG");
      await assertCode(fileSystem.readLink(file), "FILE_KIND_WRONG");
      await assertCode(fileSystem.read(fileSystem.root, new Uint8Array(1), 0), "FILE_KIND_WRONG");
      for (const wrong of ["", "x", "5", "1.256", "7.256", "300.256", "5.1e3", "-1.2"]) {
        await assertCode(fileSystem.stat(wrong as NodeId), "FILE_NOT_FOUND", wrong);
      }
      await assertCode(fileSystem.stat("5.99999" as NodeId), "FILESYSTEM_DAMAGED");
    });
  });

  it("opens and lists the root in few reads", async () => {
    const source = await openRawSource((await btrfsImage("rootdir")).paths[0] as string);
    let reads = 0;
    const counting: BlockReader = {
      sizeBytes: source.sizeBytes,
      read(buffer, offset, options) {
        reads++;
        return source.read(buffer, offset, options);
      },
    };
    const fileSystem = await openBtrfs(new CachedReader(counting));
    assert.ok((await list(fileSystem, fileSystem.root)).length > 10);
    assert.ok(reads <= 8, `${reads} reads`);
    await source.close();
  });

  const refused: { feature: string; patch: (view: DataView) => void }[] = [
    { feature: "extent tree version 2", patch: (view) => view.setUint32(0xbc, 0x2141, true) },
    { feature: "RAID stripe tree", patch: (view) => view.setUint32(0xbc, 0x4141, true) },
    { feature: "incompatible feature 0x80000000", patch: (view) => view.setUint32(0xbc, 0x8000_0141, true) },
    { feature: "incompatible feature 0x200000000", patch: (view) => view.setUint32(0xc0, 2, true) },
    { feature: "checksum algorithm 4", patch: (view) => view.setUint16(0xc4, 4, true) },
    {
      feature: "an image without contents, as btrfs-image makes it,",
      patch: (view) => view.setUint32(0x3c, 2, true),
    },
  ];
  for (const { feature, patch } of refused) {
    it(`refuses by name: ${feature}`, async () => {
      const error = await assertCode(withPatchedSuperblock(patch, openBtrfs), "FILESYSTEM_UNSUPPORTED");
      assert.equal(error.data.feature, feature);
    });
  }

  const damages: { what: string; patch: (view: DataView) => void }[] = [
    { what: "no magic number", patch: (view) => view.setUint32(0x40, 0) },
    { what: "a superblock from elsewhere", patch: (view) => view.setUint32(0x30, 4096, true) },
    { what: "sectors of 5,000 bytes", patch: (view) => view.setUint32(0x90, 5000, true) },
    { what: "nodes of 1 MiB", patch: (view) => view.setUint32(0x94, 1 << 20, true) },
    { what: "nodes of another size", patch: (view) => view.setUint32(0x94, 8192, true) },
    { what: "a root tree of level 8", patch: (view) => view.setUint8(0xc6, 8) },
    { what: "a root tree of a wrong level", patch: (view) => view.setUint8(0xc6, 3) },
    { what: "a root tree of another generation", patch: (view) => view.setUint32(0x48, 99, true) },
    { what: "a root tree in no chunk", patch: (view) => view.setUint32(0x54, 0xffff, true) },
    { what: "too many system chunks", patch: (view) => view.setUint32(0xa0, 4000, true) },
    { what: "system chunks that are cut off", patch: (view) => view.setUint32(0xa0, 40, true) },
    { what: "a system chunk without stripes", patch: (view) => view.setUint16(0x32b + 17 + 44, 0, true) },
    { what: "a system chunk of an unknown profile", patch: (view) => view.setUint32(0x32b + 17 + 24, 0x1a, true) },
  ];
  for (const { what, patch } of damages) {
    it(`is damaged: ${what}`, async () => {
      await assertCode(withPatchedSuperblock(patch, openBtrfs), "FILESYSTEM_DAMAGED");
    });
  }
});

// What a comparison of whole trees does not show: the summary, looking up, holes, and what is refused and by which name.

import assert from "node:assert/strict";
import { CachedReader } from "../../../core/filesystem/blockCache.js";
import type { BlockReader } from "../../../core/filesystem/blockReader.js";
import type { DirectoryEntry, FileSystem, NodeId } from "../../../core/filesystem/fileSystem.js";
import { openXfs } from "../../../core/filesystem/xfs/openXfs.js";
import { decodeSuperblock } from "../../../core/filesystem/xfs/superblock.js";
import { XfsVolume } from "../../../core/filesystem/xfs/volume.js";
import { crc32cOf } from "../../../core/hash/crc32c.js";
import { openRawSource } from "../../../core/source/rawSource.js";
import { assertCode } from "../../support/assertCode.js";
import { canMount, withFileSystem, xfsImage } from "./xfsImages.js";

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

async function list(fileSystem: FileSystem, directory: NodeId): Promise<DirectoryEntry[]> {
  const entries: DirectoryEntry[] = [];
  for await (const entry of fileSystem.readDirectory(directory)) entries.push(entry);
  return entries;
}

/** The image with some bytes of its superblock replaced, and a checksum that fits when there is one. */
async function withPatchedSuperblock<T>(
  path: string,
  patch: (view: DataView) => void,
  use: (reader: BlockReader) => Promise<T>,
): Promise<T> {
  const source = await openRawSource(path);
  try {
    const sector = new Uint8Array(512);
    await source.read(sector, 0);
    const view = new DataView(sector.buffer);
    const isVersion5 = (view.getUint16(100) & 0xf) === 5;
    patch(view);
    if (isVersion5) {
      view.setUint32(224, 0);
      view.setUint32(224, crc32cOf(sector), true);
    }
    return await use({
      sizeBytes: source.sizeBytes,
      async read(buffer, offset) {
        await source.read(buffer, offset);
        for (let i = 0; i < buffer.length && offset + i < 512; i++) buffer[i] = sector[offset + i] as number;
      },
    });
  } finally {
    await source.close();
  }
}

describe("xfs: details", function () {
  this.timeout(60_000);

  it("tells label, uuid, sizes and nothing to remark", async () => {
    const { path } = await xfsImage("v4-ftype");
    const { usedBytes, ...info } = await withFileSystem(path, async ({ info: found }) => found);
    assert.deepEqual(info, {
      type: "xfs",
      label: "v4-ftype",
      uuid: "11111111-2222-4333-8444-555555555555",
      sizeBytes: 64 << 20,
      blockBytes: 4096,
      remarks: [],
    });
    assert.ok(usedBytes !== null && usedBytes > 1 << 20 && usedBytes < 64 << 20);
  });

  it("remarks that log and real-time device are elsewhere", async () => {
    const { path } = await xfsImage("v5-devices");
    const remarks = await withFileSystem(path, async ({ info }) => info.remarks);
    assert.deepEqual(remarks, [
      "log on another device: recent changes may be missing",
      "has a real-time device, whose files cannot be read",
    ]);
  });

  for (const kind of ["v4", "v4-ftype", "v5-1k", "v5-dir64k", "v5"] as const) {
    it(`${kind}: looks up every name that it lists, and no other`, async function () {
      if (kind.startsWith("v5") && !canMount()) return this.skip();
      const { path } = await xfsImage(kind);
      await withFileSystem(path, async (fileSystem) => {
        for (const folder of ["/many", "/links", "/names", "/deep"]) {
          const node = await nodeAt(fileSystem, folder);
          const entries = await list(fileSystem, node);
          assert.ok(entries.length > 0);
          for (const entry of entries) assert.deepEqual(await fileSystem.lookup(node, entry.name), entry);
          assert.equal(await fileSystem.lookup(node, bytesOf("not there")), null);
          assert.equal(await fileSystem.lookup(node, bytesOf("..")), null);
        }
      });
    });
  }

  it("ignores case where the file system does", async () => {
    const { path } = await xfsImage("v4-ftype");
    await withFileSystem(path, async (fileSystem) => {
      assert.equal(
        await nodeAt(fileSystem, "/MANY/File-000007.DAT"),
        await nodeAt(fileSystem, "/many/file-000007.dat"),
      );
    });
    const other = await xfsImage("v4");
    await withFileSystem(other.path, async (fileSystem) => {
      assert.equal(await fileSystem.lookup(fileSystem.root, bytesOf("MANY")), null);
    });
  });

  it("takes what was never written for a hole", async function () {
    if (!canMount()) return this.skip();
    const { path } = await xfsImage("v5");
    await withFileSystem(path, async (fileSystem) => {
      const ranges = [];
      for await (const range of fileSystem.dataRanges(await nodeAt(fileSystem, "/turns.bin"))) ranges.push(range);
      const expected = Array.from({ length: 750 }, (_, i) => ({ offset: i * 8192, length: 4096 }));
      assert.deepEqual(ranges, expected);
      const tail = await nodeAt(fileSystem, "/tail.bin");
      assert.equal((await fileSystem.stat(tail)).sizeBytes, 300_000);
      assert.equal(await fileSystem.read(tail, new Uint8Array(1000), 299_990), 10);
      assert.equal(await fileSystem.read(tail, new Uint8Array(1000), 400_000), 0);
    });
  });

  it("says what a node is not", async () => {
    const { path } = await xfsImage("v4");
    await withFileSystem(path, async (fileSystem) => {
      const file = await nodeAt(fileSystem, "/hello.txt");
      await assertCode(list(fileSystem, file), "FILE_KIND_WRONG");
      await assertCode(fileSystem.readLink(file), "FILE_KIND_WRONG");
      await assertCode(fileSystem.read(fileSystem.root, new Uint8Array(1), 0), "FILE_KIND_WRONG");
      for (const wrong of ["", "x", "0", "99999999999999", "1e3", "-1"]) {
        await assertCode(fileSystem.stat(wrong as NodeId), "FILE_NOT_FOUND", wrong);
      }
      await assertCode(fileSystem.stat("1" as NodeId), "FILESYSTEM_DAMAGED");
    });
  });

  it("opens and lists the root of an unmounted file system in few reads", async function () {
    if (!canMount()) return this.skip();
    const source = await openRawSource((await xfsImage("v5")).path);
    let reads = 0;
    const counting: BlockReader = {
      sizeBytes: source.sizeBytes,
      read(buffer, offset, options) {
        reads++;
        return source.read(buffer, offset, options);
      },
    };
    const fileSystem = await openXfs(new CachedReader(counting));
    assert.ok((await list(fileSystem, fileSystem.root)).length > 10);
    assert.ok(reads <= 6, `${reads} reads`);
    await source.close();
  });

  const strange: { special: string; patch: (inode: DataView) => void }[] = [
    { special: "on the real-time device", patch: (inode) => inode.setUint16(90, 1) },
    { special: "larger than 8 PiB", patch: (inode) => inode.setBigUint64(56, 2n ** 53n + 4096n) },
  ];
  for (const { special, patch } of strange) {
    it(`shows and refuses a file ${special}`, async () => {
      const { path } = await xfsImage("v4");
      const number = await withFileSystem(path, (fileSystem) => nodeAt(fileSystem, "/hello.txt"));
      const source = await openRawSource(path);
      const reader: BlockReader = {
        sizeBytes: source.sizeBytes,
        async read(buffer, offset) {
          await source.read(buffer, offset);
          const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
          if (buffer.length === 256 && offset === inodeOffset) patch(view);
        },
      };
      const sector = new Uint8Array(512);
      await source.read(sector, 0);
      const inodeOffset = new XfsVolume(source, decodeSuperblock(sector)).inodeOffset(Number(number));
      const fileSystem = await openXfs(reader);
      const stat = await fileSystem.stat(number);
      assert.deepEqual([stat.kind, stat.special], ["special", special]);
      await assertCode(fileSystem.read(number, new Uint8Array(1), 0), "FILESYSTEM_UNSUPPORTED");
      await source.close();
    });
  }

  it("reads what is there of a device that ends too early", async () => {
    const { path } = await xfsImage("v4-ftype");
    const source = await openRawSource(path);
    const reader: BlockReader = { sizeBytes: 40 << 20, read: (buffer, offset) => source.read(buffer, offset) };
    const fileSystem = await openXfs(reader);
    assert.deepEqual(fileSystem.info.remarks.at(-1), "the device is smaller than the file system");
    assert.ok((await list(fileSystem, fileSystem.root)).length > 5);
    await source.close();
  });

  const refused: { kind: "v4" | "v5-devices"; feature: string; patch: (view: DataView) => void }[] = [
    { kind: "v5-devices", feature: "zoned real-time device", patch: (view) => view.setUint32(216, 0x203) },
    { kind: "v5-devices", feature: "incompatible feature 0x10000", patch: (view) => view.setUint32(216, 0x10003) },
    { kind: "v4", feature: "format version 3", patch: (view) => view.setUint16(100, view.getUint16(100) - 1) },
    { kind: "v4", feature: "directories of version 1", patch: (view) => view.setUint16(100, 0x9084) },
    { kind: "v4", feature: "version 4 feature 0x10", patch: (view) => view.setUint32(200, 0x18) },
  ];
  for (const { kind, feature, patch } of refused) {
    it(`refuses by name: ${feature}`, async () => {
      const { path } = await xfsImage(kind);
      const opening = withPatchedSuperblock(path, patch, openXfs);
      const error = await assertCode(opening, "FILESYSTEM_UNSUPPORTED");
      assert.equal(error.data.feature, feature);
    });
  }

  it("reads features that change nothing for readers, and remarks a needed repair", async () => {
    const { path } = await xfsImage("v5-devices");
    const patch = (view: DataView) => view.setUint32(216, view.getUint32(216) | 0xd0);
    const { info } = await withPatchedSuperblock(path, patch, openXfs);
    assert.ok(info.remarks.includes("marked as needing xfs_repair"));
  });

  const damages: { what: string; patch: (view: DataView) => void }[] = [
    { what: "no magic number", patch: (view) => view.setUint32(0, 0) },
    { what: "an unfinished mkfs", patch: (view) => view.setUint8(126, 1) },
    { what: "a block size that is no power of two", patch: (view) => view.setUint32(4, 4000) },
    { what: "a logarithm of 255", patch: (view) => view.setUint8(120, 255) },
    { what: "no allocation group", patch: (view) => view.setUint32(88, 0) },
    { what: "more blocks than its groups", patch: (view) => view.setUint32(8, 1) },
    { what: "inodes that do not fill a block", patch: (view) => view.setUint8(123, 7) },
    { what: "directory blocks of 16 MiB", patch: (view) => view.setUint8(192, 15) },
    { what: "a root outside", patch: (view) => view.setUint32(56, 5) },
  ];
  for (const { what, patch } of damages) {
    it(`is damaged: ${what}`, async () => {
      const { path } = await xfsImage("v4");
      await assertCode(withPatchedSuperblock(path, patch, openXfs), "FILESYSTEM_DAMAGED");
    });
  }

  it("is damaged: a superblock that does not match its checksum", async () => {
    const { path } = await xfsImage("v5-devices");
    const opening = withPatchedSuperblock(
      path,
      () => {},
      async (reader) => {
        const flipped: BlockReader = {
          sizeBytes: reader.sizeBytes,
          async read(buffer, offset) {
            await reader.read(buffer, offset);
            if (offset === 0 && buffer.length > 108) buffer[108] = (buffer[108] as number) ^ 1;
          },
        };
        return await openXfs(flipped);
      },
    );
    await assertCode(opening, "FILESYSTEM_DAMAGED");
  });
});

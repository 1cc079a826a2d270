// Damaged copies and missing devices: what can still be read is read, and the rest says why not.

import assert from "node:assert/strict";
import type { BlockReader } from "../../../core/filesystem/blockReader.js";
import { openBtrfs } from "../../../core/filesystem/btrfs/openBtrfs.js";
import type { FileSystem } from "../../../core/filesystem/fileSystem.js";
import { crc32cOf } from "../../../core/hash/crc32c.js";
import { openRawSource } from "../../../core/source/rawSource.js";
import { assertCode } from "../../support/assertCode.js";
import { walkFileSystem } from "../treeWalk.js";
import { btrfsImage, canMount, type MountedKind, withFileSystem } from "./btrfsImages.js";

const MIB = 2 ** 20;

/** Spoils one byte in 4 KiB of everything behind the first MiB, where the first superblock is. */
function spoiled(reader: BlockReader): BlockReader {
  return {
    sizeBytes: reader.sizeBytes,
    async read(buffer, offset, options) {
      await reader.read(buffer, offset, options);
      for (let i = 0; i < buffer.length; i++) {
        if (offset + i >= MIB && (offset + i) % 4096 === 777) buffer[i] = (buffer[i] as number) ^ 0x55;
      }
    },
  };
}

function makeOlder(superblock: Uint8Array): void {
  const view = new DataView(superblock.buffer, superblock.byteOffset, superblock.length);
  view.setBigUint64(0x48, view.getBigUint64(0x48, true) - 1n, true);
  view.setUint32(0, crc32cOf(superblock.subarray(32)), true);
}

function without<T>(items: readonly T[], ...missing: number[]): T[] {
  return items.filter((_, index) => !missing.includes(index));
}

async function walkAll(fileSystem: FileSystem) {
  return { tree: await walkFileSystem(fileSystem), remarks: fileSystem.info.remarks };
}

describe("btrfs: copies and devices", function () {
  this.timeout(60_000);
  before(function () {
    if (!canMount()) this.skip();
  });

  for (const [kind, damagedDevice] of [
    ["raid1", 0],
    ["raid1", 1],
    ["raid10", 2],
    ["raid1c3", 1],
  ] as const) {
    it(`${kind}: reads around device ${damagedDevice + 1}, which is damaged everywhere`, async () => {
      const { paths } = await btrfsImage(kind);
      const whole = await withFileSystem(paths, walkAll);
      const spoil = (reader: BlockReader, index: number) => (index === damagedDevice ? spoiled(reader) : reader);
      const found = await withFileSystem(paths, walkAll, spoil);
      assert.deepEqual(readable(found.tree), readable(whole.tree));
    });
  }

  const missing: { kind: MountedKind; gone: number[]; remark: string }[] = [
    { kind: "raid1", gone: [0], remark: "1 of 2 devices missing: not all can be read" },
    { kind: "raid1", gone: [1], remark: "1 of 2 devices missing: not all can be read" },
    { kind: "raid10", gone: [3], remark: "1 of 4 devices missing: not all can be read" },
    { kind: "raid1c3", gone: [0, 2], remark: "2 of 3 devices missing: not all can be read" },
  ];
  for (const { kind, gone, remark } of missing) {
    it(`${kind}: needs no devices ${gone.map((index) => index + 1).join(" and ")}`, async () => {
      const { paths } = await btrfsImage(kind);
      const whole = await withFileSystem(paths, walkAll);
      assert.deepEqual(whole.remarks, []);
      const found = await withFileSystem(without(paths, ...gone), walkAll);
      assert.deepEqual(found.tree, whole.tree);
      assert.deepEqual(found.remarks, [remark]);
    });
  }

  it("stripes: lists everything without the second device, and says what is missing where it is needed", async () => {
    const { paths } = await btrfsImage("stripes");
    await withFileSystem(without(paths, 1), async (fileSystem) => {
      const codes = new Set<unknown>();
      const onError = (_path: string, error: unknown) => codes.add((error as { code: unknown }).code);
      const found = await walkFileSystem(fileSystem, { onError });
      assert.ok(found.length > 200);
      assert.deepEqual([...codes], ["FILESYSTEM_UNSUPPORTED"]);
      const pieces = await fileSystem.lookup(fileSystem.root, new TextEncoder().encode("pieces.bin"));
      assert.ok(pieces);
      const error = await assertCode(fileSystem.read(pieces.id, new Uint8Array(600_000), 0), "FILESYSTEM_UNSUPPORTED");
      assert.match(error.message, /inode \d+, on device 2 \([0-9a-f-]{36}\), which is missing/);
    });
  });

  it("takes no other file system for its device", async () => {
    const { paths } = await btrfsImage("stripes");
    const strangers = (await btrfsImage("raid1")).paths;
    await withFileSystem([paths[0] as string, ...strangers], async ({ info }) => {
      assert.deepEqual(info.remarks, ["1 of 2 devices missing: not all can be read"]);
    });
  });

  it("reads from an old device last, even where nothing but its superblock tells", async () => {
    const { paths } = await btrfsImage("raid1");
    const whole = await withFileSystem(paths, walkAll);
    const older = (reader: BlockReader, index: number): BlockReader => ({
      sizeBytes: reader.sizeBytes,
      async read(buffer, offset, options) {
        await reader.read(buffer, offset, options);
        if (index !== 0) return;
        if (offset === 65536) makeOlder(buffer.subarray(0, 4096));
        // the copies of the superblock are gone
        else buffer.fill(0);
      },
    });
    const found = await withFileSystem(paths, walkAll, older);
    assert.deepEqual(found.tree, whole.tree);
    assert.deepEqual(found.remarks, ["1 of its devices older than the others"]);
  });

  it("uses a later superblock when the first is damaged", async () => {
    const { paths } = await btrfsImage("stripes");
    const source = await openRawSource(paths[0] as string);
    const reader: BlockReader = {
      sizeBytes: source.sizeBytes,
      async read(buffer, offset) {
        await source.read(buffer, offset);
        if (offset === 65536) buffer[300] = (buffer[300] as number) ^ 1;
      },
    };
    const { info } = await openBtrfs(reader);
    assert.equal(info.remarks[0], "the first superblock is damaged or old: a later copy was used");
    await source.close();
  });

  it("contents that do not match their checksum are damaged where there is no other copy", async () => {
    const { paths } = await btrfsImage("old");
    // only what is read in large pieces, which metadata are not
    const spoil = (reader: BlockReader): BlockReader => ({
      sizeBytes: reader.sizeBytes,
      async read(buffer, offset, options) {
        await reader.read(buffer, offset, options);
        if (buffer.length >= 256 * 1024) buffer[100] = (buffer[100] as number) ^ 1;
      },
    });
    const error = await withFileSystem(
      paths,
      async (fileSystem) => {
        const sizes = await fileSystem.lookup(fileSystem.root, new TextEncoder().encode("sizes"));
        const file = sizes && (await fileSystem.lookup(sizes.id, new TextEncoder().encode("s1048577.bin")));
        assert.ok(file);
        return await assertCode(fileSystem.read(file.id, new Uint8Array(1_048_576), 0), "FILESYSTEM_DAMAGED");
      },
      spoil,
    );
    assert.match(error.message, /contents that do not match their checksum/);
  });
});

/** Files without checksums are what the first device makes of them. */
function readable(tree: Awaited<ReturnType<typeof walkFileSystem>>) {
  return tree.filter(({ path }) => !path.startsWith("/no-checksums/"));
}

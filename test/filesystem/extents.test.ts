// What a file system says of where its files lie, against what it reads: diff and history rely on it.

import assert from "node:assert/strict";
import { open } from "node:fs/promises";
import { isOurError } from "../../core/errors.js";
import { PartReader } from "../../core/filesystem/blockReader.js";
import { openBtrfs } from "../../core/filesystem/btrfs/openBtrfs.js";
import type { FileSystem, NodeId } from "../../core/filesystem/fileSystem.js";
import { openRawSource } from "../../core/source/rawSource.js";
import { makeTemporaryFolder } from "../support/temporaryFolder.js";
import { btrfsImage } from "./btrfs/btrfsImages.js";
import { type ExtKind, extImage } from "./ext/extImages.js";
import { withExt } from "./ext/extReading.js";
import { copyOfLiveExt } from "./ext/liveExt.js";
import { type PortableKind, portableImage, withImage } from "./portableImages.js";
import { withFileSystem, xfsImage } from "./xfs/xfsImages.js";

interface Counts {
  files: number;
  extents: number;
  /** Ranges of data that no extent covers. */
  elsewhere: number;
}

/** Every byte of every extent, and no data outside dataRanges. */
async function checkExtents(fileSystem: FileSystem, path: string): Promise<Counts> {
  const counts: Counts = { files: 0, extents: 0, elsewhere: 0 };
  const device = await open(path);
  try {
    for await (const file of filesBelow(fileSystem, fileSystem.root)) await checkFile(fileSystem, file, device, counts);
  } finally {
    await device.close();
  }
  return counts;
}

async function* filesBelow(fileSystem: FileSystem, folder: NodeId): AsyncGenerator<NodeId> {
  for await (const { id } of fileSystem.readDirectory(folder)) {
    const { kind } = await fileSystem.stat(id);
    if (kind === "directory") yield* filesBelow(fileSystem, id);
    else if (kind === "file") yield id;
  }
}

async function checkFile(
  fileSystem: FileSystem,
  file: NodeId,
  device: Awaited<ReturnType<typeof open>>,
  counts: Counts,
): Promise<void> {
  const { sizeBytes } = await fileSystem.stat(file);
  let next = 0;
  let covered = 0;
  for await (const { offset, length, deviceOffset } of fileSystem.extents?.(file) ?? assert.fail("no extents")) {
    assert.ok(offset >= next && length > 0 && offset + length <= sizeBytes, `extent at ${offset} of ${sizeBytes}`);
    next = offset + length;
    covered += length;
    const [read, stored] = [new Uint8Array(length), new Uint8Array(length)];
    assert.equal(await fileSystem.read(file, read, offset), length);
    await device.read(stored, 0, length, deviceOffset);
    assert.ok(Buffer.from(read).equals(stored), `file ${file}, bytes at ${offset}`);
    counts.extents++;
  }
  let data = 0;
  for await (const { length } of fileSystem.dataRanges(file)) data += length;
  assert.ok(covered <= data, `file ${file}: ${covered} bytes in extents, ${data} of data`);
  if (covered < data) counts.elsewhere++;
  counts.files++;
}

const constant = (value: boolean) => () => value;

function isDamage(error: unknown): true {
  assert.ok(isOurError(error, "FILESYSTEM_DAMAGED"), String(error));
  return true;
}

describe("extents", function () {
  this.timeout(60_000);

  for (const kind of ["ext4", "ext2-1k", "ext4-bigalloc", "ext4-inline"] satisfies ExtKind[]) {
    it(`of ${kind} lead to the bytes that are read`, async () => {
      const { path } = await extImage(kind);
      const counts = await withExt(path, (fileSystem) => checkExtents(fileSystem, path));
      assert.ok(counts.extents > 50);
      // only inline files have data that is nowhere on the device as it is
      assert.equal(counts.elsewhere > 0, kind === "ext4-inline");
    });
  }

  it("of ext leave out what the journal has newer", async function () {
    const folder = await makeTemporaryFolder("extents");
    try {
      const make = ["-t", "ext4", "-b", "2048"];
      const path = await copyOfLiveExt({ folder: folder.path, make, mountOptions: "data=journal,commit=1" });
      if (path === null) return this.skip();
      const counts = await withExt(path, (fileSystem) => checkExtents(fileSystem, path));
      assert.ok(counts.files > 0);
    } finally {
      await folder.remove();
    }
  });

  for (const kind of ["fat12", "fat32", "exfat"] satisfies PortableKind[]) {
    it(`of ${kind} lead to the bytes that are read`, async () => {
      const { path } = await portableImage(kind);
      const counts = await withImage(kind, path, (fileSystem) => checkExtents(fileSystem, path));
      assert.ok(counts.extents > 20);
      assert.equal(counts.elsewhere, 0);
    });
  }

  for (const kind of ["ntfs", "ntfs-512", "ntfs-64k"] satisfies PortableKind[]) {
    it(`of ${kind} lead to the bytes that are read`, async function () {
      const { path } = await portableImage(kind, this);
      const counts = await withImage(kind, path, (fileSystem) => checkExtents(fileSystem, path));
      assert.ok(counts.extents > 10);
      // in records, and compressed
      assert.ok(counts.elsewhere > 0);
    });
  }

  it("of btrfs are inside the device, whatever its chunk tree says", async () => {
    const { paths } = await btrfsImage("rootdir");
    const whole = await openRawSource(paths[0] as string);
    try {
      // where the chunk tree puts some of the files there is nothing any more
      const half = new PartReader(whole, 0, Math.floor(whole.sizeBytes / 8192) * 4096);
      const fileSystem = await openBtrfs(half);
      const [inside, lost] = [new Set<NodeId>(), new Set<NodeId>()];
      for await (const file of filesBelow(fileSystem, fileSystem.root)) {
        for await (const { length, deviceOffset } of fileSystem.extents?.(file) ?? assert.fail("no extents")) {
          assert.ok(deviceOffset + length <= half.sizeBytes, `${length} bytes at ${deviceOffset}`);
          inside.add(file);
        }
        const { sizeBytes } = await fileSystem.stat(file);
        const reading = fileSystem.read(file, new Uint8Array(Math.min(sizeBytes, 1 << 20)), 0);
        if (await reading.then(constant(false), isDamage)) lost.add(file);
      }
      assert.ok(inside.size > 0 && lost.size > 0);
      for (const file of lost) assert.ok(!inside.has(file), file);
    } finally {
      await whole.close();
    }
  });

  it("of XFS lead to the bytes that are read", async () => {
    const { path } = await xfsImage("v4");
    const counts = await withFileSystem(path, (fileSystem) => checkExtents(fileSystem, path));
    assert.ok(counts.extents > 50);
    assert.equal(counts.elsewhere, 0);
  });
});

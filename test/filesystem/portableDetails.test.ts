// What is special about FAT, exFAT and NTFS: labels, attributes, links in disguise, streams, valid lengths, damage that has
// a second copy, chains that never end.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import type { DataRange, DirectoryEntry, FileSystem, NodeId } from "../../core/filesystem/fileSystem.js";
import { assertCode } from "../support/assertCode.js";
import { noise, prose } from "../support/sampleBytes.js";
import { resealExfat } from "./portableFuzzSubjects.js";
import { openerOf, type PortableKind, portableImage, withImage } from "./portableImages.js";

/** The image in memory, changed before it is opened. */
async function openChanged(
  kind: PortableKind,
  path: string,
  change: (bytes: Uint8Array, view: DataView) => void,
): Promise<FileSystem> {
  const bytes = new Uint8Array(await readFile(path));
  change(bytes, new DataView(bytes.buffer));
  const read = async (buffer: Uint8Array, offset: number) => buffer.set(bytes.subarray(offset, offset + buffer.length));
  return await openerOf(kind)({ sizeBytes: bytes.length, read });
}

async function at(fileSystem: FileSystem, path: string): Promise<DirectoryEntry> {
  let entry: DirectoryEntry = { name: new Uint8Array(0), id: fileSystem.root, kind: "directory" };
  for (const name of path.split("/")) {
    const found = await fileSystem.lookup(entry.id, Buffer.from(name));
    assert.ok(found, `${name} of ${path}`);
    entry = found;
  }
  return entry;
}

async function contents(fileSystem: FileSystem, path: string): Promise<Uint8Array> {
  const { id } = await at(fileSystem, path);
  const buffer = new Uint8Array((await fileSystem.stat(id)).sizeBytes);
  assert.equal(await fileSystem.read(id, buffer, 0), buffer.length);
  return buffer;
}

async function attributesOf(fileSystem: FileSystem, path: string): Promise<Record<string, string>> {
  const found = await fileSystem.attributes((await at(fileSystem, path)).id);
  return Object.fromEntries(found.map(({ name, value }) => [name, Buffer.from(value).toString()]));
}

async function list(fileSystem: FileSystem): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of fileSystem.readDirectory(fileSystem.root)) names.push(Buffer.from(name).toString());
  return names;
}

async function rangesOf(fileSystem: FileSystem, id: NodeId): Promise<DataRange[]> {
  const ranges: DataRange[] = [];
  for await (const range of fileSystem.dataRanges(id)) ranges.push(range);
  return ranges;
}

describe("FAT", function () {
  this.timeout(60_000);

  it("tells label, serial number, use and attributes", async function () {
    for (const [kind, label] of [
      ["fat12", "FLOPPY"],
      ["fat16", "FAT16"],
      ["fat32", "FAT32"],
    ] as const) {
      const { path } = await portableImage(kind, this);
      await withImage(kind, path, async (fileSystem) => {
        const { info } = fileSystem;
        assert.deepEqual([info.type, info.label, info.uuid, info.remarks], [kind, label, "1234-ABCD", []]);
        assert.ok(info.usedBytes !== null && info.usedBytes > 100_000 && info.usedBytes < info.sizeBytes);
        assert.deepEqual(await attributesOf(fileSystem, "hello.txt"), { "dos.attributes": "readOnly hidden" });
        assert.deepEqual(await attributesOf(fileSystem, "UPPER.TXT"), {});
      });
    }
  });

  it("finds out chains that never end, end early, or lead to free clusters", async function () {
    const { path } = await portableImage("fat16", this);
    const seen: string[] = [];
    for (const next of [0, 1, 0xfff7, 0xffff, "itself", "start"] as const) {
      const fileSystem = await openChanged("fat16", path, (bytes, view) => {
        const { table, cluster } = placeOfTurns(bytes, view);
        const target = next === "itself" ? cluster + 1 : next === "start" ? cluster : next;
        view.setUint16(table + (cluster + 1) * 2, target, true);
      });
      const error = await assertCode(contents(fileSystem, "turns-b.bin"), "FILESYSTEM_DAMAGED", String(next));
      seen.push(error.message.replaceAll(/\d+/g, "N"));
    }
    assert.equal(new Set(seen).size, 5, seen.join("\n"));
  });

  it("refuses what is no FAT, and boot sectors that lie", async function () {
    const { path } = await portableImage("fat12", this);
    const lies: ((view: DataView) => void)[] = [
      (view) => view.setUint16(510, 0),
      (view) => view.setUint16(11, 513, true),
      (view) => view.setUint8(13, 3),
      (view) => view.setUint8(16, 0),
      (view) => view.setUint16(14, 0, true),
      (view) => view.setUint16(19, 20, true),
      (view) => view.setUint16(17, 1, true),
      (view) => view.setUint8(21, 1),
    ];
    for (const [number, lie] of lies.entries()) {
      await assertCode(
        openChanged("fat12", path, (_, view) => lie(view)),
        "FILESYSTEM_DAMAGED",
        `lie ${number}`,
      );
    }
  });

  it("falls back to the short name when the long one is another's", async function () {
    const { path } = await portableImage("fat12", this);
    const fileSystem = await openChanged("fat12", path, (bytes) => {
      const short = Buffer.from(bytes.buffer).indexOf("MIXEDC~1TXT");
      assert.ok(short > 0);
      bytes[short - 32 + 13]! ^= 1;
    });
    const names = await list(fileSystem);
    assert.ok(names.includes("MIXEDC~1.TXT") && !names.includes("Mixed Case With Spaces.TXT"), names.join());
  });

  it("says what is not a file, not a directory, not a link", async function () {
    const { path } = await portableImage("fat12", this);
    await withImage("fat12", path, async (fileSystem) => {
      const file = await at(fileSystem, "hello.txt");
      const folder = await at(fileSystem, "sizes");
      await assertCode(fileSystem.read(folder.id, new Uint8Array(1), 0), "FILE_KIND_WRONG");
      await assertCode(fileSystem.readDirectory(file.id)[Symbol.asyncIterator]().next(), "FILE_KIND_WRONG");
      await assertCode(fileSystem.readLink(file.id), "FILE_KIND_WRONG");
      assert.equal(await fileSystem.read(file.id, new Uint8Array(10), 5000), 0);
    });
  });
});

/** Where the second file in pieces of the FAT16 image begins; its first two clusters are neighbours. */
function placeOfTurns(bytes: Uint8Array, view: DataView): { table: number; cluster: number } {
  const entry = Buffer.from(bytes.buffer).indexOf("TURNS-B BIN");
  assert.ok(entry > 0);
  return { table: view.getUint16(14, true) * view.getUint16(11, true), cluster: view.getUint16(entry + 26, true) };
}

describe("exFAT", function () {
  this.timeout(60_000);

  it("tells label and use, and reads its backup boot region", async function () {
    const { path } = await portableImage("exfat", this);
    const fileSystem = await openChanged("exfat", path, (bytes) => {
      bytes[100]! ^= 1;
    });
    const { info } = fileSystem;
    assert.deepEqual([info.label, info.remarks], ["Größe 容量", ["the boot region is damaged: its backup is used"]]);
    assert.ok(info.usedBytes !== null && info.usedBytes > 10_000_000 && info.usedBytes < info.sizeBytes);
    assert.equal(Buffer.from(await contents(fileSystem, "hello.txt")).toString(), "hello, world\n");
  });

  it("reads zeros beyond the valid length, and names the rest as a hole", async function () {
    const { path } = await portableImage("exfat", this);
    const { id } = await withImage("exfat", path, (fileSystem) => at(fileSystem, "turns-a.bin"));
    const stream = Number(id.split(":")[2]);
    const change = (bytes: Uint8Array, view: DataView) => {
      view.setBigUint64(stream + 8, 5000n, true);
      resealExfat(bytes);
    };
    const fileSystem = await openChanged("exfat", path, change);
    const expected = noise(5, 64 * 4096).fill(0, 5000);
    assert.deepEqual(await contents(fileSystem, "turns-a.bin"), expected);
    const ranges = await rangesOf(fileSystem, id);
    assert.deepEqual(ranges, [{ offset: 0, length: 5000 }]);
  });

  it("refuses entries and tables without their checksum", async function () {
    const { path } = await portableImage("exfat", this);
    const { id } = await withImage("exfat", path, (fileSystem) => at(fileSystem, "turns-a.bin"));
    const fileSystem = await openChanged("exfat", path, (bytes) => {
      bytes[Number(id.split(":")[1]) + 8]! ^= 1;
    });
    const error = await assertCode(list(fileSystem), "FILESYSTEM_DAMAGED");
    assert.match(error.message, /checksum/);
  });
});

describe("NTFS", function () {
  this.timeout(60_000);

  it("shows links, devices and special files as what they are", async function () {
    const { path } = await portableImage("ntfs", this);
    await withImage("ntfs", path, async (fileSystem) => {
      const links: Record<string, string> = {};
      const specials: Record<string, string | undefined> = {};
      for await (const { name, id } of fileSystem.readDirectory((await at(fileSystem, "extra")).id)) {
        const stat = await fileSystem.stat(id);
        const text = Buffer.from(name).toString();
        if (stat.kind === "symlink") links[text] = Buffer.from(await fileSystem.readLink(id)).toString();
        if (stat.kind === "special") {
          specials[text] = stat.special;
          await assertCode(fileSystem.read(id, new Uint8Array(1), 0), "FILESYSTEM_UNSUPPORTED");
        }
        if (stat.kind === "character-device")
          assert.deepEqual([text, stat.device], ["console", { major: 5, minor: 1 }]);
      }
      assert.deepEqual(links, {
        "absolute-link": "C:/Users/Zoë",
        "interix-link": "../hello.txt",
        junction: "D:/data",
        "windows-link": "../hello.txt",
        "wsl-link": "há/target",
      });
      assert.deepEqual(specials, {
        "cloud.docx": "cloud file, tag 0x9000701a",
        "deduplicated.bin": "deduplicated",
        "wof-lzx.bin": "WOF-compressed",
      });
    });
  });

  it("reads what Windows keeps compressed beside a file, in chunks of three sizes", async function () {
    const { path } = await portableImage("ntfs", this);
    // compressed by wimlib, whose resources have the same layout
    const plain = Buffer.concat([prose(21, 16384), noise(22, 4096), new Uint8Array(4096), prose(23, 1000)]);
    await withImage("ntfs", path, async (fileSystem) => {
      for (const name of ["wof-4k.bin", "wof-8k.bin", "wof-16k.bin"]) {
        const { id } = await at(fileSystem, `extra/${name}`);
        assert.ok(plain.equals(await contents(fileSystem, `extra/${name}`)), name);
        const part = new Uint8Array(300);
        assert.equal(await fileSystem.read(id, part, 16_200), 300);
        assert.ok(plain.subarray(16_200, 16_500).equals(part), name);
        const { kind, allocatedBytes } = await fileSystem.stat(id);
        assert.ok(kind === "file" && allocatedBytes !== null && allocatedBytes > 0 && allocatedBytes < 13_000);
        assert.deepEqual(await fileSystem.attributes(id), []);
      }
    });
  });

  it("names alternate streams up to 64 KiB, and counts hard links", async function () {
    const { path } = await portableImage("ntfs", this);
    await withImage("ntfs", path, async (fileSystem) => {
      const streams = await attributesOf(fileSystem, "extra/streams.txt");
      assert.deepEqual(Object.keys(streams).sort(), ["stream.limit", "stream.second"]);
      assert.equal(streams["stream.second"], "alternate");
      assert.deepEqual(await attributesOf(fileSystem, "extra/folder"), { "stream.note": "of a folder" });
      const [target, hard] = [await at(fileSystem, "extra/target.txt"), await at(fileSystem, "extra/hard.txt")];
      assert.equal(target.id, hard.id);
      assert.equal((await fileSystem.stat(target.id)).linkCount, 2);
    });
  });

  it("names holes, and what compression saves", async function () {
    const { path } = await portableImage("ntfs", this);
    await withImage("ntfs", path, async (fileSystem) => {
      const holes = await at(fileSystem, "holes.bin");
      const ranges = await rangesOf(fileSystem, holes.id);
      assert.equal(ranges.length, 1500);
      assert.deepEqual(ranges[1], { offset: 8192, length: 4096 });
      const prose = await fileSystem.stat((await at(fileSystem, "text/prose.txt")).id);
      assert.ok(prose.allocatedBytes !== null && prose.allocatedBytes < prose.sizeBytes * 0.8);
    });
  });

  it("goes on with $MFTMirr and the last sector when the first ones are damaged", async function () {
    const { path } = await portableImage("ntfs", this);
    const fileSystem = await openChanged("ntfs", path, (bytes, view) => {
      const record = Number(view.getBigUint64(48, true)) * 4096;
      bytes.fill(0, record, record + 4096);
      bytes.fill(0, 0, 512);
    });
    assert.deepEqual(fileSystem.info.remarks, [
      "the boot sector is damaged: its backup is used",
      "$MFT is damaged: $MFTMirr is used",
    ]);
    assert.equal(fileSystem.info.label, "Größe 容量");
    assert.equal(Buffer.from(await contents(fileSystem, "hello.txt")).toString(), "hello, world\n");
  });

  it("says when it was not unmounted cleanly, and when a record was written in part", async function () {
    const { path } = await portableImage("ntfs", this);
    const hello = await withImage("ntfs", path, async (fileSystem) => (await at(fileSystem, "hello.txt")).id);
    const number = Number(hello.split(":")[1]);
    const fileSystem = await openChanged("ntfs", path, (bytes, view) => {
      const table = Number(view.getBigUint64(48, true)) * 4096;
      const volume = table + 3 * 1024;
      let attribute = volume + view.getUint16(volume + 20, true);
      while (view.getUint32(attribute, true) !== 0x70) attribute += view.getUint32(attribute + 4, true);
      bytes[attribute + view.getUint16(attribute + 20, true) + 10]! |= 1;
      const torn = Buffer.from(bytes.buffer).indexOf(Buffer.from("h\0e\0l\0l\0o\0.\0t\0x\0t\0", "latin1"));
      const record = torn - (torn % 1024);
      assert.equal(view.getUint32(record + 44, true), number);
      bytes[record + 1023]! ^= 0xff;
    });
    assert.deepEqual(fileSystem.info.remarks, ["not unmounted cleanly: $LogFile is not replayed"]);
    const error = await assertCode(fileSystem.stat(hello), "FILESYSTEM_DAMAGED");
    assert.match(error.message, /in part/);
  });
});

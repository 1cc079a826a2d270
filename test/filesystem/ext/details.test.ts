// What a comparison of trees does not show: attributes, special files, holes, names without case, copies of damaged
// structures, and what is refused.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { isOurError } from "../../../core/errors.js";
import { hashName } from "../../../core/filesystem/ext/nameHash.js";
import { openExt } from "../../../core/filesystem/ext/openExt.js";
import { expandPosixAcl } from "../../../core/filesystem/ext/posixAcl.js";
import type { FileSystem } from "../../../core/filesystem/fileSystem.js";
import { type ExtKind, extImage } from "./extImages.js";
import { at, BytesReader, openChanged, withExt } from "./extReading.js";

const code = (name: string) => (error: unknown) => isOurError(error, name);

async function attributesOf(kind: ExtKind): Promise<Record<string, string>> {
  const { path } = await extImage(kind);
  return await withExt(path, async (fileSystem) => {
    const found = await fileSystem.attributes((await at(fileSystem, "/attrs/tagged.txt")).id);
    return Object.fromEntries(found.map(({ name, value }) => [name, Buffer.from(value).toString()]));
  });
}

async function namesIn(fileSystem: FileSystem, path: string): Promise<string[]> {
  const names: string[] = [];
  const folder = await at(fileSystem, path);
  for await (const { name } of fileSystem.readDirectory(folder.id)) names.push(Buffer.from(name).toString());
  return names;
}

describe("ext: details", function () {
  this.timeout(60_000);

  it("tells label, uuid, size and used space as dumpe2fs does", async () => {
    const { path } = await extImage("ext4-metabg");
    const text = execFileSync("/usr/sbin/dumpe2fs", ["-h", path], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1]);
    await withExt(path, async ({ info }) => {
      assert.deepEqual(info, {
        type: "ext4",
        label: "ext4-metabg",
        uuid: "11111111-2222-4333-8444-555555555555",
        sizeBytes: field("Block count") * 1024,
        usedBytes: (field("Block count") - field("Free blocks")) * 1024,
        blockBytes: 1024,
        remarks: [],
      });
    });
  });

  it("reads attributes from inodes, from blocks and from inodes of their own", async () => {
    const small = { "user.small": "value", "user.empty": "" };
    assert.deepEqual(await attributesOf("ext4-inline"), { ...small, "user.big": "B".repeat(100) });
    assert.deepEqual(await attributesOf("ext2-1k"), { ...small, "user.big": "B".repeat(700) });
    assert.deepEqual(await attributesOf("ext4"), { ...small, "user.big": "B".repeat(700) });
    // debugfs stores one block of the 50,000 bytes
    assert.deepEqual(await attributesOf("ext4-ea-inode"), { ...small, "user.big": "B".repeat(4096) });
  });

  it("shows access control lists as programs see them", () => {
    const stored = Buffer.from(
      "01000000" + "01000600" + "02000400e8030000" + "04000400" + "10000600" + "20000400",
      "hex",
    );
    const seen =
      "02000000" +
      "01000600ffffffff" +
      "02000400e8030000" +
      "04000400ffffffff" +
      "10000600ffffffff" +
      "20000400ffffffff";
    assert.equal(Buffer.from(expandPosixAcl(stored) as Uint8Array).toString("hex"), seen);
    assert.equal(expandPosixAcl(stored.subarray(0, 9)), null);
  });

  it("knows times after 2038 and before 1970", async () => {
    const { path } = await extImage("ext4");
    await withExt(path, async (fileSystem) => {
      const late = await fileSystem.stat((await at(fileSystem, "/hello.txt")).id);
      const early = await fileSystem.stat((await at(fileSystem, "/empty.txt")).id);
      assert.equal(late.modifiedAtNs, 5_000_000_000_030_864_197n);
      assert.equal(early.modifiedAtNs, -1_000_000_000n);
      assert.deepEqual([late.uid, late.gid], [70000, 80000]);
    });
  });

  it("finds names whatever their case where the directory says so, and nowhere else", async () => {
    const { path } = await extImage("ext4-casefold");
    await withExt(path, async (fileSystem) => {
      const folder = (await at(fileSystem, "/Cased")).id;
      const found = async (name: string) => {
        const entry = await fileSystem.lookup(folder, Buffer.from(name));
        return entry && Buffer.from(entry.name).toString();
      };
      assert.equal(await found("GRÜSSE.txt"), "Grüße.TXT");
      assert.equal(await found("gru\u0308\u00dfe.txt"), "Grüße.TXT");
      assert.equal(await found("Grüsse"), null);
      assert.equal(await fileSystem.lookup(fileSystem.root, Buffer.from("cased")), null);
    });
  });

  it("names encrypted files and shows encrypted names safely", async () => {
    const { path } = await extImage("ext4-encrypt");
    await withExt(path, async (fileSystem) => {
      const file = await at(fileSystem, "/hello.txt");
      const stat = await fileSystem.stat(file.id);
      assert.deepEqual([file.kind, stat.kind, stat.special], [null, "special", "encrypted"]);
      await assert.rejects(fileSystem.read(file.id, new Uint8Array(4), 0), code("FILESYSTEM_UNSUPPORTED"));
      assert.equal((await fileSystem.stat((await at(fileSystem, "/names")).id)).special, "encrypted");
      const names = await namesIn(fileSystem, "/names");
      assert.equal(names.length, 4);
      for (const name of names) assert.match(name, /^[A-Za-z0-9_-]{1,255}$/);
      assert.ok(names.includes(Buffer.from("日本語.txt").toString("base64url")));
    });
  });

  it("finds names of large directories by their index, in few reads", async () => {
    for (const [kind, many] of [
      ["ext4-large-dir", 5000],
      ["ext3", 300],
    ] as const) {
      const { path } = await extImage(kind);
      const reader = new BytesReader(new Uint8Array(await readFile(path)));
      const fileSystem = await openExt(reader);
      const folder = (await at(fileSystem, "/many")).id;
      await fileSystem.stat(folder);
      for (let i = 0; i < many; i += 17) {
        const before = reader.readCount;
        const name = `file-${String(i).padStart(6, "0")}.dat`;
        const entry = await fileSystem.lookup(folder, Buffer.from(name));
        assert.equal(Buffer.from(entry?.name ?? []).toString(), name);
        assert.ok(reader.readCount - before <= 6, `${reader.readCount - before} reads for ${name} of ${kind}`);
      }
      assert.equal(await fileSystem.lookup(folder, Buffer.from("file-x.dat")), null);
    }
  });

  it("hashes names as debugfs does", async () => {
    const seed = Buffer.from("00112233445566778899aabbccddeeff", "hex");
    const names = ["a", "file-000001.dat", "日本語.txt", "n".repeat(255), "exactly-sixteen!", "x".repeat(32)];
    for (const [version, form] of ["legacy", "half_md4", "tea"].entries()) {
      for (const name of names) {
        const request = `dx_hash -h ${form} -s 00112233-4455-6677-8899-aabbccddeeff ${name}`;
        const output = execFileSync("/usr/sbin/debugfs", ["-R", request], {
          encoding: "utf8",
          stdio: ["ignore", "pipe", "ignore"],
        });
        const expected = Number(/is (0x[0-9a-f]+)/.exec(output)?.[1]);
        assert.equal(hashName(Buffer.from(name), version, seed), expected, `${form} of ${name}`);
        const isAscii = /^[ -~]*$/.test(name);
        assert.equal(hashName(Buffer.from(name), version + 3, seed) === expected, isAscii, "characters as unsigned");
      }
    }
  });

  it("tells where a sparse file has data", async () => {
    for (const kind of ["ext4", "ext3"] as const) {
      const { path } = await extImage(kind);
      await withExt(path, async (fileSystem) => {
        const ranges: number[][] = [];
        const { id } = await at(fileSystem, "/sparse.bin");
        for await (const { offset, length } of fileSystem.dataRanges(id)) ranges.push([offset, length]);
        assert.deepEqual(ranges, [
          [0, 4096],
          [5 * 2 ** 20, 4096],
          [80 * 2 ** 20 - 4096, 4096],
        ]);
        const buffer = new Uint8Array(16).fill(1);
        assert.equal(await fileSystem.read(id, buffer, 80 * 2 ** 20 - 5), 5);
        assert.deepEqual([...buffer.subarray(0, 6)], [0, 0, 101, 110, 100, 1]);
        assert.equal(await fileSystem.read(id, buffer, 2 ** 40), 0);
      });
    }
  });

  it("says what something is not", async () => {
    const { path } = await extImage("ext4");
    await withExt(path, async (fileSystem) => {
      const file = (await at(fileSystem, "/hello.txt")).id;
      await assert.rejects(fileSystem.readLink(file), code("FILE_KIND_WRONG"));
      await assert.rejects(fileSystem.lookup(file, Buffer.from("x")), code("FILE_KIND_WRONG"));
      await assert.rejects(fileSystem.read(fileSystem.root, new Uint8Array(1), 0), code("FILE_KIND_WRONG"));
      await assert.rejects(fileSystem.stat("8" as typeof file), code("FILE_NOT_FOUND"));
      await assert.rejects(fileSystem.stat("../1" as typeof file), code("FILE_NOT_FOUND"));
      const aborted = { signal: AbortSignal.abort() };
      await assert.rejects(fileSystem.read(file, new Uint8Array(4), 0, aborted), { name: "AbortError" });
    });
  });

  it("uses copies of a damaged superblock and of damaged group descriptors, and says so", async () => {
    // several groups of 8 MiB each
    const { path } = await extImage("ext4-gdtcsum");
    for (const kind of ["ext4-metabg", "ext4-gdtcsum", "ext2-1k"] as const) {
      const { path: image } = await extImage(kind);
      const sound = await withExt(image, (fileSystem) => namesIn(fileSystem, "/many"));
      const changed = await openChanged(image, (bytes) => bytes.fill(0, 1024, 2048));
      assert.match(changed.info.remarks.join(), /a copy of the superblock is used/, kind);
      assert.deepEqual(await namesIn(changed, "/many"), sound);
    }
    const changed = await openChanged(path, (bytes) => bytes.fill(0x77, 4096 - 2048, 4096));
    assert.match(changed.info.remarks.join(), /group descriptor is damaged, its copy is used/);
    assert.ok((await namesIn(changed, "/many")).length === 300);
  });

  it("says that a file system was in use, or known to be damaged", async () => {
    const { path } = await extImage("ext2-1k");
    const withState = (state: number) => openChanged(path, (bytes) => bytes.set([state, 0], 1024 + 0x3a));
    assert.deepEqual((await withState(1)).info.remarks, []);
    assert.match((await withState(0)).info.remarks.join(), /^not unmounted cleanly, and without a journal/);
    assert.match((await withState(3)).info.remarks.join(), /^the system that it came from found errors/);
  });

  it("refuses features by name, and what is not a file system", async () => {
    const { path } = await extImage("ext2-1k");
    const withIncompat = (bit: number) => (bytes: Uint8Array) => {
      const view = new DataView(bytes.buffer);
      view.setUint32(1024 + 0x60, view.getUint32(1024 + 0x60, true) | bit, true);
    };
    await assert.rejects(openChanged(path, withIncompat(0x1)), /ext4: compression cannot be read yet/);
    await assert.rejects(openChanged(path, withIncompat(0x8)), /journal_dev/);
    await assert.rejects(openChanged(path, withIncompat(0x0800_0000)), /incompatible feature 0x8000000/);
    await assert.rejects(
      openChanged(path, (bytes) => bytes.fill(0)),
      code("FILESYSTEM_DAMAGED"),
    );
  });

  it("reads what is there of a device that ends too early", async () => {
    const { path } = await extImage("ext2-1k");
    const bytes = (await readFile(path)).subarray(0, 12 * 2 ** 20);
    const fileSystem = await openExt(new BytesReader(bytes));
    assert.match(fileSystem.info.remarks.join(), /the device ends before the file system does/);
  });
});

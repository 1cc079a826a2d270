import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { noise, prose } from "../support/sampleBytes.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { encodePage, encodeRoot, imageArchive, writeDisk } from "./diskWriter.js";
import { sequence } from "./lz4Block.js";
import { type JsonObject, RepositoryWriter } from "./repositoryWriter.js";
import { runRescue } from "./runRescue.js";

/** Not encrypted: then whoever can write to the storage can make everything up. */
describe("rescue: hostile repositories", () => {
  let folder: TemporaryFolder;
  let writer: RepositoryWriter;
  const out = (name: string) => join(folder.path, name);
  // A small heap: taking what a length claims would end the program by a signal or with another code.
  const rescue = (...args: string[]) =>
    runRescue(args, { repo: writer.folder, nodeFlags: ["--max-old-space-size=64"] });

  beforeEach(async () => {
    folder = await makeTemporaryFolder("rescue");
    writer = new RepositoryWriter(out("repo"), { encrypted: false });
  });

  afterEach(() => folder.remove());

  async function fails(archive: JsonObject, pattern: RegExp): Promise<void> {
    const run = await rescue("restore", writer.writeSnapshot([archive]), "--to", out("disk"));
    assert.equal(run.code, 1, run.stderr);
    assert.match(run.stderr, pattern);
    assert.doesNotMatch(run.stderr, /TypeError|undefined|NaN/);
  }

  function storedMap(root: Uint8Array, sizeBytes: number): JsonObject {
    writer.writePack([{ plain: root, kind: 2 }]);
    return imageArchive("sda", sizeBytes, writer.id(root));
  }

  const size = 65_536;
  const u32 = (...values: number[]) => Buffer.from(Uint32Array.from(values).buffer);

  it("maps that lie", async () => {
    const id = Buffer.alloc(32, 9);
    await fails(storedMap(encodeRoot(size, size, [id]), size + 1), /does not fit/);
    await fails(storedMap(encodeRoot(size, 1, [id]), size), /does not fit/);
    await fails(storedMap(encodeRoot(size, 0, [id]), size), /does not fit/);
    await fails(storedMap(encodeRoot(size, size, [id, id]), size), /does not fit/);
    await fails(storedMap(encodeRoot(size, size, [id]).subarray(0, 40), size), /does not fit/);
    await fails(storedMap(Buffer.concat([encodeRoot(size, size, [id]), id]), size), /does not fit/);
    await fails(storedMap(Buffer.from("RPRSMAP1"), size), /no map/);
    await fails(storedMap(Buffer.alloc(0), size), /no map/);
  });

  it("pages that lie", async () => {
    const id = Buffer.alloc(32, 9);
    const pages: [Buffer, RegExp][] = [
      [encodePage([size - 1], [id]), /does not fit/],
      [encodePage([size, size], [id, id]), /does not fit/],
      [encodePage([size], [id, id]), /does not fit/],
      [encodePage([size], []), /does not fit/],
      [encodePage([2 ** 31 + size], []).subarray(0, 18), /wrong length/],
      [Buffer.concat([Buffer.from("RPRSPAG1"), u32(2 ** 32 - 1, 2 ** 32 - 1), id]), /wrong length/],
      [Buffer.concat([encodePage([size], [id]), id]), /wrong length/],
      [Buffer.from("RPRSPAG2"), /no page/],
      [encodePage([size], [id]), /no pack holds/],
    ];
    for (const [page, pattern] of pages) {
      writer.writePack([{ plain: page, kind: 1 }]);
      await fails(storedMap(encodeRoot(size, size, [writer.id(page)]), size), pattern);
    }
  });

  it("a chunk of another length than the map says", async () => {
    const chunk = noise(1, 1000);
    const page = encodePage([1001], [writer.id(chunk)]);
    writer.writePack([{ plain: chunk }, { plain: page, kind: 1 }]);
    await fails(storedMap(encodeRoot(1001, size, [writer.id(page)]), 1001), /not the one in the map/);
  });

  it("payloads that decompress to more, less or nothing", async () => {
    const plain = prose(1, 5000);
    const lz4 = [
      Buffer.alloc(0),
      Buffer.from([0xff]),
      Buffer.alloc(300, 0xff),
      sequence(Buffer.alloc(4), { distance: 5, length: 100 }),
      sequence(Buffer.alloc(4), { distance: 0, length: 100 }),
      sequence(Buffer.alloc(4), { distance: 1, length: 2 ** 26 }),
      Buffer.concat([sequence(Buffer.alloc(4), { distance: 1, length: 4992 }), sequence(Buffer.alloc(2 ** 16))]),
      sequence(Buffer.alloc(4999)),
      sequence(Buffer.alloc(4), { distance: 4, length: 100 }).subarray(0, -2),
    ];
    const zstd = [
      Buffer.alloc(0),
      noise(1, 100),
      zstdCompressSync(Buffer.alloc(2 ** 28)),
      zstdCompressSync(plain).subarray(0, -9),
    ];
    const forged = [...lz4.map((stored) => ({ codec: 2, stored })), ...zstd.map((stored) => ({ codec: 1, stored }))];
    for (const { codec, stored } of [
      ...forged,
      { codec: 0, stored: Buffer.alloc(4999) },
      { codec: 9, stored: Buffer.alloc(5000) },
    ]) {
      const id = writer.id(plain);
      writer.writePack([{ plain, as: { codec, stored } }]);
      const page = encodePage([plain.length], [id]);
      writer.writePack([{ plain: page, kind: 1 }]);
      await fails(storedMap(encodeRoot(plain.length, size, [writer.id(page)]), plain.length), /forged/);
      writer.forgetPacks();
    }
  });

  it("lengths of 4 GiB in packs, footers, indexes and envelopes", async () => {
    const { archive, chunkPack } = writeDisk(writer, "sda", prose(1, 5000));
    const sid = writer.writeSnapshot([archive]);
    const sound = readFileSync(writer.path(chunkPack.name));
    for (const at of [64 + 12, 64 + 16, sound.length - 32 + 8, sound.length - 32 + 12]) {
      writer.write(chunkPack.name, writer.withChecksums(sound, at, u32(2 ** 32 - 1)));
      const run = await rescue("check", sid);
      assert.ok(run.code === 0 || run.code === 1, `${at}: ${run.stderr}`);
      assert.doesNotMatch(run.stderr, /TypeError|NaN/);
    }
    writer.write(chunkPack.name, sound);
    const index = Buffer.concat([u32(1, 2 ** 32 - 1), Buffer.alloc(16), u32(0, 1, 2 ** 32 - 1)]);
    writer.writeObject(`index/${"a".repeat(32)}-0`, index);
    writer.writeObject(`index/${"b".repeat(32)}-0`, Buffer.from([1]));
    writer.writeObject(`forgotten/${sid}`, "{}", { plainLength: 2 ** 32 - 1 });
    writer.writeObject(`snapshots/${"c".repeat(32)}`, Buffer.alloc(2 ** 27), { zstd: true, plainLength: 2 ** 20 });
    const run = await rescue("check", sid);
    assert.equal(run.code, 0, run.stderr);
  });

  it("manifests that are not what they should be", async () => {
    const { archive } = writeDisk(writer, "sda", prose(1, 5000));
    const names = [
      "../sda",
      "/sda",
      "a/b",
      "a\\b",
      "",
      ".",
      "..",
      ".hidden",
      "-n",
      "a".repeat(129),
      "a\n",
      "a\0",
      "ä",
      null,
      7.5,
    ];
    const changed: JsonObject[] = [
      ...names.map((name) => ({ archives: [{ ...archive, name }] })),
      ...[-1, 1.5, "5", 2 ** 47, null].map((sizeBytes) => ({ archives: [{ ...archive, sizeBytes }] })),
      ...["", "ab", "x".repeat(64), null].map((root) => ({ archives: [{ ...archive, root }] })),
      { archives: [null] },
      { archives: null },
      { archives: Array(257).fill(archive) },
      { group: 5 },
      { time: null },
      { type: "other" },
      { version: 2 },
    ];
    const sids = changed.map((changes) => writer.writeSnapshot([archive], { group: "vm/bad", ...changes }));
    writer.writeObject(`snapshots/${"d".repeat(32)}`, "null");
    writer.writeObject(`snapshots/${"e".repeat(32)}`, "[1");
    writer.writeSnapshot([archive], { sid: writer.newSid() });
    const list = await rescue("list");
    assert.equal(list.code, 3);
    for (const sid of sids) assert.match(list.stderr, new RegExp(`snapshots/${sid} is not usable`));
    assert.equal(list.stdout.trim().split("\n").length, 1, list.stdout);
  });

  it("a backup of a repository inside a pack whose end is destroyed", async () => {
    const inner = new RepositoryWriter(out("inner"), { encrypted: false });
    const innerPack = inner.writePack([{ plain: noise(1, 3000) }, { plain: noise(2, 3000) }]);
    const bytes = readFileSync(inner.path(innerPack.name));
    const { archive, chunkPack } = writeDisk(writer, "sda", bytes, { chunkBytes: 1000, codecs: ["none"] });
    const sid = writer.writeSnapshot([archive]);
    writer.change(chunkPack.name, (stored) => stored.fill(0, stored.length - 32));
    assert.equal((await rescue("restore", sid, "--to", out("disk"))).code, 0);
    assert.ok(bytes.equals(readFileSync(out("disk"))));
  });
});

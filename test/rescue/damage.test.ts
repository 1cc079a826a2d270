import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { fileArchive, type StoredDisk, writeDisk } from "./diskWriter.js";
import { RepositoryWriter, type StoredPack } from "./repositoryWriter.js";
import { runRescue } from "./runRescue.js";
import { sampleDisk } from "./sampleDisk.js";

const flip = (bytes: Buffer, at: number) => {
  bytes[at] = bytes[at]! ^ 0x40;
  return bytes;
};

for (const encrypted of [false, true]) {
  describe(`rescue: damage, ${encrypted ? "encrypted" : "not encrypted"}`, () => {
    const env = { REPRISE_PASSPHRASE: "open sesame" };
    const bytes = Buffer.from(sampleDisk(5));
    let folder: TemporaryFolder;
    let writer: RepositoryWriter;
    let disk: StoredDisk;
    let sid: string;
    const out = (name: string) => join(folder.path, name);
    const rescue = (...args: string[]) => runRescue(args, { repo: writer.folder, env });
    const restore = (...flags: string[]) => rescue("restore", sid, "--to", out("disk"), ...flags);

    async function restoresWhole(): Promise<string> {
      const run = await restore("--force");
      assert.equal(run.code, 0, run.stderr);
      assert.ok(bytes.equals(readFileSync(out("disk"))));
      return run.stderr;
    }

    /** Fails without --skip-damaged, and with it restores all but these bytes. */
    async function losesOnly(lost: { offset: number; length: number }): Promise<string> {
      const stopped = await restore();
      assert.equal(stopped.code, 1);
      assert.match(stopped.stderr, new RegExp(`damaged: sda of vm/a\\S+ ${lost.length} bytes at byte ${lost.offset}`));
      assert.equal(existsSync(out("disk")) || existsSync(out("disk.partial")), false);
      const skipped = await restore("--skip-damaged");
      assert.equal(skipped.code, 3, skipped.stderr);
      const expected = Buffer.from(bytes).fill(0, lost.offset, lost.offset + lost.length);
      assert.ok(expected.equals(readFileSync(out("disk"))));
      const checked = await rescue("check");
      assert.equal(checked.code, 1);
      assert.match(checked.stdout, /^DAMAGED/m);
      return stopped.stderr;
    }

    beforeEach(async () => {
      folder = await makeTemporaryFolder("rescue");
      writer = new RepositoryWriter(out("repo"), { encrypted });
      if (encrypted) writer.addPassphrase(env.REPRISE_PASSPHRASE);
      disk = writeDisk(writer, "sda", bytes);
      sid = writer.writeSnapshot([disk.archive]);
    });

    afterEach(() => folder.remove());

    function damagePayload(pack: StoredPack, ordinal: number): void {
      writer.change(pack.name, (stored) => flip(stored, pack.blobs[ordinal]!.offset + 64));
    }

    it("reports a damaged chunk by disk and byte, for every codec", async () => {
      for (const ordinal of [0, 7, 11]) {
        damagePayload(disk.chunkPack, ordinal);
        assert.match(await losesOnly(disk.chunks[ordinal]!), /: damaged: /);
        damagePayload(disk.chunkPack, ordinal);
        rmSync(out("disk"));
      }
      await restoresWhole();
    });

    it("takes the sound one of two copies", async () => {
      writer.writePack(disk.blobs);
      for (let ordinal = 0; ordinal < disk.blobs.length; ordinal += 1)
        damagePayload(writer.packs[(ordinal % 2) * 2]!, ordinal);
      await restoresWhole();
      writer.writeIndex();
      await restoresWhole();
    });

    it("asks the packs when the index leads nowhere", async () => {
      const copy = writer.writePack(disk.blobs);
      writer.writeIndex([disk.chunkPack, disk.mapPack, { ...copy, blobs: [] }]);
      damagePayload(disk.chunkPack, 3);
      await restoresWhole();
    });

    it("does not believe an index that speaks of another size", async () => {
      const wrong = { ...disk.chunkPack, sizeBytes: disk.chunkPack.sizeBytes + 1, blobs: [] };
      writer.writeIndex([wrong, disk.mapPack]);
      await restoresWhole();
    });

    it("goes on without a damaged index", async () => {
      writer.writeIndex(writer.packs, `${"a".repeat(32)}-0`);
      writer.change(`index/${"a".repeat(32)}-0`, (stored) => flip(stored, 99));
      assert.match(await restoresWhole(), /warning: index\/a+-0 is not usable/);
    });

    it("searches a pack whose end is destroyed", async () => {
      for (const cut of [1, 40, 200]) {
        // never the byte that was there last
        writer.change(disk.chunkPack.name, (stored) => stored.fill(~stored.at(-1)! & 0xff, stored.length - cut));
        assert.match(await restoresWhole(), /searching the pack/);
      }
    });

    it("searches a pack that was cut off, past a damaged blob header", async () => {
      const { blobs, name } = disk.chunkPack;
      writer.change(name, (stored) => flip(stored, blobs[4]!.offset + 30).subarray(0, blobs.at(-1)!.offset));
      const run = await restore("--skip-damaged");
      assert.equal(run.code, 3);
      const expected = Buffer.from(bytes);
      for (const lost of [disk.chunks[4]!, disk.chunks.at(-1)!])
        expected.fill(0, lost.offset, lost.offset + lost.length);
      assert.ok(expected.equals(readFileSync(out("disk"))));
    });

    it("uses the second header of a pack when the first is damaged", async () => {
      for (const pack of writer.packs) writer.change(pack.name, (stored) => flip(stored, 40));
      await restoresWhole();
    });

    it("needs one sound header only when the pack is encrypted", async () => {
      writer.change(disk.chunkPack.name, (stored) => flip(flip(stored, 40), stored.length - 96 + 40));
      if (!encrypted) return void (await restoresWhole());
      const run = await restore();
      assert.equal(run.code, 1);
      assert.match(run.stderr, /both headers/);
    });

    it("loses the span of a damaged page, and no more", async () => {
      damagePayload(disk.mapPack, 1);
      await losesOnly(disk.pages[1]!);
    });

    it("cannot restore a disk whose root is damaged, and says whose", async () => {
      damagePayload(disk.mapPack, disk.mapPack.blobs.length - 1);
      const run = await restore("--skip-damaged");
      assert.equal(run.code, 1);
      assert.match(run.stderr, /map of disk sda is lost/);
      assert.equal((await rescue("check")).code, 1);
    });

    it("reports lost packs", async () => {
      rmSync(writer.path(disk.chunkPack.name));
      const run = await restore();
      assert.equal(run.code, 1);
      assert.match(run.stderr, /no pack holds/);
    });

    it("restores the other configuration files when one is damaged", async () => {
      const archives = ["one", "two"].map((name) => fileArchive(writer, name, Buffer.from(name)));
      const files = writer.writeSnapshot(archives, { group: "host/h" });
      damagePayload(writer.packs.at(-2)!, 0);
      const run = await rescue("files", files, "--to", out("files"));
      assert.equal(run.code, 1);
      assert.match(run.stderr, /one/);
      assert.equal(existsSync(out("files/one")), false);
      assert.equal(readFileSync(out("files/two"), "utf8"), "two");
    });

    it("lists what is readable beside a damaged manifest", async () => {
      const other = writer.writeSnapshot([disk.archive], { group: "vm/b" });
      writer.change(`snapshots/${other}`, (stored) => flip(stored, stored.length - 1));
      const list = await rescue("list");
      assert.equal(list.code, 3);
      assert.match(list.stderr, new RegExp(`snapshots/${other} is not usable`));
      assert.match(list.stdout, /vm\/a@/);
      await restoresWhole();
    });

    it("works without config, and with a damaged one", async () => {
      writer.change("config", (stored) => flip(stored, 80));
      assert.match(await restoresWhole(), /config is not usable/);
      rmSync(writer.path("config"));
      await restoresWhole();
    });

    it("survives flipped bytes anywhere: whole, or reported", async function () {
      this.timeout(60_000);
      writer.writeIndex();
      const names = [...writer.packs.map(({ name }) => name), `snapshots/${sid}`, "config"];
      let state = 12_345;
      const random = (below: number) => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
        return (state >>> 8) % below;
      };
      for (let round = 0; round < 25; round += 1) {
        const name = names[random(names.length)]!;
        const at = random(readFileSync(writer.path(name)).length);
        writer.change(name, (stored) => flip(stored, at));
        const run = await restore("--skip-damaged", "--force");
        if (run.code === 0) assert.ok(bytes.equals(readFileSync(out("disk"))), `${name} ${at}`);
        else assert.match(run.stderr, /damaged|not usable|lost/, `${name} ${at}`);
        if (run.code === 3) assertOnlyLost(run.stderr, `${name} ${at}`);
        writer.change(name, (stored) => flip(stored, at));
      }
      await restoresWhole();
    });

    function assertOnlyLost(stderr: string, what: string): void {
      const expected = Buffer.from(bytes);
      for (const [, length, offset] of stderr.matchAll(/(\d+) bytes at byte (\d+)/g)) {
        expected.fill(0, Number(offset), Number(offset) + Number(length));
      }
      assert.ok(expected.equals(readFileSync(out("disk"))), what);
    }
  });
}

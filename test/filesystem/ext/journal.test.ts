// Journals that were not replayed: of file systems copied while they were at work, against what the kernel makes of the
// same copy; and ones written by debugfs, for every form that kernels have written.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { FileSystem } from "../../../core/filesystem/fileSystem.js";
import { crc32c } from "../../../core/hash/crc32c.js";
import { mount, unmount } from "../../support/loopDevice.js";
import { makeTemporaryFolder } from "../../support/temporaryFolder.js";
import { walkFileSystem, walkFolder } from "../treeWalk.js";
import { type ExtKind, extImage } from "./extImages.js";
import { at, openChanged, withExt } from "./extReading.js";
import { copyOfLiveExt } from "./liveExt.js";

const live = [
  { name: "ordered, checksums v3", make: ["-t", "ext4"], mountOptions: "data=ordered,commit=1" },
  {
    name: "small journal that wraps",
    make: ["-t", "ext4", "-b", "1024", "-J", "size=1"],
    mountOptions: "commit=1",
    turns: 90,
  },
  { name: "all data logged", make: ["-t", "ext4", "-b", "2048"], mountOptions: "data=journal,commit=1" },
  { name: "ext3, no checksums", make: ["-t", "ext3", "-b", "1024"], mountOptions: "data=journal,commit=1" },
  {
    name: "checksums of commits",
    make: ["-t", "ext4", "-O", "^metadata_csum,^64bit"],
    mountOptions: "journal_checksum,commit=1",
  },
];

describe("ext: journals of live file systems", function () {
  this.timeout(60_000);

  for (const { name, ...options } of live) {
    it(`${name}: the tree that the kernel sees after its own recovery`, async function () {
      const folder = await makeTemporaryFolder("live");
      const recovered = join(folder.path, "recovered");
      try {
        const copy = await copyOfLiveExt({ folder: folder.path, ...options });
        if (copy === null) return this.skip();
        const ours = await withExt(copy, async (fileSystem) => {
          assert.match(fileSystem.info.remarks.join(), /^journal replayed: [1-9]\d* blocks of \d+ transactions$/);
          return await walkFileSystem(fileSystem);
        });
        await mkdir(recovered);
        assert.ok(mount("-o", "loop", copy, recovered), "the kernel mounts the copy");
        assert.deepEqual(ours, await walkFolder(recovered));
        assert.ok(ours.length > 50, `${ours.length} entries`);
      } finally {
        unmount(recovered);
        await folder.remove();
      }
    });
  }
});

describe("ext: fast commits", function () {
  this.timeout(60_000);

  it("are named, and the last full commit is shown", async function () {
    const folder = await makeTemporaryFolder("fast");
    const mounted = join(folder.path, "mounted");
    const image = join(folder.path, "image");
    const copy = join(folder.path, "copy");
    const shell = (script: string) => execFileSync("bash", ["-ec", script], { cwd: folder.path, stdio: "ignore" });
    try {
      await mkdir(mounted);
      shell("truncate -s 64M image; PATH=$PATH:/usr/sbin:/sbin mke2fs -q -F -t ext4 -O fast_commit image");
      if (!mount("-o", "loop,commit=300", image, mounted)) return this.skip();
      shell("echo old > mounted/old; sync -f mounted; sync; echo new > mounted/new; sync mounted/new; cp image copy");
      await withExt(copy, async (fileSystem) => {
        assert.match(fileSystem.info.remarks.join(), /fast commits after the last transaction are not replayed/);
        const seen = await walkFileSystem(fileSystem);
        assert.deepEqual(
          seen.map(({ path }) => path),
          ["/", "/lost+found", "/old"],
        );
      });
    } finally {
      unmount(mounted);
      await folder.remove();
    }
  });
});

const BLOCK = 1024;
const MAGIC = "\u00c0\u003b\u0039\u0098";

/** Runs debugfs on a copy of an image, with a journal transaction for each block of `contents`. */
async function withLoggedBlocks(
  kind: ExtKind,
  journalOptions: string,
  commands: (block: number) => string[],
  use: (path: string, block: number) => Promise<void>,
): Promise<void> {
  const folder = await makeTemporaryFolder("logged");
  try {
    const path = join(folder.path, "image");
    await copyFile((await extImage(kind)).path, path);
    const contents = Buffer.alloc(BLOCK, "new contents\n");
    await writeFile(join(folder.path, "plain"), contents);
    contents.write(MAGIC, "latin1");
    await writeFile(join(folder.path, "magic"), contents);
    const block = Number(debugfs(folder.path, path, ["bmap /sizes/s4096.bin 1"]).trim());
    debugfs(folder.path, path, [`jo ${journalOptions}`, ...commands(block), "jc"]);
    await use(path, block);
  } finally {
    await folder.remove();
  }
}

function debugfs(folder: string, image: string, commands: string[]): string {
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  const options = { cwd: folder, env, input: `${commands.join("\n")}\nquit\n`, encoding: "utf8" } as const;
  const output = execFileSync("debugfs", ["-w", "-f", "-", image], { ...options, stdio: ["pipe", "pipe", "ignore"] });
  return output.replaceAll(/^debugfs: .*\n?/gm, "");
}

async function secondBlock(fileSystem: FileSystem): Promise<string> {
  const buffer = new Uint8Array(BLOCK);
  await fileSystem.read((await at(fileSystem, "/sizes/s4096.bin")).id, buffer, BLOCK);
  return Buffer.from(buffer).toString("latin1");
}

/** Moves the log back by some blocks, so that its first ones are the last ones of the journal. It lies in one piece. */
async function openTurned(path: string, turn: number): Promise<FileSystem> {
  return await openChanged(path, (bytes) => {
    const superblock = Buffer.from(bytes.buffer).indexOf(Buffer.from("c03b399800000004", "hex"));
    const view = new DataView(bytes.buffer, superblock);
    const blockCount = view.getUint32(0x10);
    const start = superblock + BLOCK;
    const log = bytes.slice(start, superblock + blockCount * BLOCK);
    bytes.set(log.subarray(turn * BLOCK), start);
    bytes.set(log.subarray(0, turn * BLOCK), start + log.length - turn * BLOCK);
    view.setUint32(0x1c, blockCount - turn);
    view.setUint32(0xfc, 0);
    view.setUint32(0xfc, crc32c(bytes.subarray(superblock, superblock + 1024), 0xffff_ffff));
  });
}

describe("ext: journals written by debugfs", function () {
  this.timeout(60_000);
  const forms = { "no checksums": "", "checksums v2": "-c -v 2", "checksums v3": "-c -v 3" };

  for (const [form, options] of Object.entries(forms)) {
    it(`${form}: the newest contents, unescaped; revoked ones not`, async () => {
      const { path: sound } = await extImage("ext4-bigalloc");
      const old = await withExt(sound, secondBlock);
      await withLoggedBlocks(
        "ext4-bigalloc",
        options,
        (block) => [`jw -b ${block} plain`],
        async (path) => {
          assert.match(await withExt(path, secondBlock), /^new contents/);
        },
      );
      const twice = (block: number) => [`jw -b ${block} plain`, `jw -b ${block} magic`];
      await withLoggedBlocks("ext4-bigalloc", options, twice, async (path) => {
        assert.equal((await withExt(path, secondBlock)).slice(0, 7), `${MAGIC}con`);
      });
      const revoked = (block: number) => [`jw -b ${block} plain`, `jw -r ${block}`];
      await withLoggedBlocks("ext4-bigalloc", options, revoked, async (path) => {
        assert.equal(await withExt(path, secondBlock), old);
      });
      const again = (block: number) => [...revoked(block), `jw -b ${block} plain`];
      await withLoggedBlocks("ext4-bigalloc", options, again, async (path) => {
        assert.match(await withExt(path, secondBlock), /^new contents/);
      });
    });
  }

  it("ends at the first transaction that is not whole", async () => {
    const twice = (block: number) => [`jw -b ${block} plain`, `jw -b ${block} magic`];
    await withLoggedBlocks("ext4-bigalloc", "-c -v 3", twice, async (path) => {
      // the last commit block: type 2
      const fileSystem = await openChanged(path, (bytes) => {
        const header = Buffer.from("c03b399800000002", "hex");
        const commit = Buffer.from(bytes.buffer).lastIndexOf(header);
        bytes[commit + 20] = 0xff ^ (bytes[commit + 20] as number);
      });
      assert.match(await secondBlock(fileSystem), /^new contents/);
      assert.match(fileSystem.info.remarks.join(), /of 1 transactions/);
    });
  });

  it("goes on at the beginning after the last block of the journal", async () => {
    const twice = (block: number) => [`jw -b ${block} plain`, `jw -b ${block} magic`];
    await withLoggedBlocks("ext4-bigalloc", "-c -v 3", twice, async (path) => {
      for (const turn of [1, 2, 3, 4, 5, 6]) {
        const turned = await openTurned(path, turn);
        assert.equal((await secondBlock(turned)).slice(0, 7), `${MAGIC}con`, `turned by ${turn}`);
      }
    });
  });

  it("opens without a journal that makes no sense, and says so; refuses one with unknown features", async () => {
    await withLoggedBlocks(
      "ext4-bigalloc",
      "",
      (block) => [`jw -b ${block} plain`],
      async (path) => {
        const superblock = Buffer.from(await readFile(path)).indexOf(Buffer.from("c03b399800000004", "hex"));
        const { info } = await openChanged(path, (bytes) => bytes.fill(0, superblock, superblock + 4));
        assert.match(info.remarks.join(), /its journal cannot be followed/);
        await assert.rejects(
          openChanged(path, (bytes) => {
            bytes[superblock + 0x28] = 0x80;
          }),
          /journal feature 0x80000000 cannot be read yet/,
        );
        await rm(path);
      },
    );
  });

  for (const kind of ["ext4-fuzz", "ext4-fuzz-checksums"] as const) {
    it(`${kind}: the files that are there after e2fsck has replayed it`, async () => {
      const folder = await makeTemporaryFolder("replayed");
      try {
        const { path } = await extImage(kind);
        const replayed = join(folder.path, "image");
        await copyFile(path, replayed);
        execFileSync("/usr/sbin/e2fsck", ["-fy", "-E", "journal_only", replayed], { stdio: "ignore" });
        const ours = await withExt(path, (fileSystem) => {
          assert.match(fileSystem.info.remarks.join(), /journal replayed/);
          return walkFileSystem(fileSystem);
        });
        assert.deepEqual(ours, await withExt(replayed, walkFileSystem));
        // the first of the two sizes that debugfs names; the other one is of a fragment
        const [, size] = /Size: (\d+)/.exec(debugfs(folder.path, replayed, ["stat /holes.bin"])) ?? [];
        assert.equal(ours.find((entry) => entry.path === "/holes.bin")?.sizeBytes, Number(size));
        assert.ok(Number(size) > 100_000, `${size} bytes`);
      } finally {
        await folder.remove();
      }
    });
  }
});

// Whether the log is empty: the two ways of finding its head against each other and against xfs_logprint; and the space
// that is counted when the superblock may be behind.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { countFreeBlocks } from "../../../core/filesystem/xfs/freeSpace.js";
import { inspectLog } from "../../../core/filesystem/xfs/log.js";
import { decodeSuperblock, type XfsSuperblock } from "../../../core/filesystem/xfs/superblock.js";
import { XfsVolume } from "../../../core/filesystem/xfs/volume.js";
import { openRawSource } from "../../../core/source/rawSource.js";
import { canMount, type XfsKind, xfsImage } from "./xfsImages.js";

async function withVolume<T>(
  kind: XfsKind,
  use: (volume: XfsVolume, path: string) => Promise<T>,
  change: Partial<XfsSuperblock> = {},
): Promise<T> {
  const { path } = await xfsImage(kind);
  const source = await openRawSource(path);
  try {
    const sector = new Uint8Array(512);
    await source.read(sector, 0);
    return await use(new XfsVolume(source, { ...decodeSuperblock(sector), ...change }), path);
  } finally {
    await source.close();
  }
}

function stateByLogprint(path: string): string | undefined {
  const { stdout } = spawnSync("xfs_logprint", ["-t", path], {
    encoding: "utf8",
    maxBuffer: 1 << 26,
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  });
  return /state: <(\w+)>/.exec(stdout)?.[1];
}

describe("xfs: log", function () {
  this.timeout(60_000);

  for (const kind of ["v4", "v5", "v5-1k", "v5-64k", "v5-dirty"] as const) {
    it(`${kind}: is as empty as xfs_logprint says, however its head is found`, async function () {
      if (kind !== "v4" && !canMount()) return this.skip();
      await withVolume(kind, async (volume, path) => {
        const state = await inspectLog(volume);
        assert.equal(state.kind, stateByLogprint(path) === "DIRTY" ? "pending" : "clean");
        assert.equal(state.kind, kind === "v5-dirty" ? "pending" : "clean");
        const searched = await withVolume(kind, (other) => inspectLog(other), { lastLogWrite: { cycle: 0, block: 0 } });
        assert.deepEqual(searched, state);
        if (kind === "v5-dirty") assert.ok(volume.superblock.lastLogWrite.cycle > 1, "the log went around");
      });
    });
  }

  const hostile: Partial<XfsSuperblock>[] = [
    { logStart: 2 ** 50 },
    { logBlocks: 0 },
    { logBlocks: 2 ** 32 - 1 },
    { logStart: 3 },
  ];
  for (const [number, change] of hostile.entries()) {
    it(`is not readable where it cannot be (${number + 1})`, async () => {
      const state = await withVolume("v4", (volume) => inspectLog(volume), change);
      // blocks that were never a log have no cycle
      assert.ok(state.kind === "unreadable" || state.kind === "clean");
    });
  }

  for (const kind of ["v4-ftype", "v5", "v5-many", "v5-oldtimes"] as const) {
    it(`${kind}: the groups have as many free blocks as the superblock says`, async function () {
      if (kind.startsWith("v5") && !canMount()) return this.skip();
      const { counted, told } = await withVolume(kind, async (volume) => {
        return { counted: await countFreeBlocks(volume), told: volume.superblock.freeBlocks };
      });
      assert.equal(counted, told);
    });
  }
});

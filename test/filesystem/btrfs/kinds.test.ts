// Every kind of btrfs: our tree, attributes included, against the kernel's view of the same image, and files that mkfs
// copied against the folder that they come from.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { relative } from "node:path";
import { type TreeEntry, walkFileSystem, walkFolder } from "../treeWalk.js";
import {
  type BtrfsKind,
  btrfsImage,
  canMount,
  type MountedKind,
  mountedKinds,
  type PreparedKind,
  preparedKinds,
  withFileSystem,
  withKernelView,
} from "./btrfsImages.js";

/** By path from `/`, in hexadecimal, as walkFileSystem has them. */
function attributesOfFolder(folder: string): Map<string, Record<string, string>> {
  const dump = execFileSync("getfattr", ["-R", "-P", "-h", "-d", "-m", "-", "-e", "hex", "--absolute-names", folder], {
    encoding: "utf8",
    maxBuffer: 1 << 26,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const found = new Map<string, Record<string, string>>();
  for (const part of dump.split("\n\n")) {
    const [first, ...lines] = part.trim().split("\n");
    if (first === undefined || first === "") continue;
    const pairs = lines
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1).replace(/^0x/, "")] as const)
      .filter(([name]) => name !== "");
    found.set(`/${relative(folder, first.replace("# file: ", ""))}`, Object.fromEntries(pairs.sort()));
  }
  return found;
}

async function kernelView(paths: readonly string[]): Promise<TreeEntry[] | null> {
  return await withKernelView(paths, async (folder) => {
    const attributes = attributesOfFolder(folder);
    return (await walkFolder(folder)).map((entry) => {
      const own = attributes.get(entry.path) ?? {};
      return Object.keys(own).length === 0 ? entry : { ...entry, attributes: own };
    });
  });
}

/** An empty directory in place of a subvolume has the time of the moment. */
function withoutMoments(entries: readonly TreeEntry[]): TreeEntry[] {
  return entries.map((entry) =>
    entry.path === "/deep/0/snapshots/read-only/nested" ? { ...entry, modifiedAtNs: "now" } : entry,
  );
}

async function compareWithKernel(kind: BtrfsKind, least: number): Promise<boolean> {
  const { paths, tree } = await btrfsImage(kind);
  const theirs = await kernelView(paths);
  if (theirs === null) return false;
  assert.ok(theirs.length > least);
  const ours = await withFileSystem(paths, walkFileSystem);
  assert.deepEqual(withoutMoments(ours), withoutMoments(theirs));
  const found = new Map(ours.map((entry) => [entry.path, entry]));
  for (const { path, sha256, target } of tree) {
    assert.deepEqual([found.get(path)?.sha256, found.get(path)?.target], [sha256, target], path);
  }
  return true;
}

describe("btrfs: kinds of file systems", function () {
  this.timeout(60_000);

  for (const kind of Object.keys(mountedKinds) as MountedKind[]) {
    it(`${kind}: as the kernel shows it`, async function () {
      if (!canMount() || !(await compareWithKernel(kind, 200))) return this.skip();
    });
  }

  for (const kind of Object.keys(preparedKinds) as PreparedKind[]) {
    it(`${kind}: as the folder it was made from`, async () => {
      const { paths, tree } = await btrfsImage(kind);
      const comparable = (entries: TreeEntry[]) =>
        entries
          .filter(({ path }) => path !== "/")
          .map(({ path, kind: is, mode, sizeBytes, sha256, target }) => ({
            path,
            is,
            mode,
            sizeBytes,
            sha256,
            target,
          }));
      assert.deepEqual(comparable(await withFileSystem(paths, walkFileSystem)), comparable(tree));
    });

    if (kind === "sector64k" && !kernelKnowsSectors(65_536)) continue;
    it(`${kind}: as the kernel shows it`, async function () {
      if (!canMount() || !(await compareWithKernel(kind, 200))) return this.skip();
    });
  }
});

/** Most kernels mount only what has sectors of their own page size, or of 4 KiB. */
function kernelKnowsSectors(sectorBytes: number): boolean {
  const list = "/sys/fs/btrfs/features/supported_sectorsizes";
  return existsSync(list) && readFileSync(list, "utf8").split(/\s+/).includes(String(sectorBytes));
}

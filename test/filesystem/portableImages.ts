// Images of FAT, exFAT and NTFS, made once per kind and version of what makes them, then kept in .cache/fixtures.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { CachedReader } from "../../core/filesystem/blockCache.js";
import { openExfat } from "../../core/filesystem/exfat/exfatFileSystem.js";
import { openFat } from "../../core/filesystem/fat/fatFileSystem.js";
import type { FileSystem } from "../../core/filesystem/fileSystem.js";
import { openNtfs } from "../../core/filesystem/ntfs/ntfsFileSystem.js";
import { openRawSource } from "../../core/source/rawSource.js";
import { buildOnce } from "../support/buildOnce.js";
import { inProject } from "../support/projectRoot.js";
import { makeTemporaryFolder } from "../support/temporaryFolder.js";
import { makePortableTree, type PortableTreeOptions } from "./portableTree.js";
import { type TreeEntry, walkFolder } from "./treeWalk.js";

export type PortableKind =
  | "fat12"
  | "fat16"
  | "fat32"
  | "fat32-fuzz"
  | "exfat"
  | "exfat-fuzz"
  | "ntfs"
  | "ntfs-512"
  | "ntfs-64k"
  | "ntfs-fuzz";

export interface PortableImage {
  path: string;
  /** What it was made from. */
  tree: TreeEntry[];
}

const LARGE = 2 * 1024 * 1024;
const SMALL = { many: 30, largeBytes: 50_000, rich: false };
const treeOptions: Record<PortableKind, PortableTreeOptions> = {
  fat12: { many: 60, largeBytes: 50_000, rich: false },
  fat16: { many: 300, largeBytes: LARGE, rich: false },
  fat32: { many: 400, largeBytes: LARGE, rich: false },
  exfat: { many: 5000, largeBytes: LARGE, rich: true },
  ntfs: { many: 5000, largeBytes: LARGE, rich: true },
  "fat32-fuzz": SMALL,
  "exfat-fuzz": SMALL,
  "ntfs-fuzz": { ...SMALL, rich: true },
  "ntfs-512": { many: 300, largeBytes: LARGE, rich: true },
  "ntfs-64k": { many: 300, largeBytes: LARGE, rich: true },
};

const run = promisify(execFile);
const cacheFolder = inProject(".cache", "fixtures");

function scriptOf(kind: PortableKind): string {
  const name = kind.startsWith("exfat") ? "makeExfat.sh" : kind.startsWith("ntfs") ? "makeNtfs.sh" : "makeFat.sh";
  return inProject("test", "fixtures", name);
}

/** What this machine lacks to make images of a kind; undefined: nothing. */
function missingFor(kind: PortableKind): string | undefined {
  if (kind.startsWith("fat")) return undefined;
  if (kind.startsWith("exfat") && process.getuid?.() !== 0) return "root, for loop devices";
  try {
    accessSync("/dev/fuse", constants.W_OK);
    return undefined;
  } catch {
    return "/dev/fuse";
  }
}

/** Read it or copy it; all tests share it. Skips the test where the image cannot be made; in CI and without a test, it fails. */
export async function portableImage(kind: PortableKind, test?: Mocha.Context): Promise<PortableImage> {
  const hash = createHash("sha256").update(JSON.stringify(treeOptions[kind]));
  const folder = inProject("test", "filesystem");
  const vectors = ["xpress4k.bin", "xpress8k.bin", "xpress16k.bin"].map((name) =>
    inProject("test", "fixtures", "wof", name),
  );
  for (const source of [scriptOf(kind), join(folder, "portableTree.ts"), join(folder, "treeWalk.ts"), ...vectors]) {
    hash.update(await readFile(source));
  }
  const stem = join(cacheFolder, `${kind}-${hash.digest("hex").slice(0, 16)}`);
  const path = `${stem}.img`;
  if (!existsSync(path)) {
    const missing = missingFor(kind);
    if (missing !== undefined) {
      if (test === undefined || process.env.CI !== undefined) throw new Error(`${kind} images need ${missing}`);
      console.warn(`      skipped: ${kind} images need ${missing}`);
      test.skip();
    }
    await buildOnce(path, () => makeImage(kind, path, `${stem}.json`));
  }
  return { path, tree: JSON.parse(await readFile(`${stem}.json`, "utf8")) as TreeEntry[] };
}

async function makeImage(kind: PortableKind, path: string, treePath: string): Promise<void> {
  await mkdir(cacheFolder, { recursive: true });
  const folder = await makeTemporaryFolder("portable");
  try {
    await makePortableTree(folder.path, treeOptions[kind]);
    const fresh = `${path}.${process.pid}`;
    const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
    const args = [kind, folder.path, fresh];
    await run(scriptOf(kind), args, { env });
    await writeFile(treePath, JSON.stringify(await walkFolder(folder.path)));
    await rename(fresh, path);
  } finally {
    await folder.remove();
  }
}

export function openerOf(kind: PortableKind): typeof openFat {
  return kind.startsWith("exfat") ? openExfat : kind.startsWith("ntfs") ? openNtfs : openFat;
}

export async function withImage<T>(
  kind: PortableKind,
  path: string,
  use: (fileSystem: FileSystem) => Promise<T>,
): Promise<T> {
  const source = await openRawSource(path);
  try {
    return await use(await openerOf(kind)(new CachedReader(source)));
  } finally {
    await source.close();
  }
}

/** What these file systems keep of a tree: no modes and owners, times of files to two seconds. */
export function comparable(entries: readonly TreeEntry[]): unknown[] {
  return entries
    .filter(({ path }) => path !== "/" && path !== "/extra" && !path.startsWith("/extra/"))
    .map(({ path, kind, sizeBytes, sha256, target, modifiedAtNs }) => ({
      path,
      kind,
      sizeBytes,
      sha256,
      target,
      modifiedAt: kind === "file" ? BigInt(modifiedAtNs) / 2_000_000_000n : null,
    }));
}

/** Paths by the Sleuth Kit's own readers, which share nothing with ours; without what the file system keeps for itself. */
export async function pathsBySleuthKit(path: string): Promise<string[]> {
  const { stdout } = await run("fls", ["-r", "-p", "-u", path], { maxBuffer: 1 << 26 });
  return stdout
    .split("\n")
    .map((line) => /^[rdlcbp-]\/[rdlcbp-] [^\t]*:\t(.+)$/.exec(line)?.[1])
    .filter((name): name is string => name !== undefined && !name.startsWith("$"))
    .map((name) => `/${name}`);
}

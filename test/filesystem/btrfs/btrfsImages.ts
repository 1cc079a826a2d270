// Images of every kind of btrfs, made once per kind and version of what makes them, then kept in .cache/fixtures. The only
// place in these tests that knows how images come to be.

import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { CachedReader } from "../../../core/filesystem/blockCache.js";
import type { BlockReader } from "../../../core/filesystem/blockReader.js";
import { openBtrfs } from "../../../core/filesystem/btrfs/openBtrfs.js";
import type { FileSystem } from "../../../core/filesystem/fileSystem.js";
import { openRawSource } from "../../../core/source/rawSource.js";
import { buildOnce } from "../../support/buildOnce.js";
import { attachLoop, detachLoop, mount, unmount } from "../../support/loopDevice.js";
import { inProject } from "../../support/projectRoot.js";
import { makeTemporaryFolder } from "../../support/temporaryFolder.js";
import { makeSampleTree } from "../ext/sampleTree.js";
import { type TreeEntry, walkFolder } from "../treeWalk.js";

/** Filled through the kernel, by root, with the number of their devices. */
export const mountedKinds = {
  rich: 1,
  node4k: 1,
  node64k: 1,
  sha256: 1,
  blake2: 1,
  old: 1,
  mixed: 1,
  stripes: 2,
  raid1: 2,
  raid10: 4,
  raid1c3: 3,
  raid5: 3,
  raid6: 4,
  "metadata-uuid": 1,
  logged: 1,
  fuzz: 1,
} as const;
/** Made by mkfs alone. */
export const preparedKinds = { rootdir: 1, shrunk: 1, sector64k: 1 } as const;
export type MountedKind = keyof typeof mountedKinds;
export type PreparedKind = keyof typeof preparedKinds;
export type BtrfsKind = MountedKind | PreparedKind;

export interface BtrfsImage {
  /** The first device first. */
  paths: string[];
  /** What it was made from; the maker adds to it and changes some of it. */
  tree: TreeEntry[];
}

/** Kept in memory, some of them thousands of times over. */
const smallKinds: readonly BtrfsKind[] = ["fuzz", "shrunk"];
/** Directories that need trees of several levels. */
const kindsWithThousands: readonly BtrfsKind[] = ["rich", "node4k"];

const run = promisify(execFile);
const cacheFolder = inProject(".cache", "fixtures");
const sources = [
  inProject("test", "fixtures", "makeBtrfs.sh"),
  inProject("test", "filesystem", "ext", "sampleTree.ts"),
  inProject("test", "filesystem", "treeWalk.ts"),
];

/** Whether this user may mount through a loop device, on which the kinds in `mountedKinds` depend. */
export function canMount(): boolean {
  const device = process.getuid?.() === 0 ? attachLoop(sources[0] as string) : undefined;
  if (device !== undefined) detachLoop(device);
  return device !== undefined;
}

/** Read it or copy it; all tests share it. */
export async function btrfsImage(kind: BtrfsKind): Promise<BtrfsImage> {
  const hash = createHash("sha256");
  for (const source of sources) hash.update(await readFile(source));
  const stem = join(cacheFolder, `btrfs-${kind}-${process.getuid?.() === 0}-${hash.digest("hex").slice(0, 16)}`);
  const count = { ...mountedKinds, ...preparedKinds }[kind];
  const paths = devicePaths(`${stem}.img`, count);
  await buildOnce(paths[0] as string, () => makeImage(kind, paths, `${stem}.json`));
  return { paths, tree: JSON.parse(await readFile(`${stem}.json`, "utf8")) as TreeEntry[] };
}

function devicePaths(first: string, count: number): string[] {
  return [first, ...Array.from({ length: count - 1 }, (_, i) => `${first}.${i + 2}`)];
}

async function makeImage(kind: BtrfsKind, paths: readonly string[], treePath: string): Promise<void> {
  await mkdir(cacheFolder, { recursive: true });
  const folder = await makeTemporaryFolder("btrfs");
  try {
    const small = smallKinds.includes(kind);
    const many = small ? 150 : kindsWithThousands.includes(kind) ? 3000 : 500;
    await makeSampleTree(folder.path, { many, devices: process.getuid?.() === 0, small });
    const fresh = devicePaths(`${paths[0]}.${process.pid}`, paths.length);
    await run(sources[0] as string, [kind, folder.path, fresh[0] as string], { env: environment() });
    await writeFile(treePath, JSON.stringify(await walkFolder(folder.path)));
    // the first one last: it says that all are there
    for (const [i, path] of [...paths.entries()].reverse()) await rename(fresh[i] as string, path);
  } finally {
    await folder.remove();
  }
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
}

/** All devices over caches; `wrap` may stand between. */
export async function withFileSystem<T>(
  paths: readonly string[],
  use: (fileSystem: FileSystem) => Promise<T>,
  wrap: (reader: BlockReader, index: number) => BlockReader = (reader) => reader,
): Promise<T> {
  const opened = await Promise.all(paths.map((path) => openRawSource(path)));
  try {
    const [first, ...companions] = opened.map((source, i) => new CachedReader(wrap(source, i)));
    return await use(await openBtrfs(first as BlockReader, { companions }));
  } finally {
    await Promise.all(opened.map((source) => source.close()));
  }
}

/** The top level of the kernel's own view, while `use` runs; null where it cannot be mounted. */
export async function withKernelView<T>(
  paths: readonly string[],
  use: (folder: string) => Promise<T>,
): Promise<T | null> {
  const folder = await makeTemporaryFolder("mounted");
  const loops: string[] = [];
  try {
    for (const path of paths) {
      const loop = attachLoop(path);
      if (loop === undefined) return null;
      loops.push(loop);
    }
    execFileSync("btrfs", ["device", "scan", ...loops], { env: environment(), stdio: "ignore" });
    // a log is left where it is, as we leave it
    if (!mount("-t", "btrfs", "-o", "ro,subvolid=5,rescue=nologreplay", loops[0] as string, folder.path)) return null;
    return await use(folder.path);
  } finally {
    unmount(folder.path);
    forget(loops);
    for (const loop of loops) detachLoop(loop);
    await folder.remove();
  }
}

/** Devices of several stay known to the kernel after they are gone. */
function forget(loops: readonly string[]): void {
  try {
    execFileSync("btrfs", ["device", "scan", "--forget", ...loops], { env: environment(), stdio: "ignore" });
  } catch {
    // not known, or still in use by another test
  }
}

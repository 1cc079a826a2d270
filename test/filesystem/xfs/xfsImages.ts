// Images of every kind of XFS, made once per kind and version of what makes them, then kept in .cache/fixtures. The only
// place in these tests that knows how images come to be.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { CachedReader } from "../../../core/filesystem/blockCache.js";
import type { FileSystem } from "../../../core/filesystem/fileSystem.js";
import { openXfs } from "../../../core/filesystem/xfs/openXfs.js";
import { openRawSource } from "../../../core/source/rawSource.js";
import { buildOnce } from "../../support/buildOnce.js";
import { attachLoop, detachLoop } from "../../support/loopDevice.js";
import { inProject } from "../../support/projectRoot.js";
import { makeTemporaryFolder } from "../../support/temporaryFolder.js";
import { makeSampleTree } from "../ext/sampleTree.js";
import { type TreeEntry, walkFolder } from "../treeWalk.js";

/** Filled through the kernel, by root. */
export const mountedKinds = [
  "v5",
  "v5-dir64k",
  "v5-many",
  "v5-1k",
  "v5-64k",
  "v5-oldtimes",
  "v5-parents",
  "v5-dirty",
] as const;
/** Made by programs alone. */
export const preparedKinds = ["v4", "v4-ftype", "v5-devices"] as const;
/** Small, with few files: of version 4 by programs alone, of version 5 through the kernel. */
export const fuzzKinds = ["fuzz-v4", "fuzz-v5"] as const;
export type XfsKind = (typeof mountedKinds)[number] | (typeof preparedKinds)[number] | (typeof fuzzKinds)[number];

export interface XfsImage {
  path: string;
  /** What it was made from; the maker adds to it and changes some of it. */
  tree: TreeEntry[];
}

/** A directory with an index of several levels; the others fit into one leaf. */
const kindsWithThousands: readonly XfsKind[] = ["v5-1k", "v5-dir64k"];

const run = promisify(execFile);
const cacheFolder = inProject(".cache", "fixtures");
const sources = [
  inProject("test", "fixtures", "makeXfs.sh"),
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
export async function xfsImage(kind: XfsKind): Promise<XfsImage> {
  const hash = createHash("sha256");
  for (const source of sources) hash.update(await readFile(source));
  const stem = join(cacheFolder, `xfs-${kind}-${process.getuid?.() === 0}-${hash.digest("hex").slice(0, 16)}`);
  const path = `${stem}.img`;
  await buildOnce(path, () => makeImage(kind, path, `${stem}.json`));
  return { path, tree: JSON.parse(await readFile(`${stem}.json`, "utf8")) as TreeEntry[] };
}

async function makeImage(kind: XfsKind, path: string, treePath: string): Promise<void> {
  await mkdir(cacheFolder, { recursive: true });
  const folder = await makeTemporaryFolder("xfs");
  try {
    const isSmall = (fuzzKinds as readonly string[]).includes(kind);
    const many = isSmall ? 150 : kindsWithThousands.includes(kind) ? 3000 : 1000;
    await makeSampleTree(folder.path, { many, devices: process.getuid?.() === 0 });
    const fresh = `${path}.${process.pid}`;
    const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
    await run(sources[0] as string, [kind, folder.path, fresh], { env });
    await writeFile(treePath, JSON.stringify(await walkFolder(folder.path)));
    await rename(fresh, path);
  } finally {
    await folder.remove();
  }
}

export async function withFileSystem<T>(path: string, use: (fileSystem: FileSystem) => Promise<T>): Promise<T> {
  const source = await openRawSource(path);
  try {
    return await use(await openXfs(new CachedReader(source)));
  } finally {
    await source.close();
  }
}

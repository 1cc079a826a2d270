// Images of every kind of ext file system, made once per kind and version of what makes them, then kept in .cache/fixtures.
// The only place in these tests that knows how images come to be.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { buildOnce } from "../../support/buildOnce.js";
import { inProject } from "../../support/projectRoot.js";
import { makeTemporaryFolder } from "../../support/temporaryFolder.js";
import { type TreeEntry, walkFolder } from "../treeWalk.js";
import { makeSampleTree } from "./sampleTree.js";

export const extKinds = [
  "ext2-1k",
  "ext2-rev0",
  "ext3",
  "ext4",
  "ext4-inline",
  "ext4-bigalloc",
  "ext4-metabg",
  "ext4-gdtcsum",
  "ext4-64k",
  "ext4-large-dir",
  "ext4-ea-inode",
  "ext4-casefold",
  "ext4-encrypt",
] as const;
/** Smaller, for many runs. */
const fuzzKinds = ["ext2-fuzz", "ext4-fuzz", "ext4-fuzz-checksums"] as const;
export type ExtKind = (typeof extKinds)[number] | (typeof fuzzKinds)[number];

export interface ExtImage {
  path: string;
  /** What it was made from. */
  tree: TreeEntry[];
}

const run = promisify(execFile);
const cacheFolder = inProject(".cache", "fixtures");
const sources = [
  inProject("test", "fixtures", "makeExt.sh"),
  inProject("test", "filesystem", "ext", "sampleTree.ts"),
  inProject("test", "filesystem", "treeWalk.ts"),
];

/** Read it or copy it; all tests share it. */
export async function extImage(kind: ExtKind): Promise<ExtImage> {
  const hash = createHash("sha256");
  for (const source of sources) hash.update(await readFile(source));
  const stem = join(cacheFolder, `${kind}-${process.getuid?.() === 0}-${hash.digest("hex").slice(0, 16)}`);
  const path = `${stem}.img`;
  await buildOnce(path, () => makeImage(kind, path, `${stem}.json`));
  return { path, tree: JSON.parse(await readFile(`${stem}.json`, "utf8")) as TreeEntry[] };
}

async function makeImage(kind: ExtKind, path: string, treePath: string): Promise<void> {
  await mkdir(cacheFolder, { recursive: true });
  const folder = await makeTemporaryFolder("ext");
  const isSmall = fuzzKinds.some((name) => name === kind);
  try {
    await makeSampleTree(folder.path, {
      many: kind === "ext4-large-dir" ? 5000 : isSmall ? 60 : 300,
      small: isSmall,
      devices: process.getuid?.() === 0,
    });
    const fresh = `${path}.${process.pid}`;
    const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
    await run(sources[0] as string, [kind, folder.path, fresh], { env });
    await writeFile(treePath, JSON.stringify(await walkFolder(folder.path)));
    await rename(fresh, path);
  } finally {
    await folder.remove();
  }
}

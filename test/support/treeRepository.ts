// Folders backed up into a test repository, and what a snapshot has of them.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type BackupResult, backUp } from "../../core/backup/backup.js";
import { parseExcludes } from "../../core/backup/excludeRules.js";
import type { TreeInput } from "../../core/backup/treeInput.js";
import { listFiles } from "../../core/files/listFiles.js";
import type { MachineTree } from "../../core/files/machineTree.js";
import { openChunkFetcher, openSnapshotTree } from "../../core/files/openTree.js";
import { restoreFiles } from "../../core/files/restore/restoreFiles.js";
import { formatTreePath, parseTreePath } from "../../core/files/treePath.js";
import type { FileKind, FileStat, FileSystem, NodeId } from "../../core/filesystem/fileSystem.js";
import type { Manifest } from "../../core/format/manifest.js";
import type { ProgressEvent } from "../../core/platform/progress.js";
import type { Snapshot } from "../../core/repository/catalog.js";
import type { TestRepository } from "./testRepository.js";

/** One snapshot of a folder as the tree `www` of `host/web1`; an hour passes. */
export async function backUpFolder(
  test: TestRepository,
  path: string,
  tree: Partial<TreeInput> = {},
  excludes: readonly string[] = [],
  onProgress: (event: ProgressEvent) => void = () => {},
): Promise<BackupResult> {
  test.environment.nowMs += 3_600_000;
  const rules = parseExcludes(excludes);
  const input = { name: "www", path, excludes: rules, oneFileSystem: false, readAll: false, ...tree };
  const request = {
    group: "host/web1",
    namespace: "",
    disks: [],
    files: [],
    trees: [input],
    notes: "",
    tags: [],
    protected: false,
    codec: { codec: "zstd", level: 3 } as const,
    dryRun: false,
    lanes: 0,
  };
  return await backUp(test.repository, request, { ...test.options, onProgress });
}

/** Until the clocks of file systems have gone on, so that what was written before counts as settled. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 130));
}

export async function pathsIn(test: TestRepository, manifest: Manifest): Promise<string[]> {
  return await withTree(test, manifest, async (tree) => {
    const paths: string[] = [];
    const top = await tree.resolve(parseTreePath("/www/fs"));
    for await (const { path, problem } of listFiles(tree, top, { recursive: true })) {
      assert.equal(problem, null);
      paths.push(formatTreePath(path.slice(2)));
    }
    return paths.sort();
  });
}

/** What describeFolder says of the original, from the snapshot alone. */
export async function describeStored(test: TestRepository, manifest: Manifest): Promise<string[]> {
  return await withTree(test, manifest, async (tree) => {
    const fileSystem = await tree.volumes.fileSystem("www", "fs");
    const lines: string[] = [];
    const linked = new Map<string, string>();
    const visit = async (node: NodeId, shown: string) => {
      const stat = await fileSystem.stat(node);
      const first = linked.get(stat.id) ?? shown;
      if (stat.linkCount > 1 && stat.kind !== "directory") linked.set(stat.id, first);
      const content = await contentText(fileSystem, stat);
      lines.push([shown, kindText(stat), first === shown ? "" : `=${first}`, content].join(" "));
      if (stat.kind !== "directory") return;
      for await (const { name, id } of fileSystem.readDirectory(node)) {
        assert.equal((await fileSystem.lookup(node, name))?.id, id);
        await visit(id, `${shown}/${Buffer.from(name).toString("latin1")}`);
      }
    };
    await visit(fileSystem.root, "");
    return lines;
  });
}

const KIND_BITS: Partial<Record<FileKind, string>> = {
  file: "100000",
  directory: "40000",
  symlink: "120000",
  fifo: "10000",
  "character-device": "20000",
  "block-device": "60000",
};

function kindText(stat: FileStat): string {
  const { device, kind, mode, uid, gid, modifiedAtNs, linkCount } = stat;
  const links = kind === "directory" ? "" : linkCount;
  return `${KIND_BITS[kind]} ${mode?.toString(8)} ${uid}:${gid} ${modifiedAtNs} ${links} ${device === null ? "" : deviceNumber(device)}`;
}

function deviceNumber({ major, minor }: { major: number; minor: number }): number {
  return (major << 8) | (minor & 0xff) | ((minor & ~0xff) << 12);
}

async function contentText(fileSystem: FileSystem, stat: FileStat): Promise<string> {
  if (stat.kind === "symlink") return Buffer.from(await fileSystem.readLink(stat.id)).toString("hex");
  if (stat.kind !== "file") return "";
  const bytes = new Uint8Array(stat.sizeBytes + 1);
  const length = await fileSystem.read(stat.id, bytes, 0);
  return `${stat.sizeBytes} ${createHash("sha256").update(bytes.subarray(0, length)).digest("hex")}`;
}

/** With all that can be restored here. */
export async function restoreTree(test: TestRepository, manifest: Manifest, to: string): Promise<void> {
  await withTree(test, manifest, async (tree) => {
    const source = await tree.resolve(parseTreePath("/www/fs"));
    const owners = process.getuid?.() === 0;
    const request = {
      tree,
      source,
      name: null,
      to,
      existing: "refuse",
      owners,
      devices: owners,
      dryRun: false,
    } as const;
    const report = await restoreFiles(request, { onSkipped: ({ path, reason }) => assert.fail(`${path}: ${reason}`) });
    assert.equal(report.skipped, 0);
  });
}

export async function withTree<T>(
  test: TestRepository,
  manifest: Manifest,
  use: (tree: MachineTree) => Promise<T>,
): Promise<T> {
  const fetcher = await openChunkFetcher(test.repository, test.options);
  try {
    return await use(await openSnapshotTree({ manifest } as Snapshot, fetcher));
  } finally {
    await fetcher.close();
  }
}

// Trees over plain image files, without a repository between.

import { MachineTree } from "../../core/files/machineTree.js";
import type { SkippedFile } from "../../core/files/restore/leftOut.js";
import { restoreFiles } from "../../core/files/restore/restoreFiles.js";
import type { RestoreFilesReport, RestoreFilesRequest } from "../../core/files/restore/restoreRequest.js";
import { parseTreePath } from "../../core/files/treePath.js";
import { openRawSource } from "../../core/source/rawSource.js";

export interface ImageTree {
  tree: MachineTree;
  close(): Promise<void>;
}

/** By the names of the disks. */
export async function openImages(paths: Record<string, string>): Promise<ImageTree> {
  const sources = await Promise.all(
    Object.entries(paths).map(async ([name, path]) => ({ name, reader: await openRawSource(path) })),
  );
  const tree = new MachineTree(sources);
  return { tree, close: async () => void (await Promise.all(sources.map(({ reader }) => reader.close()))) };
}

/** Restores a path of the tree; also answers what was skipped. */
export async function restorePath(
  tree: MachineTree,
  path: string,
  to: string,
  request: Partial<RestoreFilesRequest> = {},
  signal?: AbortSignal,
): Promise<RestoreFilesReport & { skippedFiles: SkippedFile[] }> {
  const source = await tree.resolve(parseTreePath(path));
  const skippedFiles: SkippedFile[] = [];
  const report = await restoreFiles(
    {
      ...{ tree, source, name: parseTreePath(path).at(-1) ?? null, to, existing: "refuse", owners: true },
      ...{ devices: false, dryRun: false, ...request },
    },
    { signal, onSkipped: (file) => skippedFiles.push(file) },
  );
  return { ...report, skippedFiles };
}

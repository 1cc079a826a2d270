// Decides which archive of a snapshot goes into which file. Pure.

import { join } from "node:path";
import { type Archive, type RepriseError, type RestoreItem, restoredFileNames } from "../core/index.js";
import { usageError } from "./given/given.js";

export interface RestoreWish {
  /** --disk: only these; empty: everything. */
  names: readonly string[];
  /** --to, as typed. */
  to: string;
  /** What --to is now. */
  toIsFolder: boolean;
  format: "raw" | "qcow2";
}

export interface RestorePlan {
  items: RestoreItem[];
  /** Made when it does not exist; null when --to names a file. */
  folder: string | null;
  /** Configuration files that are not restored because --to names a file, and folders: those are restored by path. */
  leftOut: Archive[];
}

/**
 * One disk goes to the file that --to names. Into a folder (an existing one, or a name that ends with /, or several disks)
 * goes a file for each disk and each configuration file.
 */
export function planRestore(archives: readonly Archive[], wish: RestoreWish): RestorePlan {
  const named = chooseArchives(archives, wish.names);
  const trees = named.filter(({ kind }) => kind === "tree");
  const chosen = named.filter(({ kind }) => kind !== "tree");
  if (trees.length > 0 && (chosen.length === 0 || wish.names.length > 0)) throw folderError(trees);
  const disks = chosen.filter(({ kind }) => kind === "image");
  const single = chosen.length === 1 ? chosen[0] : disks.length === 1 && wish.names.length === 0 ? disks[0] : undefined;
  if (single !== undefined && !wish.toIsFolder && !wish.to.endsWith("/")) {
    const leftOut = named.filter((archive) => archive !== single);
    return { items: [{ archive: single, path: wish.to }], folder: null, leftOut };
  }
  const names = restoredFileNames(chosen, wish.format);
  const items = chosen.map((archive, index) => ({ archive, path: join(wish.to, names[index] as string) }));
  return { items, folder: wish.to, leftOut: trees };
}

function folderError(trees: readonly Archive[]): RepriseError {
  return usageError(
    `${namesText(trees)} is a folder with its files, not a disk`,
    "restore files: restore SNAPSHOT:/ --to FOLDER, or a path of ls behind the colon",
  );
}

/** The one archive that can go to standard output. */
export function chooseForStream(archives: readonly Archive[], names: readonly string[]): Archive {
  const chosen = chooseArchives(archives, names);
  const disks = chosen.filter(({ kind }) => kind === "image");
  const single = chosen.length === 1 ? chosen[0] : disks.length === 1 && names.length === 0 ? disks[0] : undefined;
  if (single?.kind === "tree") throw folderError([single]);
  if (single !== undefined) return single;
  throw usageError(
    `standard output takes one disk, the snapshot has ${namesText(chosen)}`,
    "name one with --disk NAME",
  );
}

export function chooseArchives(archives: readonly Archive[], names: readonly string[]): Archive[] {
  for (const name of names) {
    if (archives.some((archive) => archive.name === name)) continue;
    throw usageError(`the snapshot has no disk or file "${name}"`, `it has ${namesText(archives)}`);
  }
  return names.length === 0 ? [...archives] : archives.filter(({ name }) => names.includes(name));
}

function namesText(archives: readonly Archive[]): string {
  return archives.map(({ name }) => name).join(", ");
}

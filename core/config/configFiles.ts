// The files that a configuration names, seen from its folder: on this machine's disk, or wherever else the caller reads them from (a
// commit of a git repository).

import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { RepriseError } from "../errors.js";
import { readInputFile } from "../platform/inputFile.js";

export interface ConfigFiles {
  /** A path as it is written in the file. Rejects when it cannot be read. */
  readFile(path: string): Promise<Uint8Array>;
  /**
   * All files below a folder, also in folders inside it, as paths that readFile takes; in any order. Empty when there is no such
   * folder. "." is the folder of the configuration. Folders deeper inside than `depth` may be left out. Rejects when it cannot be
   * listed as a whole: some of the files are never taken for all of them.
   */
  listFiles?(folder: string, depth?: number): Promise<readonly string[]>;
}

/** A configuration has at most this many bytes, wherever it is read from. */
export const MAX_CONFIG_BYTES = 1024 * 1024;
/** A file that a configuration names has at most this many bytes. */
export const MAX_NAMED_FILE_BYTES = 1024 * 1024;
const MAX_LISTED = 20_000;

/** Those beside a configuration on disk. One byte more than allowed is read of a file that is too large. */
export function filesBeside(configPath: string, signal: AbortSignal): ConfigFiles {
  const base = dirname(configPath);
  return {
    readFile: (path) => readInputFile(resolveBeside(base, path), { maxBytes: MAX_NAMED_FILE_BYTES, signal }),
    listFiles: async (folder, depth = Number.POSITIVE_INFINITY) => {
      const found: string[] = [];
      await walk(base, folder, depth, found, signal);
      return found;
    },
  };
}

/** CONFIG_FOLDER_UNREADABLE. */
async function walk(base: string, folder: string, depth: number, found: string[], signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  for (const entry of await entriesOf(base, folder)) {
    const path = folder === "." ? entry.name : `${folder.replace(/\/$/, "")}/${entry.name}`;
    const isVisible = !entry.name.startsWith(".") && entry.name !== "node_modules";
    if (entry.isDirectory() && isVisible && depth > 0) await walk(base, path, depth - 1, found, signal);
    else if (!entry.isDirectory()) found.push(path);
    if (found.length > MAX_LISTED) throw folderUnreadable(folder, `there are more than ${MAX_LISTED} files`);
  }
}

async function entriesOf(base: string, folder: string): Promise<Dirent[]> {
  try {
    return await readdir(resolveBeside(base, folder), { withFileTypes: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return [];
    throw folderUnreadable(folder, code ?? String(error));
  }
}

function folderUnreadable(folder: string, why: string): RepriseError {
  return new RepriseError("usage", "CONFIG_FOLDER_UNREADABLE", `the folder ${folder} cannot be listed (${why})`, {
    data: { folder },
    hint: "name a folder that holds little else than these files, and that whoever runs this may read",
  });
}

function resolveBeside(base: string, path: string): string {
  return path.startsWith("/") ? path : join(base, path);
}

/** Whether a path has signs of a pattern: * or ?. */
export function isPattern(path: string): boolean {
  return /[*?]/.test(path);
}

/** The folder in front of the first sign of a pattern. */
export function folderOfPattern(pattern: string): string {
  const fixed = pattern.slice(0, pattern.search(/[*?]/));
  const end = fixed.lastIndexOf("/");
  if (end === 0) return "/";
  return end < 0 ? "." : fixed.slice(0, end);
}

/** How many folders below that one its files may stand; without `**` none of them is deeper. */
export function depthOfPattern(pattern: string): number {
  const parts = pattern.slice(pattern.search(/[*?]/)).split("/");
  return pattern.split("/").includes("**") ? Number.POSITIVE_INFINITY : parts.length - 1;
}

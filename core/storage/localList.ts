// Lists the objects below a folder in ascending order of their keys, while other processes add and remove files.

import type { Dirent } from "node:fs";
import { join } from "node:path";
import type { ObjectInfo } from "./backend.js";
import { systemCode } from "./localErrors.js";
import type { LocalFiles } from "./localFiles.js";
import { isObjectKey } from "./objectKey.js";

/** lstat calls under way at once: more does not help, libuv has four threads. */
const STAT_BATCH = 32;

interface Entry {
  /** With a final `/` for folders, so that sorting entries sorts the keys below them. */
  readonly name: string;
  readonly isFolder: boolean;
}

/** Every object below `folder` (relative, empty for the root). Skips what is no regular file with an object's name. */
export async function* listObjects(files: LocalFiles, folder: string, signal?: AbortSignal): AsyncIterable<ObjectInfo> {
  const prefix = folder === "" ? "" : `${folder}/`;
  const entries = await readEntries(files, folder, prefix);
  for (let start = 0; start < entries.length; ) {
    signal?.throwIfAborted();
    const first = entries[start]!;
    if (first.isFolder) {
      yield* listObjects(files, prefix + first.name.slice(0, -1), signal);
      start++;
      continue;
    }
    let end = start + 1;
    while (end < entries.length && end - start < STAT_BATCH && !entries[end]!.isFolder) end++;
    const batch = entries.slice(start, end).map((entry) => describe(files, prefix + entry.name));
    for (const info of await Promise.all(batch)) if (info !== undefined) yield info;
    start = end;
  }
}

/**
 * Names in one folder, sorted. Read twice: a file that is replaced by rename while the folder is read may be missing from
 * one reading on some file systems (its old entry is gone, the new one is behind the reader).
 */
async function readEntries(files: LocalFiles, folder: string, prefix: string): Promise<Entry[]> {
  const entries = new Map<string, Entry>();
  for (let reading = 0; reading < 2; reading++) {
    for (const dirent of await readFolder(files, folder)) {
      if (!isObjectKey(prefix + dirent.name)) continue;
      const isFolder = dirent.isDirectory();
      if (!isFolder && !dirent.isFile()) continue;
      entries.set(dirent.name, { name: isFolder ? `${dirent.name}/` : dirent.name, isFolder });
    }
  }
  return [...entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function readFolder(files: LocalFiles, folder: string): Promise<Dirent[]> {
  try {
    return await files.calls.readdir(join(files.path(folder)), { withFileTypes: true });
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw error;
  }
}

async function describe(files: LocalFiles, key: string): Promise<ObjectInfo | undefined> {
  try {
    const info = await files.calls.lstat(files.path(key));
    if (!info.isFile()) return undefined;
    return { key, sizeBytes: info.size, modifiedAtMs: Math.floor(info.mtimeMs) };
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

// Lists the objects below a folder of a server in ascending order of their keys, while other processes add and remove
// files. Folders are read ahead, several at a time: a repository has hundreds, and a far server answers late.

import type { ObjectInfo } from "../backend.js";
import { isObjectKey } from "../objectKey.js";
import { hasStatus, type SftpClient, SftpLineError } from "./sftpClient.js";
import { type FileAttributes, type NamedAttributes, STATUS } from "./sftpPacket.js";

/** Requests for names under way on one handle: each brings about 100. */
const NAME_REQUESTS = 4;
const FOLDERS_AHEAD = 12;
/** More in one folder is no repository; a server could go on for ever. */
const MAX_NAMES = 1_000_000;

interface Entry {
  /** With a final `/` for folders, so that sorting entries sorts the keys below them. */
  readonly name: string;
  /** Undefined for folders. */
  readonly info: ObjectInfo | undefined;
}

export type PathOf = (relative: string) => string;
/** Runs something on a line, again on another one when the line breaks. */
export type OnLine = <T>(use: (client: SftpClient) => Promise<T>) => Promise<T>;

/** Every object below `folder` (relative, empty for the root). Skips what is no regular file with an object's name. */
export async function* listObjects(
  onLine: OnLine,
  pathOf: PathOf,
  folder: string,
  signal?: AbortSignal,
): AsyncIterable<ObjectInfo> {
  const read = (relative: string) => {
    const entries = onLine((client) => readEntries(client, pathOf, relative));
    entries.catch(() => undefined); // whoever comes to it gets the error
    return entries;
  };
  yield* walk(read, folder, await read(folder), signal);
}

async function* walk(
  read: (folder: string) => Promise<Entry[]>,
  folder: string,
  entries: Entry[],
  signal: AbortSignal | undefined,
): AsyncIterable<ObjectInfo> {
  const prefix = folder === "" ? "" : `${folder}/`;
  const folders = entries.filter(({ info }) => info === undefined).map(({ name }) => prefix + name.slice(0, -1));
  const ahead: Promise<Entry[]>[] = [];
  let started = 0;
  for (const { name, info } of entries) {
    signal?.throwIfAborted();
    if (info !== undefined) {
      yield info;
      continue;
    }
    while (started < folders.length && ahead.length < FOLDERS_AHEAD) ahead.push(read(folders[started++]!));
    yield* walk(read, prefix + name.slice(0, -1), await ahead.shift()!, signal);
  }
}

/**
 * Names in one folder, sorted. Read twice: a file that is replaced by rename while the folder is read may be missing from
 * one reading on some file systems (its old entry is gone, the new one is behind the reader).
 */
async function readEntries(client: SftpClient, pathOf: PathOf, folder: string): Promise<Entry[]> {
  const prefix = folder === "" ? "" : `${folder}/`;
  const entries = new Map<string, Entry>();
  for (let reading = 0; reading < 2; reading++) {
    for (const { name, attributes } of await readFolderIfThere(client, pathOf(folder))) {
      const key = prefix + name;
      if (!isObjectKey(key)) continue;
      const known = isComplete(attributes) ? attributes : await statIfThere(client, pathOf(key));
      if (known?.type === "folder") entries.set(name, { name: `${name}/`, info: undefined });
      else if (known?.type === "file") entries.set(name, { name, info: objectInfo(key, known) });
    }
  }
  return [...entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function isComplete({ type, sizeBytes, modifiedAtS }: FileAttributes): boolean {
  return type !== undefined && sizeBytes !== undefined && modifiedAtS !== undefined;
}

export function objectInfo(key: string, { sizeBytes, modifiedAtS }: FileAttributes): ObjectInfo {
  if (sizeBytes === undefined || modifiedAtS === undefined) {
    throw new SftpLineError("protocol", "the server does not tell sizes and times of files");
  }
  return { key, sizeBytes, modifiedAtMs: modifiedAtS * 1000 };
}

async function statIfThere(client: SftpClient, path: string): Promise<FileAttributes | undefined> {
  try {
    return await client.stat(path);
  } catch (error) {
    if (hasStatus(error, STATUS.noSuchFile)) return undefined;
    throw error;
  }
}

async function readFolderIfThere(client: SftpClient, path: string): Promise<NamedAttributes[]> {
  try {
    return await readFolder(client, path);
  } catch (error) {
    if (hasStatus(error, STATUS.noSuchFile)) return [];
    throw error;
  }
}

/** Every name in a folder, `.` and `..` too, in the server's order. */
export async function readFolder(client: SftpClient, path: string): Promise<NamedAttributes[]> {
  const handle = await client.openFolder(path);
  const names: NamedAttributes[] = [];
  let ended = false;
  const lane = async () => {
    while (!ended) {
      const some = await client.readFolder(handle);
      if (some === undefined || some.length === 0) ended = true;
      else names.push(...some);
      if (names.length > MAX_NAMES) throw new SftpLineError("protocol", `a folder with more than ${MAX_NAMES} names`);
    }
  };
  const settled = await Promise.allSettled(Array.from({ length: NAME_REQUESTS }, lane));
  await client.close(handle).catch(() => undefined);
  const broken = settled.find((result) => result.status === "rejected");
  if (broken !== undefined) throw broken.reason;
  return names;
}

// What a thief with the present credentials could do to a storage: tried on canaries, objects of names that nothing else uses, one
// in each folder of a repository. Nothing of the repository itself is touched, the config least of all.

import { isAbort, isOurError } from "../errors.js";
import { folder } from "../format/ids.js";
import type { Backend, OperationOptions } from "../storage/backend.js";

export type Outcome =
  | "allowed"
  | "refused"
  /** Accepted, and the first contents are what everybody reads all the same. */
  | "without-effect"
  /** Neither done nor refused: the storage failed. */
  | "unknown";

export interface FolderTrial {
  /** `packs/`. */
  folder: string;
  /** Who writes here in daily use. */
  owner: "runner" | "keeper";
  create: Outcome;
  overwrite: Outcome;
  delete: Outcome;
}

/** Folders whose objects are written once by backups. */
const RUNNERS = [folder.packs, folder.index, folder.snapshots, folder.records, folder.quarantine];
/** Folders that only the keeper writes to, where there are two roles. */
const KEEPERS = [folder.keys, folder.forgotten, folder.gc];

const CANARY = "canary";
const FIRST = new TextEncoder().encode("A canary of reprise doctor. It may be deleted at any time.\n");
const SECOND = new TextEncoder().encode("A canary of reprise doctor, overwritten. It may be deleted at any time.\n");

/** Tries every folder. What cannot be deleted stays: at most one small object in each folder, however often this is done. */
export async function tryAsThief(backend: Backend, options: OperationOptions): Promise<FolderTrial[]> {
  const trials: FolderTrial[] = [];
  for (const [folders, owner] of [
    [RUNNERS, "runner"],
    [KEEPERS, "keeper"],
  ] as const) {
    for (const name of folders) trials.push({ folder: name, owner, ...(await tryFolder(backend, name, options)) });
  }
  return trials;
}

async function tryFolder(
  backend: Backend,
  name: string,
  options: OperationOptions,
): Promise<Pick<FolderTrial, "create" | "overwrite" | "delete">> {
  const key = name + CANARY;
  const create = await attempt(async () => {
    await backend.putIfAbsent(key, FIRST, options);
    return "allowed";
  });
  const overwrite = await attempt(async () => {
    await backend.put(key, SECOND, options);
    return (await backend.get(key, options)).length === SECOND.length ? "allowed" : "without-effect";
  });
  const deletion = await attempt(async () => {
    await backend.delete(key, options);
    return (await isGone(backend, key, options)) ? "allowed" : "refused";
  });
  return { create, overwrite, delete: deletion };
}

async function attempt(run: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await run();
  } catch (error) {
    if (isAbort(error) || !isOurError(error)) throw error;
    if (error.code === "STORAGE_ACCESS_DENIED" && error.data.accepted === true) return "without-effect";
    return error.code === "STORAGE_ACCESS_DENIED" || error.code === "STORAGE_READ_ONLY" ? "refused" : "unknown";
  }
}

async function isGone(backend: Backend, key: string, options: OperationOptions): Promise<boolean> {
  try {
    await backend.stat(key, options);
    return false;
  } catch (error) {
    if (isOurError(error, "OBJECT_NOT_FOUND")) return true;
    throw error;
  }
}

// The file that a restore writes before it has earned its name: `.<name>.reprise-<key>.partial` beside the final one. The
// key names snapshot and disk, so an interrupted restore finds its own bytes again and never anybody else's.

import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, lstat, open, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { RepriseError } from "../errors.js";
import { claimName } from "../platform/claimName.js";
import { targetExists, targetFailed, writeError } from "./targetErrors.js";

const maxNameBytes = 255;

/** `resumeKey`: 8 to 64 hex digits. */
export function partialPathOf(finalPath: string, resumeKey: string): string {
  if (!/^[0-9a-f]{8,64}$/.test(resumeKey)) {
    throw new RepriseError("invariant", "RESUME_KEY_INVALID", "a resume key is 8 to 64 hex digits", {
      data: { resumeKey },
    });
  }
  const name = basename(finalPath);
  const plain = `.${name}.reprise-${resumeKey}.partial`;
  if (Buffer.byteLength(plain) <= maxNameBytes) return join(dirname(finalPath), plain);
  const digest = createHash("sha256").update(name).digest("hex").slice(0, 16);
  return join(dirname(finalPath), `.${digest}.reprise-${resumeKey}.partial`);
}

export interface PartialFile {
  path: string;
  /** Open for reading and writing; the owner closes it. */
  handle: FileHandle;
  /** False when the file existed before. */
  isNew: boolean;
}

/**
 * Opens or creates the partial file, mode 0600, without following a link. TARGET_UNSAFE when the name is taken by
 * something that is not a file of ours; a file that also has another name is left to that name and replaced here.
 */
export async function openPartial(path: string): Promise<PartialFile> {
  try {
    return await createPartial(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw writeError(path, `create ${path}`, error);
  }
  const stats = await lstat(path).catch(() => undefined);
  if (stats?.isFile() && stats.nlink > 1) {
    await unlink(path).catch(() => undefined);
    return await createPartial(path).catch((error) => Promise.reject(writeError(path, `create ${path}`, error)));
  }
  return await reopenPartial(path);
}

async function createPartial(path: string): Promise<PartialFile> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  return { path, handle: await open(path, flags, 0o600), isNew: true };
}

async function reopenPartial(path: string): Promise<PartialFile> {
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ELOOP" || code === "EISDIR" || code === "ENXIO") throw unsafePartial(path);
    throw writeError(path, `open ${path}`, error);
  }
  const stats = await handle.stat();
  if (stats.isFile() && stats.nlink === 1 && stats.uid === process.getuid!()) return { path, handle, isNew: false };
  await handle.close();
  throw unsafePartial(path);
}

function unsafePartial(path: string): Error {
  return targetFailed("TARGET_UNSAFE", `${path} is a link or belongs to somebody else`, {
    data: { path },
    hint: "look at it, then remove it, or restore into a folder that only you can write",
  });
}

/** TARGET_EXISTS when the final name is taken and `force` does not say that this is wanted. */
export async function checkFinalName(finalPath: string, force: boolean): Promise<void> {
  const stats = await lstat(finalPath).catch(() => undefined);
  if (stats === undefined) return;
  if (!force) throw targetExists(finalPath, "exists already");
  if (stats.isFile() || stats.isSymbolicLink()) return;
  throw targetFailed("TARGET_UNSUPPORTED", `${finalPath} is not a file`, { data: { path: finalPath } });
}

/**
 * Gives the flushed file behind `handle` its final name and makes that durable. Without `force` a name taken in the meantime is never
 * replaced: TARGET_EXISTS, and the partial file stays. A link under the final name is replaced, not followed.
 */
export async function publishPartial(
  handle: FileHandle,
  partialPath: string,
  finalPath: string,
  force: boolean,
): Promise<void> {
  try {
    await checkStillOurs(handle, partialPath);
    if (!force) await claimName(partialPath, finalPath);
    else await rename(partialPath, finalPath);
    await syncFolder(dirname(finalPath));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw targetExists(finalPath, "exists by now");
    throw writeError(finalPath, `give ${finalPath} its name`, error);
  }
}

/** Another run of the same restore may have removed the file or put a new one under its name. */
async function checkStillOurs(handle: FileHandle, partialPath: string): Promise<void> {
  const [ours, named] = await Promise.all([
    handle.stat({ bigint: true }),
    lstat(partialPath, { bigint: true }).catch(() => undefined),
  ]);
  if (named !== undefined && ours.ino === named.ino && ours.dev === named.dev) return;
  const message = `${partialPath} was replaced or removed while it was written`;
  throw targetFailed("TARGET_WRITE_FAILED", message, { data: { path: partialPath }, retry: "later" });
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } catch (error) {
    // Some network file systems cannot flush a folder; the name is as safe there as it gets.
    if ((error as NodeJS.ErrnoException).code !== "EINVAL") throw error;
  } finally {
    await handle.close();
  }
}

/** Removes a partial file; it may be gone already. */
export async function removePartial(path: string): Promise<void> {
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw writeError(path, `remove ${path}`, error);
  });
}

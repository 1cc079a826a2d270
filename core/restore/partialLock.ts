// Sees to it that one restore alone writes a partial file. Both locks end with their process, however that ends: a name in the kernel,
// which counts on this machine, and a lock of the open file itself, which counts wherever its file system reaches.

import { constants } from "node:fs";
import { type FileHandle, lstat, open, statfs, unlink } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { basename, dirname } from "node:path";
import { isOurError } from "../errors.js";
import { runTool } from "../platform/tool.js";
import { openPartial, type PartialFile } from "./partialFile.js";
import { targetFailed, writeError } from "./targetErrors.js";

/** Lets go of what the closing of the file does not. */
type Unlock = () => Promise<void>;

/** How the file is written while it is locked: by us, or by a program that locks ranges of it. */
export type PartialFormat = "raw" | "qcow2";

export interface LockedPartial extends PartialFile {
  /** Closes the file and lets go of it; whatever has to be removed is removed before. */
  release(): Promise<void>;
}

/**
 * What openPartial throws, and TARGET_IN_USE when another restore has the file, or has just given it its final name: then nothing of it
 * is touched. It cannot be cancelled: whoever has no lock cannot remove what it has made.
 */
export async function openLockedPartial(path: string, format: PartialFormat): Promise<LockedPartial> {
  const partial = await openPartial(path);
  const { handle } = partial;
  try {
    const unlock = await lockPartial(handle, path, format);
    // another run may have had it in between, and have left what is worth keeping
    const isNew = partial.isNew && (await handle.stat()).size === 0;
    return { path, handle, isNew, release: () => handle.close().finally(unlock) };
  } catch (error) {
    // without the lock it may be another run's by now, even when we have made it
    await handle.close();
    throw writeError(path, `lock ${path}`, error);
  }
}

async function lockPartial(handle: FileHandle, path: string, format: PartialFormat): Promise<Unlock> {
  const unlock = await lockName(handle, path);
  try {
    const { type } = await statfs(dirname(path));
    if (!locksRanges(type, format)) await lockFile(handle, path);
    const [ours, named] = await Promise.all([
      handle.stat({ bigint: true }),
      lstat(path, { bigint: true }).catch(() => undefined),
    ]);
    if (named === undefined || ours.ino !== named.ino || ours.dev !== named.dev) throw inUse(path);
    return unlock;
  } catch (error) {
    await unlock();
    throw error;
  }
}

/** Of statfs(2). */
const NFS = 0x6969;
const SMB = [0x517b, 0xfe534d42, 0xff534d42];

/**
 * Where a lock of the open file is one of its whole range at the server. With NFS qemu, which locks ranges, could not open its image
 * then (its own lock keeps other machines away), with SMB nobody could write.
 */
export function locksRanges(fileSystemType: number, format: PartialFormat): boolean {
  const type = fileSystemType >>> 0;
  return SMB.includes(type) || (type === NFS && format === "qcow2");
}

const partialName = /^\..*\.reprise-[0-9a-f]{8,64}\.partial$/s;

/** What an unfinished restore has left. Nothing happens to anything else, and to what another restore goes on with by now. */
export async function removeUnfinished(path: string): Promise<boolean> {
  if (!partialName.test(basename(path))) return false;
  const flags = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path, flags).catch(() => undefined);
  if (handle === undefined) return false;
  try {
    if (!(await handle.stat()).isFile()) return false;
    // "raw": with NFS this finds the lock of qemu on another machine, too
    const unlock = await lockPartial(handle, path, "raw");
    await unlink(path).finally(unlock);
    return true;
  } catch (error) {
    if (isOurError(error, "TARGET_IN_USE")) return false;
    throw error;
  } finally {
    await handle.close();
  }
}

export function inUse(path: string): Error {
  const hint = "another restore of the same disk is running; wait for it";
  return targetFailed("TARGET_IN_USE", `${path} is being written`, { data: { path }, hint, retry: "later" });
}

/** The program locks the open file that it shares with us, and the lock stays when it has ended. Without program or locks nothing happens. */
async function lockFile(handle: FileHandle, path: string): Promise<void> {
  try {
    const { exitCode, stderr } = await runTool("flock", ["-x", "-n", "3"], { sharedFile: handle.fd });
    // a lock that another has is not an error of its own, with words to it
    if (exitCode === 1 && stderr === "") throw inUse(path);
  } catch (error) {
    if (!isOurError(error, "TOOL_MISSING")) throw error;
  }
}

/** A name that one process of this machine can have, and that goes with it. Nothing happens on a system without such names. */
async function lockName(handle: FileHandle, path: string): Promise<Unlock> {
  const { dev, ino } = await handle.stat({ bigint: true });
  const server = createServer((socket) => socket.destroy());
  try {
    await listen(server, `\0reprise-partial-${dev}-${ino}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") throw inUse(path);
    return async () => {};
  }
  server.unref();
  return () => new Promise((resolve) => server.close(() => resolve()));
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ path, exclusive: true }, resolve);
  });
}

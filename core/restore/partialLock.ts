// Sees to it that one restore alone writes a partial file. The lock is of the open file itself, so it ends with its process, however
// that ends.

import { constants } from "node:fs";
import { type FileHandle, lstat, open, unlink } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { basename } from "node:path";
import { isOurError } from "../errors.js";
import { runTool } from "../platform/tool.js";
import { targetFailed } from "./targetErrors.js";

/** Lets go of what the closing of the file does not. */
export type Unlock = () => Promise<void>;

/** TARGET_IN_USE when another restore has it, or has just given it its final name. Nothing of the file is touched. */
export async function lockPartial(handle: FileHandle, path: string): Promise<Unlock> {
  const unlock = (await lockFile(handle, path)) ? async () => {} : await lockName(handle, path);
  const [ours, named] = await Promise.all([
    handle.stat({ bigint: true }),
    lstat(path, { bigint: true }).catch(() => undefined),
  ]);
  if (named !== undefined && ours.ino === named.ino && ours.dev === named.dev) return unlock;
  await unlock();
  throw inUse(path);
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
    const unlock = await lockPartial(handle, path);
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

/**
 * The program locks the open file that it shares with us, and the lock stays when it has ended. False: there is no such program, or
 * the file system has no locks.
 */
async function lockFile(handle: FileHandle, path: string): Promise<boolean> {
  try {
    const { exitCode, stderr } = await runTool("flock", ["-x", "-n", "3"], { sharedFile: handle.fd });
    // a lock that another has is not an error of its own, with words to it
    if (exitCode === 1 && stderr === "") throw inUse(path);
    return exitCode === 0;
  } catch (error) {
    if (isOurError(error, "TOOL_MISSING")) return false;
    throw error;
  }
}

/** A name in the kernel that one process of this machine can have, and that goes with it. */
async function lockName(handle: FileHandle, path: string): Promise<Unlock> {
  const { dev, ino } = await handle.stat({ bigint: true });
  const server = createServer((socket) => socket.destroy());
  await listen(server, `\0reprise-partial-${dev}-${ino}`).catch((error: NodeJS.ErrnoException) => {
    throw error.code === "EADDRINUSE" ? inUse(path) : error;
  });
  server.unref();
  return () => new Promise((resolve) => server.close(() => resolve()));
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ path, exclusive: true }, resolve);
  });
}

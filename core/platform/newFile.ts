// Files that appear whole under their name or not at all.

import { randomBytes } from "node:crypto";
import { type FileHandle, lstat, mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isOurError, RepriseError } from "../errors.js";
import { claimName } from "./claimName.js";

/** TARGET_EXISTS when there is something and `force` does not say that it may be replaced. */
export async function checkNewFile(path: string, force: boolean): Promise<void> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined || (force && stats.isFile())) return;
  throw targetExists(path);
}

/** As makeNewFile: a file with these bytes. */
export async function writeNewFile(path: string, bytes: Uint8Array, force: boolean): Promise<void> {
  await makeNewFile(path, force, (handle) => handle.writeFile(bytes));
}

/**
 * The file has its name when `fill` is done and everything is on the medium. TARGET_EXISTS, TARGET_WRITE_FAILED; other errors of
 * `fill` pass. Mode 0600: what it holds may be secret.
 */
export async function makeNewFile(
  path: string,
  force: boolean,
  fill: (handle: FileHandle) => Promise<void>,
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path).slice(0, 200)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    const handle = await open(temporary, "wx", 0o600);
    try {
      await fill(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (force) await rename(temporary, path);
    else await claimName(temporary, path);
  } catch (cause) {
    throw writeFailed(path, cause);
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

/** With its parents; it may be there. TARGET_WRITE_FAILED with the hint. */
export async function makeFolder(path: string, hint: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? "unknown error";
    throw new RepriseError("source", "TARGET_WRITE_FAILED", `the folder ${path} cannot be made (${reason})`, {
      data: { path, errno: reason },
      hint,
      cause,
    });
  }
}

function targetExists(path: string): RepriseError {
  return new RepriseError("source", "TARGET_EXISTS", `${path} exists already`, {
    data: { path },
    hint: "use --force to replace it",
  });
}

function writeFailed(path: string, cause: unknown): unknown {
  const { code: reason, syscall } = cause as NodeJS.ErrnoException;
  if (isOurError(cause) || syscall === undefined) return cause;
  if (reason === "EEXIST") return targetExists(path);
  return new RepriseError("source", "TARGET_WRITE_FAILED", `${path} cannot be written (${reason})`, {
    data: { path, errno: reason },
    cause,
  });
}

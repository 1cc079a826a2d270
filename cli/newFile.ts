// Small files that appear whole under their name or not at all.

import { randomBytes } from "node:crypto";
import { link, lstat, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isOurError, RepriseError } from "../core/index.js";

/** TARGET_EXISTS when there is something and `force` does not say that it may be replaced. */
export async function checkNewFile(path: string, force: boolean): Promise<void> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined || (force && stats.isFile())) return;
  throw targetExists(path);
}

/** TARGET_EXISTS, TARGET_WRITE_FAILED. Mode 0600: a machine's definition may hold secrets. */
export async function writeNewFile(path: string, bytes: Uint8Array, force: boolean): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path).slice(0, 200)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    const handle = await open(temporary, "wx", 0o600);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (force) await rename(temporary, path);
    else await link(temporary, path);
  } catch (cause) {
    throw writeFailed(path, cause);
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

function targetExists(path: string): RepriseError {
  return new RepriseError("source", "TARGET_EXISTS", `${path} exists already`, {
    data: { path },
    hint: "use --force to replace it",
  });
}

function writeFailed(path: string, cause: unknown): unknown {
  if (isOurError(cause)) return cause;
  const reason = (cause as NodeJS.ErrnoException).code ?? "unknown error";
  if (reason === "EEXIST") return targetExists(path);
  return new RepriseError("source", "TARGET_WRITE_FAILED", `${path} cannot be written (${reason})`, {
    data: { path, errno: reason },
    cause,
  });
}

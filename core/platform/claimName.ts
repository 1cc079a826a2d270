// Names that are given only once: to what is finished, and never to replace what somebody else has put there meanwhile.

import { link, lstat, open, rename, rm } from "node:fs/promises";

/** As paths of node:fs: text or bytes. */
type Path = string | Buffer;

const NO_LINKS: ReadonlySet<string | undefined> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/** A file system without hard links, or a file with as many as it takes. */
export function isWithoutLinks(error: unknown): boolean {
  return NO_LINKS.has((error as NodeJS.ErrnoException).code);
}

/**
 * `from` is `to` afterwards, in the same file system. EEXIST of the system when there is something, whoever put it there and when: then,
 * and after any other failure, `from` stays.
 */
export async function claimName(from: Path, to: Path): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!isWithoutLinks(error)) throw error;
    await claimWithoutLinks(from, to);
    return;
  }
  await rm(from, { force: true });
}

/** An empty file of ours claims the name, then the other takes its place. */
async function claimWithoutLinks(from: Path, to: Path): Promise<void> {
  await (await open(to, "wx", 0o600)).close();
  try {
    await rename(from, to);
  } catch (error) {
    await removeIfEmpty(to).catch(() => undefined);
    throw error;
  }
}

/** What somebody else has put there meanwhile stays. */
async function removeIfEmpty(path: Path): Promise<void> {
  if ((await lstat(path)).size === 0) await rm(path);
}

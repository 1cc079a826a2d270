// A folder that is being filled. Where the system has /proc every name is taken relative to an open handle, so that no path is
// walked a second time: neither a link that appears meanwhile nor a path that is too long matters. Names are bytes.

import { randomBytes } from "node:crypto";
import { constants, existsSync, type Stats } from "node:fs";
import { type FileHandle, link, lstat, mkdir, open, rename, rm } from "node:fs/promises";
import { claimName, isWithoutLinks } from "../../platform/claimName.js";

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;
const SLASH = Buffer.from("/");
const HAS_HANDLE_PATHS = existsSync("/proc/self/fd");

export class TargetFolder {
  readonly handle: FileHandle;
  readonly #prefix: Buffer;

  private constructor(handle: FileHandle, path: Buffer) {
    this.handle = handle;
    // not /proc/self: programs that are started with such a path are somebody else
    const base = HAS_HANDLE_PATHS ? Buffer.from(`/proc/${process.pid}/fd/${handle.fd}`) : path;
    this.#prefix = Buffer.concat([base, SLASH]);
  }

  /** The target that a person has named; it may be a link to a folder. */
  static async openTop(path: string): Promise<TargetFolder> {
    return new TargetFolder(await open(path, O_RDONLY | O_DIRECTORY), Buffer.from(path));
  }

  /** A folder inside, never by way of a link (ENOTDIR, ELOOP). */
  async enter(name: Uint8Array): Promise<TargetFolder> {
    const path = this.place(name);
    return new TargetFolder(await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), path);
  }

  /** The folder at the end of `names`; each folder on the way is opened and closed. */
  async walk(names: readonly Uint8Array[]): Promise<TargetFolder> {
    let folder = await this.enter(Buffer.from("."));
    for (const name of names) {
      const above = folder;
      try {
        folder = await above.enter(name);
      } finally {
        await above.close();
      }
    }
    return folder;
  }

  /** A path for one call of the system, valid as long as this folder is open. The name is one component. */
  place(name: Uint8Array): Buffer {
    return Buffer.concat([this.#prefix, name]);
  }

  /** What stands there, a link as a link; null: nothing. */
  async look(name: Uint8Array): Promise<Stats | null> {
    try {
      return await lstat(this.place(name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw error;
    }
  }

  /** For the owner alone until it is finished. */
  async makeFolder(name: Uint8Array): Promise<void> {
    await mkdir(this.place(name), { mode: 0o700 });
  }

  /** A new file under a name of its own, until it is published. */
  async makeFile(): Promise<{ handle: FileHandle; temporary: Uint8Array }> {
    const temporary = temporaryName();
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
    return { handle: await open(this.place(temporary), flags, 0o600), temporary };
  }

  /** A file that was made here, for its mode and times. */
  async openFile(name: Uint8Array): Promise<FileHandle> {
    return await open(this.place(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  }

  /** Another name for a file in `other`; false when the file system takes none. EEXIST unless it is replaced. */
  async linkFrom(other: TargetFolder, first: Uint8Array, name: Uint8Array, replace: boolean): Promise<boolean> {
    const made = replace ? temporaryName() : name;
    try {
      await link(other.place(first), this.place(made));
    } catch (error) {
      if (isWithoutLinks(error)) return false;
      throw error;
    }
    if (replace) await this.publish(made, name, true);
    return true;
  }

  /** Gives what stands under `temporary` its name. EEXIST when there is something, unless it is replaced; EISDIR for a folder. */
  async publish(temporary: Uint8Array, name: Uint8Array, replace: boolean): Promise<void> {
    const [from, to] = [this.place(temporary), this.place(name)];
    if (replace) await rename(from, to);
    else await claimName(from, to);
    // what was linked, and links to what had the name already, are still there
    await rm(from, { force: true });
  }

  async discard(temporary: Uint8Array): Promise<void> {
    await rm(this.place(temporary), { force: true }).catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

export function temporaryName(): Uint8Array {
  return Buffer.from(`.reprise-${randomBytes(8).toString("hex")}.tmp`);
}

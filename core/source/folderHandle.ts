// An open folder of this machine. Names in it are reached through the open folder itself, not through its path: who exchanges
// a folder above for a symbolic link meanwhile leads nobody astray, and paths may be of any length. Where the system has no
// /proc, through the path, and what was opened is compared with what was looked at.

import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
} from "node:fs";
import { join } from "node:path";

const PROC_FOLDER = "/proc/self/fd";
/** Without a change of the time of access where we may ask for that; never through a link; never waiting for a pipe. */
const READ_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
const NO_ACCESS_TIME = constants.O_NOATIME ?? 0;

let procWorks: boolean | undefined;

function hasProc(fd: number): boolean {
  procWorks ??= process.platform === "linux" && canStat(`${PROC_FOLDER}/${fd}/.`);
  return procWorks;
}

function canStat(path: string): boolean {
  try {
    return lstatSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** Errors of the system as they are; nothing here waits for other threads. */
export class FolderHandle {
  readonly stats: BigIntStats;
  readonly #fd: number;
  /** Ends with a slash. */
  readonly #prefix: Buffer;
  /** As other processes see it. */
  readonly #outsidePrefix: Buffer;
  #users = 1;

  private constructor(fd: number, stats: BigIntStats, path: Buffer) {
    this.#fd = fd;
    this.stats = stats;
    const isProc = hasProc(fd);
    this.#prefix = isProc ? Buffer.from(`${PROC_FOLDER}/${fd}/`) : Buffer.concat([path, Buffer.from("/")]);
    this.#outsidePrefix = isProc ? Buffer.from(`/proc/${process.pid}/fd/${fd}/`) : this.#prefix;
  }

  /** The place itself may be a link. */
  static open(path: string): FolderHandle {
    const fd = openSync(join(path, "."), constants.O_RDONLY | (constants.O_DIRECTORY ?? 0));
    return FolderHandle.#of(fd, Buffer.from(path));
  }

  static #of(fd: number, path: Buffer): FolderHandle {
    try {
      return new FolderHandle(fd, fstatSync(fd, { bigint: true }), path);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** In order of their bytes. */
  names(): Buffer[] {
    return readdirSync(this.#prefix, { encoding: "buffer" }).sort(Buffer.compare);
  }

  /** Of the entry itself, also when it is a link. */
  stat(name: Uint8Array): BigIntStats {
    return lstatSync(this.#path(name), { bigint: true });
  }

  readLink(name: Uint8Array): Uint8Array {
    return readlinkSync(this.#path(name), { encoding: "buffer" });
  }

  /** ESTALE when it is another folder than the one that `seen` is of. */
  openFolder(name: Uint8Array, seen: BigIntStats): FolderHandle {
    const fd = openForReading(this.#path(name), constants.O_DIRECTORY ?? 0);
    const folder = FolderHandle.#of(fd, this.#path(name));
    if (isSame(folder.stats, seen)) return folder;
    folder.release();
    throw Object.assign(new Error("another folder is in its place"), { code: "ESTALE" });
  }

  /** The descriptor is the caller's to close. ESTALE when it is another file than the one that `seen` is of. */
  openFile(name: Uint8Array, seen: BigIntStats): { fd: number; stats: BigIntStats } {
    const fd = openForReading(this.#path(name), 0);
    try {
      const stats = fstatSync(fd, { bigint: true });
      if (isSame(stats, seen) && stats.isFile()) return { fd, stats };
      throw Object.assign(new Error("another file is in its place"), { code: "ESTALE" });
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** Valid for other processes while the folder is open. */
  outsidePath(name: Uint8Array): Uint8Array {
    return Buffer.concat([this.#outsidePrefix, name]);
  }

  /** Every user releases once; the last one closes. */
  retain(): this {
    this.#users++;
    return this;
  }

  release(): void {
    if (--this.#users === 0) closeSync(this.#fd);
  }

  #path(name: Uint8Array): Buffer {
    return Buffer.concat([this.#prefix, name]);
  }
}

/** Where other programs find an open file. */
export function descriptorPath(fd: number): string | undefined {
  return procWorks ? `/proc/${process.pid}/fd/${fd}` : undefined;
}

function isSame(a: BigIntStats, b: BigIntStats): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}

/** Only owners may leave the time of access alone. */
function openForReading(path: Buffer, flags: number): number {
  try {
    return openSync(path, READ_FLAGS | NO_ACCESS_TIME | flags);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM" || NO_ACCESS_TIME === 0) throw error;
    return openSync(path, READ_FLAGS | flags);
  }
}

// Gives a finished temporary file its name: replacing what is there (put), or only when the name is free (putIfAbsent),
// and finds out what became of the second when the line broke before the answer.

import { randomBytes } from "node:crypto";
import { RepriseError } from "../../errors.js";
import { parentOf } from "../localFiles.js";
import { hasStatus, isLineError, type SftpClient } from "./sftpClient.js";
import { withDiagnosis } from "./sftpErrors.js";
import type { SftpFiles } from "./sftpFiles.js";
import { STATUS } from "./sftpPacket.js";

export type Created = "created" | "exists";

export class SftpPublisher {
  readonly #files: SftpFiles;
  /** Whether a plain rename leaves an existing file alone; tried once, on servers without hard links. */
  #exclusiveRename: Promise<boolean> | undefined;

  constructor(files: SftpFiles) {
    this.#files = files;
  }

  /** Atomic; replaces what is there where the server has posix-rename@openssh.com. */
  async replace(client: SftpClient, temporary: string, key: string): Promise<void> {
    const path = this.#files.path(key);
    const move = () =>
      client.has("posix-rename@openssh.com") ? client.replace(temporary, path) : client.rename(temporary, path);
    try {
      await this.#inFolder(client, key, move);
    } catch (error) {
      const noReplace = !client.has("posix-rename@openssh.com") && hasStatus(error, STATUS.failure);
      if (noReplace && (await this.#files.statIfThere(client, key)) !== undefined)
        throw this.#cannotReplace(key, error);
      throw await withDiagnosis(error, client, this.#files.root, 0);
    }
  }

  /** Leaves the temporary file where it is, except where a rename made the object of it. */
  async create(client: SftpClient, temporary: string, key: string): Promise<Created> {
    const path = this.#files.path(key);
    const byLink = client.has("hardlink@openssh.com");
    if (!byLink) await this.#requireExclusiveRename(client);
    const make = () => (byLink ? client.link(temporary, path) : client.rename(temporary, path));
    try {
      await this.#inFolder(client, key, make);
      return "created";
    } catch (error) {
      if (isLineError(error)) throw error;
      if ((await this.#files.statIfThere(client, key)) !== undefined) return "exists";
      if (byLink && !(await this.#canLink(client, temporary))) throw this.#unsupported("cannot hold hard links", error);
      throw await withDiagnosis(error, client, this.#files.root, 0);
    }
  }

  /**
   * What became of a create whose answer was lost with the line. Throws `STORAGE_FAILED` (retry later) when that cannot be
   * proven. Nothing is decided by contents: others may write the same.
   */
  async settle(client: SftpClient, temporary: string, key: string, sizeBytes: number): Promise<Created> {
    const left = await this.#statPath(client, temporary);
    if (left === undefined) return await this.#settleMoved(client, key);
    if (left.sizeBytes !== sizeBytes) throw this.#uncertain(key);
    const outcome = await this.create(client, temporary, key);
    if (outcome === "created" || !client.has("hardlink@openssh.com")) return outcome;
    return (await this.#isSameFile(client, temporary, this.#files.path(key))) ? "created" : "exists";
  }

  /** With links our file keeps its temporary name, so somebody removed it; without, nobody but our rename did. */
  async #settleMoved(client: SftpClient, key: string): Promise<Created> {
    const there = await this.#files.statIfThere(client, key);
    if (client.has("hardlink@openssh.com") || there === undefined) throw this.#uncertain(key);
    return "created";
  }

  /**
   * True when both names belong to one file: a random time of last access, set through one, is seen through the other.
   * SFTP shows neither inode numbers nor link counts. Nothing of ours uses that time; the time of change stays.
   */
  async #isSameFile(client: SftpClient, ours: string, other: string): Promise<boolean> {
    const mark = randomBytes(4).readUInt32BE() % 2 ** 31;
    try {
      const { modifiedAtS } = await client.stat(ours);
      if (modifiedAtS === undefined) throw this.#uncertain(other);
      await client.setTimes(ours, mark, modifiedAtS);
      const [a, b] = [await client.stat(ours), await client.stat(other)];
      if (a.accessedAtS !== mark) throw this.#uncertain(other);
      await client.setTimes(ours, modifiedAtS, modifiedAtS);
      return b.accessedAtS === mark;
    } catch (error) {
      if (hasStatus(error, ...Object.values(STATUS))) throw this.#uncertain(other, error);
      throw error;
    }
  }

  /** Runs `act`; once more with folders made anew when one was missing. */
  async #inFolder(client: SftpClient, key: string, act: () => Promise<void>): Promise<void> {
    await this.#files.ensureFolder(client, parentOf(key));
    try {
      await act();
    } catch (error) {
      if (!hasStatus(error, STATUS.noSuchFile)) throw error;
      await this.#files.checkAttached(client);
      this.#files.forgetFolders();
      await this.#files.ensureFolder(client, parentOf(key));
      await act();
    }
  }

  /** Tells a file system without links from a folder that refuses new names. */
  async #canLink(client: SftpClient, temporary: string): Promise<boolean> {
    const second = `${temporary}-link`;
    try {
      await client.link(temporary, second);
    } catch (error) {
      if (isLineError(error)) throw error;
      return false;
    }
    await this.#files.removeTemporary(client, second);
    return true;
  }

  async #requireExclusiveRename(client: SftpClient): Promise<void> {
    this.#exclusiveRename ??= this.#tryExclusiveRename(client).catch((error: unknown) => {
      this.#exclusiveRename = undefined;
      throw error;
    });
    if (!(await this.#exclusiveRename)) throw this.#unsupported("has no hard links, and its rename replaces files");
  }

  async #tryExclusiveRename(client: SftpClient): Promise<boolean> {
    const [from, to] = [this.#files.newTemporaryPath(), this.#files.newTemporaryPath()];
    try {
      for (const path of [from, to]) await this.#files.writeTemporary(client, path, new Uint8Array(1));
      await client.rename(from, to);
      return false;
    } catch (error) {
      if (hasStatus(error, STATUS.failure)) return (await this.#statPath(client, from)) !== undefined;
      throw error;
    } finally {
      for (const path of [from, to]) await this.#files.removeTemporary(client, path);
    }
  }

  async #statPath(client: SftpClient, path: string) {
    try {
      return await client.stat(path);
    } catch (error) {
      if (hasStatus(error, STATUS.noSuchFile)) return undefined;
      throw error;
    }
  }

  #unsupported(why: string, cause?: unknown): RepriseError {
    const { location } = this.#files;
    return new RepriseError("unsupported", "PUT_IF_ABSENT_UNSUPPORTED", `${location} ${why}`, {
      data: { location },
      hint: "use OpenSSH's server and a file system with hard links (ext4, XFS, Btrfs, ZFS, APFS, NTFS, NFS)",
      cause,
    });
  }

  #cannotReplace(key: string, cause: unknown): RepriseError {
    const message = `${this.#files.location} cannot replace ${key}: it has no posix-rename@openssh.com`;
    return new RepriseError("backend", "STORAGE_FAILED", message, {
      data: { key, location: this.#files.location, operation: "put" },
      hint: "use OpenSSH's server, or another one with that extension",
      cause,
    });
  }

  #uncertain(key: string, cause?: unknown): RepriseError {
    const message = `the connection broke, and whether ${key} in ${this.#files.location} was made is unknown`;
    return new RepriseError("backend", "STORAGE_FAILED", message, {
      data: { key, location: this.#files.location, operation: "putIfAbsent" },
      hint: "repeat the command",
      retry: "later",
      cause,
    });
  }
}

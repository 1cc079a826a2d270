// One folder a run: sockets, overlays, the TPM's state, and who owns it. Nothing of a run lies anywhere else, and the
// arguments of every process of the run name it: so a later start finds all that a killed run has left (leftovers.ts).

import { rmSync } from "node:fs";
import { mkdtemp, rename, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hypervisorError } from "./hypervisorErrors.js";
import { identityOf } from "./processIdentity.js";

export const FOLDER_PREFIX = "reprise-run-";
export const OWNER_FILE = "owner.json";

/** A unix socket's path has at most 107 bytes; ours add the folder's name and up to 40 more. */
const MAX_BASE_BYTES = 107 - FOLDER_PREFIX.length - 6 - 2 - 40;
/** Sockets, firmware variables and the first clusters of overlays. */
const MIN_FREE_BYTES = 64 * 1024 * 1024;

export interface RunFolder {
  /** Absolute; mode 0700. */
  readonly path: string;
  /** A path in it; the name is at most 40 bytes. */
  child(name: string): string;
  /** A number that is used once. */
  nextNumber(): number;
  /** With all that is in it. May be called twice. */
  remove(): Promise<void>;
}

/** Where run folders are made: TMPDIR, or /tmp when that path is too long for sockets. */
export function defaultRunBase(): string {
  return Buffer.byteLength(tmpdir()) <= MAX_BASE_BYTES ? tmpdir() : "/tmp";
}

/** RUN_FOLDER_UNUSABLE: no such folder, no right to write, no space, or a path too long for sockets. */
export async function createRunFolder({ base = defaultRunBase() }: { base?: string } = {}): Promise<RunFolder> {
  if (Buffer.byteLength(base) > MAX_BASE_BYTES) throw unusable(base, "its path is too long for unix sockets");
  try {
    const { bavail, bsize } = await statfs(base);
    if (bavail * bsize < MIN_FREE_BYTES) throw unusable(base, "less than 64 MiB are free there");
    const folder = new OwnFolder(await mkdtemp(join(base, FOLDER_PREFIX)));
    const owner = await identityOf(process.pid);
    await writeFile(folder.child("owner.part"), JSON.stringify(owner ?? null), { flush: true });
    await rename(folder.child("owner.part"), folder.child(OWNER_FILE));
    return folder;
  } catch (cause) {
    if (cause instanceof Error && "errno" in cause) throw unusable(base, cause.message, cause);
    throw cause;
  }
}

function unusable(base: string, why: string, cause?: unknown): Error {
  return hypervisorError("RUN_FOLDER_UNUSABLE", `${base} cannot hold the files of a running machine: ${why}`, {
    data: { base },
    hint: "set TMPDIR to a folder with enough free space and a short path",
    cause,
  });
}

class OwnFolder implements RunFolder {
  readonly path: string;
  #lastNumber = 0;

  constructor(path: string) {
    this.path = path;
    liveFolders.add(path);
    if (liveFolders.size === 1) process.on("exit", removeLiveFolders);
  }

  child(name: string): string {
    return join(this.path, name);
  }

  nextNumber(): number {
    return ++this.#lastNumber;
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
    liveFolders.delete(this.path);
    if (liveFolders.size === 0) process.off("exit", removeLiveFolders);
  }
}

const liveFolders = new Set<string>();

function removeLiveFolders(): void {
  for (const path of liveFolders) rmSync(path, { recursive: true, force: true });
}

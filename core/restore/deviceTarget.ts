// An existing block device as restore target. It is overwritten in place, so it must be asked for with force, be large
// enough and not be in use by anything; nothing can be taken back, and what lies behind the image stays as it was.

import { constants } from "node:fs";
import { type FileHandle, open, readdir, readFile, realpath, stat } from "node:fs/promises";
import { blockDeviceBytes, deviceNumbers, sysFolder } from "../platform/blockDevice.js";
import type { RestoreTarget } from "./blockTarget.js";
import { targetExists, targetFailed, writeError } from "./targetErrors.js";

export interface DeviceTargetOptions {
  path: string;
  sizeBytes: number;
  force: boolean;
}

/** TARGET_EXISTS without force, TARGET_TOO_SMALL, TARGET_IN_USE, TARGET_READ_ONLY. */
export async function createDeviceTarget(options: DeviceTargetOptions): Promise<RestoreTarget> {
  const { path, sizeBytes, force } = options;
  if (!force) throw targetExists(path, "is a block device");
  const devicePath = await realpath(path);
  const { rdev } = await stat(devicePath, { bigint: true });
  const deviceBytes = await blockDeviceBytes(devicePath, rdev);
  if (deviceBytes < sizeBytes) {
    const data = { path, deviceBytes, sizeBytes };
    throw targetFailed("TARGET_TOO_SMALL", `${path} is smaller than the image`, { data });
  }
  // The kernel lets a read-only device be opened for writing and only then refuses the writes.
  if ((await readLine(`${sysFolder(rdev)}/ro`)) === "1") {
    throw targetFailed("TARGET_READ_ONLY", `${path} is a read-only device`, { data: { path } });
  }
  const user = await findUser(rdev);
  if (user !== undefined) throw inUse(path, user);
  return new DeviceTarget(await openExclusively(devicePath, path), devicePath, path);
}

/** On Linux O_EXCL claims a device as mounting it does, and fails when anybody else has: no race with mount. */
async function openExclusively(devicePath: string, path: string): Promise<FileHandle> {
  try {
    return await open(devicePath, constants.O_RDWR | constants.O_EXCL);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EBUSY") throw inUse(path, "the system");
    throw writeError(path, `open ${path}`, error);
  }
}

function inUse(path: string, user: string): Error {
  return targetFailed("TARGET_IN_USE", `${path} is in use by ${user}`, {
    data: { path, user },
    hint: "unmount it or release it first, or choose another device",
  });
}

/** Who uses the device or one of its partitions: a mount point, swap, or a device on top. */
async function findUser(rdev: bigint): Promise<string | undefined> {
  const folders = [sysFolder(rdev), ...(await partitionFolders(rdev))];
  const numbers = new Set(await Promise.all(folders.map(deviceOfFolder)));
  numbers.add(deviceNumbers(rdev));
  return (await findMount(numbers)) ?? (await findSwap(numbers)) ?? (await findHolder(folders));
}

async function partitionFolders(rdev: bigint): Promise<string[]> {
  const folder = sysFolder(rdev);
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const children = entries.filter((entry) => entry.isDirectory()).map((entry) => `${folder}/${entry.name}`);
  const isPartition = await Promise.all(children.map(async (child) => (await readLine(`${child}/partition`)) !== ""));
  return children.filter((_, index) => isPartition[index]);
}

async function deviceOfFolder(folder: string): Promise<string> {
  return await readLine(`${folder}/dev`);
}

/** Lines of proc(5) mountinfo: id, parent, major:minor, root, mount point … - type, source, options. */
async function findMount(numbers: ReadonlySet<string>): Promise<string | undefined> {
  const lines = (await readText("/proc/self/mountinfo")).split("\n");
  for (const line of lines) {
    const fields = line.split(" ");
    const source = fields[fields.indexOf("-") + 2] ?? "";
    const mounted = numbers.has(fields[2] ?? "") || (await leadsTo(source, numbers));
    if (mounted) return `the mount at ${fields[4]}`;
  }
  return undefined;
}

async function findSwap(numbers: ReadonlySet<string>): Promise<string | undefined> {
  const lines = (await readText("/proc/swaps")).split("\n").slice(1);
  for (const line of lines) {
    if (await leadsTo(line.split(/\s/)[0] ?? "", numbers)) return "the system as swap";
  }
  return undefined;
}

async function findHolder(folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const [holder] = await readdir(`${folder}/holders`).catch(() => []);
    if (holder !== undefined) return `the device ${holder}`;
  }
  return undefined;
}

async function leadsTo(path: string, numbers: ReadonlySet<string>): Promise<boolean> {
  if (!path.startsWith("/dev/")) return false;
  const stats = await stat(path, { bigint: true }).catch(() => undefined);
  return stats?.isBlockDevice() === true && numbers.has(deviceNumbers(stats.rdev));
}

async function readText(path: string): Promise<string> {
  return await readFile(path, "utf8").catch(() => "");
}

async function readLine(path: string): Promise<string> {
  return (await readText(path)).trim();
}

class DeviceTarget implements RestoreTarget {
  readonly location: { kind: "file"; path: string };
  readonly finalPath: string;
  readonly resumed = false;
  readonly startsZeroed = false;
  /** Held to the end: it keeps others from mounting the device under our hands. */
  readonly #handle: FileHandle;

  constructor(handle: FileHandle, devicePath: string, path: string) {
    this.#handle = handle;
    this.location = { kind: "file", path: devicePath };
    this.finalPath = path;
  }

  async publish({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted();
    try {
      await this.#handle.sync();
    } catch (error) {
      throw writeError(this.finalPath, `flush ${this.finalPath}`, error);
    }
    await this.#handle.close();
  }

  /** What was written stays, whatever `keep` says. */
  async discard(): Promise<void> {
    await this.#handle.close();
  }
}

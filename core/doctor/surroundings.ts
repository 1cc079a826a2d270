// What a repository needs around it: the local cache, programs of the operating system, a clock.

import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isAbort, isOurError } from "../errors.js";
import { folder } from "../format/ids.js";
import { debianPackageOf, findTool, runTool, type ToolName } from "../platform/tool.js";
import type { Backend, OperationOptions } from "../storage/backend.js";

export interface CacheState {
  folder: string;
  sizeBytes: number;
  files: number;
  writable: boolean;
}

export interface ToolState {
  name: string;
  /** Null: not installed. */
  path: string | null;
  /** First line of what it says about itself; null when it says nothing useful. */
  version: string | null;
  debianPackage: string | null;
  /** What cannot be done without it. */
  neededFor: string;
}

const TOOLS: readonly { name: ToolName; versionArgs?: readonly string[]; neededFor: string }[] = [
  { name: "qemu-img", versionArgs: ["--version"], neededFor: "images other than raw" },
  { name: "qemu-nbd", versionArgs: ["--version"], neededFor: "images other than raw" },
  { name: "ssh", versionArgs: ["-V"], neededFor: "SFTP over the system's ssh" },
  { name: "blockdev", versionArgs: ["--version"], neededFor: "block devices" },
];

const MAX_FILES = 1_000_000;

/** A folder that does not exist is empty; whether it can be written to is tried. */
export async function examineCache(cacheFolder: string): Promise<CacheState> {
  const state: CacheState = { folder: cacheFolder, sizeBytes: 0, files: 0, writable: await isWritable(cacheFolder) };
  const entries = await readdir(cacheFolder, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries.slice(0, MAX_FILES)) {
    if (!entry.isFile()) continue;
    state.files++;
    state.sizeBytes += await stat(join(entry.parentPath, entry.name)).then(
      ({ size }) => size,
      () => 0,
    );
  }
  return state;
}

async function isWritable(path: string): Promise<boolean> {
  const file = join(path, `doctor-${randomBytes(8).toString("hex")}`);
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await writeFile(file, "");
    await rm(file);
    return true;
  } catch {
    return false;
  }
}

export async function examineTools(options: { signal?: AbortSignal }): Promise<ToolState[]> {
  const node: ToolState = {
    name: "node",
    path: process.execPath,
    version: process.version,
    debianPackage: null,
    neededFor: "everything",
  };
  const tools = TOOLS.map(async ({ name, versionArgs, neededFor }): Promise<ToolState> => {
    const path = (await findTool(name)) ?? null;
    const version = path === null || versionArgs === undefined ? null : await versionOf(name, versionArgs, options);
    return { name, path, version, debianPackage: debianPackageOf(name), neededFor };
  });
  return [node, ...(await Promise.all(tools))];
}

async function versionOf(
  name: ToolName,
  args: readonly string[],
  options: { signal?: AbortSignal },
): Promise<string | null> {
  try {
    const { stdout, stderr } = await runTool(name, args, { ...options, timeoutMs: 10_000 });
    return (stdout.trim() || stderr.trim()).split("\n")[0]?.slice(0, 200) || null;
  } catch (error) {
    if (isAbort(error) || !isOurError(error)) throw error;
    return null;
  }
}

/**
 * How far the storage's clock is ahead of this machine's, ms; negative: behind. By an object that is put among the announcements,
 * where runners may write. Right to the second on most storages.
 */
export async function clockOffsetMs(backend: Backend, now: () => number, options: OperationOptions): Promise<number> {
  const key = `${folder.sessions}canary`;
  const before = now();
  await backend.put(key, new Uint8Array(1), options);
  const after = now();
  const { modifiedAtMs } = await backend.stat(key, options);
  await backend.delete(key, options).catch((error: unknown) => {
    if (!isOurError(error)) throw error;
  });
  return Math.round(modifiedAtMs - (before + after) / 2);
}

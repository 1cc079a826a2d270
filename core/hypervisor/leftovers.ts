// What a run leaves behind that was ended by kill -9: a folder, and where the kernel could not be asked to end them with
// us, processes. The next start finds the folder, sees that its owner is gone, ends the processes that name the folder in
// their arguments, and removes it. A folder whose owner lives, or cannot be judged, is not touched.

import { lstat, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { asObject } from "./boundedJson.js";
import { findProcesses, type ProcessIdentity, stateOf } from "./processIdentity.js";
import { defaultRunBase, FOLDER_PREFIX, OWNER_FILE } from "./runFolder.js";

export interface RemovedLeftovers {
  folders: readonly string[];
  processes: readonly number[];
}

/** The kernel cuts program names to 15 characters. `setpriv` is what the others are started with. */
const PROGRAMS = ["qemu-system", "swtpm", "setpriv"];
/** A folder without an owner is one that is being made, unless it is older. */
const OWNERLESS_MS = 10 * 60_000;
const KILL_WAIT_MS = 10_000;
const POLL_MS = 50;

/** Never throws for what it cannot remove: the next start tries again. */
export async function removeLeftovers({ base = defaultRunBase() }: { base?: string } = {}): Promise<RemovedLeftovers> {
  const folders: string[] = [];
  const processes: number[] = [];
  for (const name of await readdir(base).catch(() => [])) {
    const path = join(base, name);
    if (!name.startsWith(FOLDER_PREFIX) || !(await isAbandoned(path))) continue;
    for (const identity of await findProcesses(PROGRAMS, path)) {
      await kill(identity);
      processes.push(identity.pid);
    }
    const removed = await rm(path, { recursive: true, force: true }).then(
      () => true,
      () => false,
    );
    if (removed) folders.push(path);
  }
  return { folders, processes };
}

async function isAbandoned(path: string): Promise<boolean> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined || !stats.isDirectory() || stats.uid !== process.getuid?.()) return false;
  const owner = await ownerOf(path);
  if (owner === undefined) return Date.now() - stats.mtimeMs > OWNERLESS_MS;
  return (await stateOf(owner)) === "gone";
}

async function ownerOf(path: string): Promise<ProcessIdentity | undefined> {
  try {
    const { pid, startTime, bootId, namespace } =
      asObject(JSON.parse(await readFile(join(path, OWNER_FILE), "utf8"))) ?? {};
    if (typeof pid !== "number" || typeof startTime !== "string") return undefined;
    return { pid, startTime, bootId: String(bootId), namespace: String(namespace) };
  } catch {
    return undefined;
  }
}

async function kill(identity: ProcessIdentity): Promise<void> {
  const deadlineMs = performance.now() + KILL_WAIT_MS;
  while ((await stateOf(identity)) === "alive" && performance.now() < deadlineMs) {
    try {
      process.kill(identity.pid, "SIGKILL");
    } catch {
      return;
    }
    await sleep(POLL_MS);
  }
}

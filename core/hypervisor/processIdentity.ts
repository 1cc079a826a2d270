// A process id means little: it is used again. With the time the process was started, the boot of the system and the
// process id namespace it names one process for ever. From /proc (Linux).

import { readdir, readFile, readlink, stat } from "node:fs/promises";

export interface ProcessIdentity {
  pid: number;
  /** Clock ticks since the system was booted, as /proc writes them. */
  startTime: string;
  bootId: string;
  namespace: string;
}

/** Undefined when there is no such process, or it has ended and only waits to be collected. */
export async function identityOf(pid: number): Promise<ProcessIdentity | undefined> {
  const line = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // The name before it, in parentheses, may hold anything; state is field 3, start time field 22 (proc(5)).
  const [state, ...fields] = line.slice(line.lastIndexOf(")") + 2).split(" ");
  const startTime = fields[18];
  if (startTime === undefined || state === "Z" || state === "X") return undefined;
  return { pid, startTime, ...(await surroundings()) };
}

/** Whether the process is still there; `unknown` for one of another process id namespace of this boot. */
export async function stateOf(identity: ProcessIdentity): Promise<"alive" | "gone" | "unknown"> {
  const { bootId, namespace } = await surroundings();
  if (identity.bootId !== bootId) return "gone";
  if (identity.namespace !== namespace) return "unknown";
  const now = await identityOf(identity.pid);
  return now?.startTime === identity.startTime ? "alive" : "gone";
}

async function surroundings(): Promise<{ bootId: string; namespace: string }> {
  const bootId = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "");
  const namespace = await readlink("/proc/self/ns/pid").catch(() => "");
  return { bootId: bootId.trim(), namespace };
}

/** This user's processes whose program name starts with one of the prefixes and that have the text in their arguments. */
export async function findProcesses(prefixes: readonly string[], text: string): Promise<ProcessIdentity[]> {
  const found: ProcessIdentity[] = [];
  for (const name of await readdir("/proc").catch(() => [])) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const folder = `/proc/${pid}`;
    const stats = await stat(folder).catch(() => undefined);
    if (stats === undefined || stats.uid !== process.getuid?.()) continue;
    const program = await readFile(`${folder}/comm`, "utf8").catch(() => "");
    if (!prefixes.some((prefix) => program.startsWith(prefix))) continue;
    const words = await readFile(`${folder}/cmdline`, "utf8").catch(() => "");
    const identity = words.includes(text) ? await identityOf(pid) : undefined;
    if (identity !== undefined) found.push(identity);
  }
  return found;
}

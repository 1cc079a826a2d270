// Asks qemu-img whether the structure of a qcow2 image is sound. It matters before reading too: where a file was cut
// short, qemu reads zeros without a word, and a backup of them would look fine.

import { firstLine, runTool } from "../platform/tool.js";

export interface Qcow2Verdict {
  /** `leaks`: space that nothing refers to, harmless. `unusable`: corrupt, or impossible to check. */
  state: "sound" | "leaks" | "unusable";
  /** What qemu-img said first; empty when sound. */
  message: string;
}

/** Checking reads all tables of the image, 128 MiB for each TiB of data. */
const timeoutMs = 30 * 60_000;

/** TOOL_MISSING or TOOL_FAILED when there is no verdict. */
export async function checkQcow2(path: string, signal?: AbortSignal): Promise<Qcow2Verdict> {
  const { exitCode, stderr } = await runTool("qemu-img", ["check", "-q", "-U", "-f", "qcow2", path], {
    signal,
    timeoutMs,
  });
  const message = firstLine(stderr);
  // Exit codes: qemu-img(1), "check".
  if (exitCode === 0) return { state: "sound", message };
  if (exitCode === 3) return { state: "leaks", message };
  return { state: "unusable", message };
}

/** Frees leaked clusters. Nobody else may have the image open. */
export async function freeLeaks(path: string, signal?: AbortSignal): Promise<void> {
  await runTool("qemu-img", ["check", "-q", "-r", "leaks", "-f", "qcow2", path], { signal, timeoutMs });
}

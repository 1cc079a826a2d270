// A TPM 2.0 in software (swtpm) for one machine, with fresh state: what a guest has sealed to its own TPM stays sealed.

import { access, mkdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { type GuardedProcess, startGuarded } from "./guardedProcess.js";
import { hypervisorError, shown } from "./hypervisorErrors.js";
import { commaSafe } from "./networkArguments.js";
import type { RunFolder } from "./runFolder.js";

const START_MS = 20_000;
const POLL_MS = 20;

/** It ends with the machine. TOOL_MISSING, HYPERVISOR_FAILED with what swtpm said. */
export async function startTpm(
  folder: RunFolder,
  number: number,
  signal?: AbortSignal,
): Promise<{ process: GuardedProcess; socketPath: string }> {
  const state = folder.child(`tpm${number}`);
  const socketPath = folder.child(`tpm${number}.sock`);
  await mkdir(state, { mode: 0o700 });
  const args = ["socket", "--tpm2", "--tpmstate", `dir=${commaSafe(state)}`];
  const control = ["--ctrl", `type=unixio,path=${commaSafe(socketPath)}`, "--terminate"];
  const process = await startGuarded("swtpm", [...args, ...control], folder.path);
  try {
    const deadlineMs = performance.now() + START_MS;
    while (!(await exists(socketPath))) {
      if (process.isGone || performance.now() > deadlineMs) {
        await process.end(0);
        const { lastWords } = await process.ended;
        throw hypervisorError("HYPERVISOR_FAILED", `swtpm did not start: ${shown(lastWords) || "no reason given"}`);
      }
      await sleep(POLL_MS, undefined, { signal });
    }
    return { process, socketPath };
  } catch (error) {
    await process.end(0);
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

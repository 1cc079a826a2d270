// A second process for localProcesses.test.ts: opens the folder of argv[3] and does what argv[2] says.

import * as fsPromises from "node:fs/promises";
import { isOurError } from "../../core/errors.js";
import { openLocalBackend } from "../../core/storage/localBackend.js";
import type { FileCalls } from "../../core/storage/localFiles.js";

const CONTENT_BYTES = 200_000;

const [task, folder, argument] = process.argv.slice(2) as [string, string, string | undefined];
const calls: FileCalls = { ...fsPromises };
const backend = await openLocalBackend(folder, { calls });
const bytes = new Uint8Array(CONTENT_BYTES).fill(process.pid % 251);

async function dieHere(): Promise<never> {
  process.kill(process.pid, "SIGKILL");
  return await new Promise<never>(() => setInterval(() => undefined, 1000)); // until the signal arrives
}

const tasks: Record<string, () => Promise<void>> = {
  async "die-before-rename"() {
    calls.rename = dieHere;
    await backend.put("config", bytes);
  },
  async "die-before-link"() {
    calls.link = dieHere;
    await backend.putIfAbsent("snapshots/s", bytes);
  },
  async "die-after-link"() {
    calls.unlink = dieHere;
    await backend.putIfAbsent("snapshots/s", bytes);
  },
  /** Replaces ten objects over and over, until killed. */
  async overwrite() {
    for (let n = 0; ; n++) {
      await backend.put(`objects/${n % 10}`, new Uint8Array(CONTENT_BYTES + n).fill(n % 251));
      if (n === 0) process.send?.("ready");
    }
  },
  /** Claims numbers 0 to 39; prints those it won. */
  async race() {
    const won: number[] = [];
    const startMs = Number(argument);
    while (Date.now() < startMs) await new Promise((resolve) => setImmediate(resolve));
    for (let n = 0; n < 40; n++) {
      const claim = new TextEncoder().encode(`${process.pid} `.repeat(100 + (process.pid % 50)));
      if ((await backend.putIfAbsent(`claims/${n}`, claim)) === "created") won.push(n);
    }
    process.stdout.write(JSON.stringify(won));
  },
  /** Stores a small and a large object; prints the error codes. */
  async "put-large"() {
    const codes: string[] = [];
    for (const sizeBytes of [1000, 4_000_000]) {
      try {
        await backend.put(`put/${sizeBytes}`, new Uint8Array(sizeBytes));
        codes.push("done");
      } catch (error) {
        codes.push(isOurError(error) ? error.code : String(error));
      }
    }
    process.stdout.write(JSON.stringify(codes));
  },
};

await tasks[task]!();

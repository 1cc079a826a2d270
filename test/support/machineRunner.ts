// A program for tests that kill it: starts a machine and waits for ever. Arguments: disk (raw), base of run folders. Prints one
// line of JSON: the pids of the machine and of its TPM, and the folder.

import { readdir, readFile } from "node:fs/promises";
import { startMachine } from "../../core/hypervisor/machine.js";
import { createRunFolder } from "../../core/hypervisor/runFolder.js";
import { EMULATED, tinyShape } from "./tinyMachine.js";

const [path = "", base = ""] = process.argv.slice(2);
const runFolder = await createRunFolder({ base });
const machine = await startMachine({
  name: "killed",
  shape: tinyShape({ tpm: true }),
  disks: [{ name: "root", way: "file", path, format: "raw" }],
  accelerator: EMULATED,
  network: { mode: "none" },
  runFolder,
});
const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && name !== `${process.pid}`);
const ours: number[] = [];
for (const pid of pids) {
  const words = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  if (words.includes(runFolder.path)) ours.push(Number(pid));
}
process.stdout.write(`${JSON.stringify({ machine: machine.pid, ours, folder: runFolder.path })}\n`);
setInterval(() => {}, 60_000);

// Reprise's own command line, as built, with its defaults.

import { join } from "node:path";
import { projectRoot } from "../disks.js";
import { type Command, execute } from "../measure.js";
import { type BenchTool, passphrase } from "./tool.js";

const program = join(projectRoot, "dist", "cli", "reprise.mjs");

export function repriseCommand(folder: string, args: string[]): Command {
  const env = { REPRISE_PASSPHRASE: passphrase, REPRISE_CACHE_DIR: join(folder, "cache") };
  return { program: process.execPath, args: [program, ...args], env };
}

function repository(folder: string): string {
  return join(folder, "repository");
}

export async function initReprise(folder: string): Promise<void> {
  await execute(repriseCommand(folder, ["init", "-r", repository(folder)]));
}

export function repriseBackup(folder: string, diskPath: string, machine: string): Command {
  const args = ["backup", diskPath, "-r", repository(folder), "--group", `vm/${machine}`, "--json"];
  return { ...repriseCommand(folder, args), flush: folder };
}

export const reprise: BenchTool = {
  name: "reprise",
  async describe() {
    const version = (await execute(repriseCommand("/", ["--version"]))).trim();
    return `reprise ${version}, defaults (encrypted), Node ${process.versions.node}`;
  },
  init: initReprise,
  backup: repriseBackup,
  restore(folder, _diskPath, machine, target) {
    const result = join(target, "disk.raw");
    const args = ["restore", `vm/${machine}@latest`, "-r", repository(folder), "--to", result];
    return { command: { ...repriseCommand(folder, args), flush: target }, result };
  },
  verify: (folder) => repriseCommand(folder, ["verify", "-r", repository(folder), "--read-data", "--json"]),
};

// borg cutting disks into fixed chunks of 4 MiB, as Proxmox Backup Server does, with zstd level 3 and encryption.

import { join } from "node:path";
import { type Command, execute } from "../measure.js";
import { localPlace } from "./place.js";
import { type BenchTool, passphrase } from "./tool.js";

function borgCommand(folder: string, args: string[]): Command {
  const env = {
    BORG_PASSPHRASE: passphrase,
    BORG_REPO: localPlace.location(folder),
    BORG_BASE_DIR: join(folder, "base"),
  };
  return { program: "borg", args, env };
}

/** borg has no "latest of a machine": archives are numbered here. */
const archives = new Map<string, string>();

export const borg: BenchTool = {
  name: "borg",
  place: localPlace,
  async describe() {
    const version = (await execute({ program: "borg", args: ["--version"] })).trim();
    return `${version}, repokey, chunker fixed 4 MiB, zstd 3, --sparse`;
  },
  async init(folder) {
    await execute(borgCommand(folder, ["init", "--encryption", "repokey"]));
  },
  backup(folder, diskPath, machine) {
    const archive = `${machine}-${Date.now()}`;
    archives.set(`${folder}/${machine}`, archive);
    const options = ["--chunker-params", "fixed,4194304", "--compression", "zstd,3", "--sparse"];
    return { ...borgCommand(folder, ["create", ...options, `::${archive}`, diskPath]), flush: folder };
  },
  restore(folder, diskPath, machine, target) {
    const command = borgCommand(folder, ["extract", "--sparse", `::${archives.get(`${folder}/${machine}`)}`]);
    return { command: { ...command, folder: target, flush: target }, result: join(target, diskPath) };
  },
  verify: (folder) => borgCommand(folder, ["check", "--verify-data"]),
};

// restic with its defaults: repository format 2, compression "auto".

import { join } from "node:path";
import { type Command, execute } from "../measure.js";
import { type BenchTool, passphrase } from "./tool.js";

function resticCommand(folder: string, args: string[]): Command {
  const env = {
    RESTIC_PASSWORD: passphrase,
    RESTIC_REPOSITORY: join(folder, "repository"),
    RESTIC_CACHE_DIR: join(folder, "cache"),
  };
  return { program: "restic", args, env };
}

export const restic: BenchTool = {
  name: "restic",
  async describe() {
    const version = (await execute({ program: "restic", args: ["version"] })).trim();
    return `${version.split(" compiled")[0]}, defaults (format 2, compression auto)`;
  },
  async init(folder) {
    await execute(resticCommand(folder, ["init", "--repository-version", "2"]));
  },
  backup(folder, diskPath, machine) {
    return { ...resticCommand(folder, ["backup", "--quiet", "--host", machine, diskPath]), flush: folder };
  },
  restore(folder, diskPath, machine, target) {
    const args = ["restore", "--quiet", "latest", "--host", machine, "--target", target];
    return { command: { ...resticCommand(folder, args), flush: target }, result: join(target, diskPath) };
  },
  verify: (folder) => resticCommand(folder, ["check", "--quiet", "--read-data"]),
};

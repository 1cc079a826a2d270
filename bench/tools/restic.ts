// restic with its defaults: repository format 2, compression "auto"; in a folder and over S3.

import { join } from "node:path";
import { type Command, execute } from "../measure.js";
import { localPlace, type Place, s3Place } from "./place.js";
import { type BenchTool, passphrase } from "./tool.js";

function resticAt(name: string, place: Place): BenchTool {
  const command = (folder: string, args: string[]): Command => {
    const env = {
      ...place.environment(),
      RESTIC_PASSWORD: passphrase,
      RESTIC_REPOSITORY: place.location(folder),
      RESTIC_CACHE_DIR: join(folder, "cache"),
    };
    return { program: "restic", args, env };
  };
  return {
    name,
    place,
    async describe() {
      const version = (await execute({ program: "restic", args: ["version"] })).trim();
      return `${name}: ${version.split(" compiled")[0]}, defaults (format 2, compression auto)`;
    },
    async init(folder) {
      await place.prepare(folder);
      await execute(command(folder, ["init", "--repository-version", "2"]));
    },
    backup(folder, diskPath, machine) {
      return { ...command(folder, ["backup", "--quiet", "--host", machine, diskPath]), flush: folder };
    },
    restore(folder, diskPath, machine, target) {
      const args = ["restore", "--quiet", "latest", "--host", machine, "--target", target];
      return { command: { ...command(folder, args), flush: target }, result: join(target, diskPath) };
    },
    verify: (folder) => command(folder, ["check", "--quiet", "--read-data"]),
  };
}

export const restic = resticAt("restic", localPlace);
export const resticS3 = resticAt("restic-s3", s3Place());

// Reprise's own command line, as built, with its defaults; in a folder and over S3.

import { join } from "node:path";
import type { Traffic } from "../../core/storage/backend.js";
import { projectRoot } from "../disks.js";
import { type Command, execute } from "../measure.js";
import { localPlace, type Place, s3Place } from "./place.js";
import { type BenchTool, passphrase } from "./tool.js";

const program = join(projectRoot, "dist", "cli", "reprise.mjs");

export function repriseCommand(folder: string, args: string[], place: Place = localPlace): Command {
  const env = {
    ...place.environment(),
    REPRISE_PASSPHRASE: passphrase,
    REPRISE_CACHE_DIR: join(folder, "cache"),
    REPRISE_REPOSITORY: place.location(folder),
  };
  return { program: process.execPath, args: [program, ...args], env };
}

export async function initReprise(folder: string, place: Place = localPlace): Promise<void> {
  await place.prepare(folder);
  await execute(repriseCommand(folder, ["init"], place));
}

export function repriseBackup(folder: string, diskPath: string, machine: string, place: Place = localPlace): Command {
  const args = ["backup", diskPath, "--group", `vm/${machine}`, "--json"];
  return { ...repriseCommand(folder, args, place), flush: folder };
}

/** Of `backup --json`: null for a folder. */
export function trafficOf(output: string): Traffic | null {
  return (JSON.parse(output) as { traffic: Traffic | null }).traffic;
}

function repriseAt(name: string, place: Place): BenchTool {
  return {
    name,
    place,
    async describe() {
      const env = { REPRISE_CACHE_DIR: "/" };
      const version = (await execute({ program: process.execPath, args: [program, "--version"], env })).trim();
      return `${name} ${version}, defaults (encrypted), Node ${process.versions.node}`;
    },
    init: (folder) => initReprise(folder, place),
    backup: (folder, diskPath, machine) => repriseBackup(folder, diskPath, machine, place),
    traffic: trafficOf,
    restore(folder, _diskPath, machine, target) {
      const result = join(target, "disk.raw");
      const args = ["restore", `vm/${machine}@latest`, "--to", result];
      return { command: { ...repriseCommand(folder, args, place), flush: target }, result };
    },
    verify: (folder) => repriseCommand(folder, ["verify", "--read-data", "--json"], place),
  };
}

export const reprise = repriseAt("reprise", localPlace);
export const repriseS3 = repriseAt("reprise-s3", s3Place());

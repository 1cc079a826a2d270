// A repository on disk with snapshots of one machine, for the verbs of the command line.

import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { cliJson } from "../cli/runInProcess.js";
import { makeTemporaryFolder, type TemporaryFolder } from "../support/temporaryFolder.js";
import { machineDisks } from "./machineDisk.js";

export interface MachineRepository {
  folder: TemporaryFolder;
  env: Record<string, string>;
  /** Ids of the snapshots: the first state, the first state again, the second state. */
  snapshots: string[];
}

/** `prod:vm/web1` with one disk, sda. */
export async function makeMachineRepository(): Promise<MachineRepository> {
  const folder = await makeTemporaryFolder("machine-repository");
  const env = { REPRISE_REPOSITORY: join(folder.path, "repository") };
  const [first, second] = await machineDisks();
  await cliJson(["init", "--no-encryption", "--average-chunk", "64K"], { env });
  const snapshots: string[] = [];
  const disk = join(folder.path, "sda.img");
  for (const state of [first, first, second]) {
    await copyFile(state, disk);
    const args = ["backup", disk, "--name", "sda", "--group", "vm/web1", "--ns", "prod", "--format", "raw"];
    const { snapshotId } = await cliJson<{ snapshotId: string }>(args, { env });
    snapshots.push(snapshotId);
  }
  return { folder, env, snapshots };
}

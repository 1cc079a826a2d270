// A repository on disk as people have it: encrypted, with a machine of three snapshots and one whose author is hostile.

import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { cliJson } from "../../cli/runInProcess.js";
import { makeHostileDisk } from "../../files/hostileDisk.js";
import { machineDisks } from "../../files/machineDisk.js";
import { makeTemporaryFolder } from "../../support/temporaryFolder.js";

export const SAMPLE_PASSPHRASE = "a walk through the backups";

export interface SampleRepository {
  folder: string;
  location: string;
  repositoryId: string;
  /** Of `prod:vm/web1`, oldest first: the first state of the disk, the same again, the second state. */
  snapshots: readonly [string, string, string];
  /** Of `vm/odd`: one disk, sda, without partitions. */
  odd: string;
  /** Runs a verb of the command line on it. */
  reprise(...args: string[]): Promise<Record<string, unknown>>;
  remove(): Promise<void>;
}

/** `encrypted: false`: nobody has to be asked for a passphrase. */
export async function makeSampleRepository({ encrypted = true } = {}): Promise<SampleRepository> {
  const folder = await makeTemporaryFolder("sample");
  const location = join(folder.path, "repository");
  const env = { REPRISE_REPOSITORY: location, REPRISE_PASSPHRASE: SAMPLE_PASSPHRASE };
  const reprise = (...args: string[]) => cliJson(args, { env });
  const { repositoryId } = await reprise(
    ...["init", "--average-chunk", "64K"],
    ...(encrypted ? [] : ["--no-encryption"]),
  );
  const [first, second] = await machineDisks();
  const disk = join(folder.path, "sda.img");
  const backUp = async (machine: string, ...options: string[]) => {
    const answer = await reprise("backup", disk, "--name", "sda", "--group", machine, "--format", "raw", ...options);
    return String(answer.snapshotId);
  };
  const snapshots: string[] = [];
  for (const state of [first, first, second]) {
    await copyFile(state, disk);
    snapshots.push(await backUp("vm/web1", "--ns", "prod"));
  }
  const odd = await backUpHostile(disk, join(folder.path, "outside"), () => backUp("vm/odd"));
  return {
    ...{ folder: folder.path, location, repositoryId: String(repositoryId), snapshots: snapshots as never, odd },
    ...{ reprise, remove: folder.remove },
  };
}

/** Made elsewhere: some of its links lead to all of this computer, and an editor that has them in its folder searches all of it. */
async function backUpHostile(disk: string, outside: string, backUp: () => Promise<string>): Promise<string> {
  await mkdir(outside);
  const making = await makeTemporaryFolder("hostile");
  try {
    await makeHostileDisk(making.path, disk, outside);
    return await backUp();
  } finally {
    await making.remove();
  }
}

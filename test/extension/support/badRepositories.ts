// Repositories for tests in an editor, each with an id of its own and without passphrase: a damaged one, and one with disks that are too
// much of something, which tests may move away and change.

import { readFile } from "node:fs/promises";
import { machineDisks } from "../../files/machineDisk.js";
import { crowdedDisk } from "./crowdedDisk.js";
import { chunksAt, flipIn } from "./damagedRepository.js";
import { makeSampleRepository, type SampleRepository } from "./sampleRepository.js";
import { startService } from "./startService.js";

/** Of data.bin, which is noise: nothing else is near. */
const MIDDLE = 1_500_000;
const PROBE = 64;

export interface DamagedFacts {
  location: string;
  repositoryId: string;
  /** Of `prod:vm/web1`; /sda/p2/var/lib/data.bin of it cannot be read. */
  snapshot: string;
  /** The chunk that is damaged. */
  chunk: string;
  pack: string;
}

export interface CrowdedFacts {
  location: string;
  repositoryId: string;
  snapshots: readonly [string, string, string];
  odd: string;
  /** Of `vm/crowded`: crowdedDisk.ts. */
  crowded: string;
}

export interface BadRepositories {
  damaged: DamagedFacts;
  crowded: CrowdedFacts;
  remove(): Promise<void>;
}

export async function makeBadRepositories(): Promise<BadRepositories> {
  const made = [
    await makeSampleRepository({ encrypted: false }),
    await makeSampleRepository({ encrypted: false }),
  ] as const;
  const [first, second] = made;
  const remove = async () => void (await Promise.all(made.map((sample) => sample.remove())));
  const disk = ["--name", "sda", "--group", "vm/crowded", "--format", "raw"];
  const { snapshotId } = await second.reprise("backup", await crowdedDisk(), ...disk);
  const { location, repositoryId, snapshots, odd } = second;
  const crowded = { location, repositoryId, snapshots, odd, crowded: String(snapshotId) };
  return { damaged: await damage(first), crowded, remove };
}

async function damage({ location, repositoryId, snapshots }: SampleRepository): Promise<DamagedFacts> {
  const [snapshot] = snapshots;
  const place = await placeOfNoise(location, snapshot);
  const [chunk] = await chunksAt(location, snapshot, place, place + PROBE);
  if (chunk === undefined) throw new Error("no chunk in the middle of data.bin");
  await flipIn(location, chunk);
  return { location, repositoryId, snapshot, chunk: chunk.id, pack: chunk.pack };
}

/** Where on the disk the middle of data.bin is. */
async function placeOfNoise(location: string, snapshot: string): Promise<number> {
  const { client, open } = startService();
  try {
    const { handle: repository } = await open(location, null);
    const wanted = { repository, snapshot, path: "/sda/p2/var/lib/data.bin", offset: MIDDLE, length: PROBE };
    const { bytes } = await client.call("readRange", wanted);
    const [disk] = await machineDisks();
    return (await readFile(disk)).indexOf(bytes);
  } finally {
    await client.close();
  }
}

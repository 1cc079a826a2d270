// The repositories that the editor's bench looks into: ten thousand snapshots of many machines or of one, in a folder or on S3, and
// a folder of 20,000 entries on a disk.

import { existsSync } from "node:fs";
import { cp, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { backUpDisk } from "../../../bench/files/backUpDisk.js";
import { makeDisk } from "../../../bench/files/virtualDisk.js";
import { addSnapshots, makeRepository, makeRepositoryAt, passphrase } from "../../../bench/scale/bigRepository.js";
import { openBackend, openRepository, systemEnvironment } from "../../../core/index.js";

export { passphrase } from "../../../bench/scale/bigRepository.js";

const DISK_BYTES = 512 * 1024 * 1024;
export const MANY_FOLDER = "many";

export interface ScaleSizes {
  snapshots: number;
  machines: number;
  entries: number;
}

/** Made once in the folder of caches, and kept. */
export async function localRepository(cacheFolder: string, { snapshots, machines }: ScaleSizes): Promise<string> {
  const folder = join(cacheFolder, `snapshots-${snapshots}-${machines}`);
  if (existsSync(folder)) return folder;
  const fresh = `${folder}-${process.pid}.new`;
  await rm(fresh, { recursive: true, force: true });
  const repository = await makeRepository(fresh);
  await addSnapshots(repository, snapshots, machines);
  await repository.close();
  await rename(fresh, folder);
  return folder;
}

/** `location` is an empty place on S3; the bucket is there. */
export async function fillRepository(location: string, { snapshots, machines }: ScaleSizes): Promise<void> {
  const repository = await makeRepositoryAt(await openBackend(location, { create: true }));
  await addSnapshots(repository, snapshots, machines);
  await repository.close();
}

/** A backup of a disk with one large folder, into a repository at the location. */
export async function addLargeFolder(location: string, scratch: string, { entries }: ScaleSizes): Promise<void> {
  const [tree, disk] = [join(scratch, "tree"), join(scratch, "disk.raw")];
  await mkdir(join(tree, MANY_FOLDER), { recursive: true });
  for (let i = 0; i < entries; i++)
    await writeFile(
      join(tree, MANY_FOLDER, `message-${String(i).padStart(6, "0")}.eml`),
      i % 10 === 0 ? "Subject\n" : "",
    );
  await makeDisk(disk, DISK_BYTES, tree);
  const onWarning = ({ message }: { message: string }) => console.error(message);
  const repository = await openRepository(await openBackend(location), {
    secret: async () => ({ passphrase }),
    environment: systemEnvironment("0.0.0"),
    cacheFolder: null,
    onWarning,
  });
  try {
    await backUpDisk(repository, disk, "vm/folders", "sda");
  } finally {
    await repository.close();
    await rm(tree, { recursive: true, force: true });
    await rm(disk, { force: true });
  }
}

/** So that what one run adds does not stay for the next. */
export async function copyOf(repository: string, folder: string): Promise<string> {
  const copy = join(folder, "repository");
  await cp(repository, copy, { recursive: true });
  return copy;
}

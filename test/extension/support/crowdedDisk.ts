// An ext4 image with what is too much of something: a folder of 2,000 files, 1,000 folders in each other, a file of 5 GiB, and names that mean
// something to whoever prints them. Made once and kept in .cache/fixtures.

import { createHash } from "node:crypto";
import { mkdir, open, readFile, rename, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fixtureFolder, run, toolEnvironment } from "../../files/machineDisk.js";
import { buildOnce } from "../../support/buildOnce.js";
import { inProject } from "../../support/projectRoot.js";
import { makeTemporaryFolder } from "../../support/temporaryFolder.js";
import { DEPTH, HUGE_BYTES, HUGE_MARKS, MANY, ODD_NAMES } from "./crowdedNumbers.js";

export async function crowdedDisk(): Promise<string> {
  const hash = createHash("sha256");
  for (const name of ["crowdedDisk.ts", "crowdedNumbers.ts"])
    hash.update(await readFile(inProject("test", "extension", "support", name)));
  const path = join(fixtureFolder, `crowded-${hash.digest("hex").slice(0, 16)}.img`);
  await buildOnce(path, () => makeDisk(path));
  return path;
}

async function makeDisk(path: string): Promise<void> {
  await mkdir(fixtureFolder, { recursive: true });
  const folder = await makeTemporaryFolder("crowded");
  const fresh = `${path}.${process.pid}`;
  try {
    await makeTree(folder.path);
    await run("truncate", ["-s", "64M", fresh]);
    const options = ["-q", "-F", "-t", "ext4", "-b", "1024", "-N", "6000", "-O", "^has_journal"];
    await run("mke2fs", [...options, "-d", folder.path, fresh], { env: toolEnvironment });
    await rename(fresh, path);
  } finally {
    await folder.remove();
  }
}

async function makeTree(top: string): Promise<void> {
  for (const name of ["many", "odd", "beside"]) await mkdir(join(top, name));
  await writeFile(join(top, "beside", "sound.txt"), "sound\n");
  for (let i = 0; i < MANY; i++) await writeFile(join(top, "many", `entry-${String(i).padStart(5, "0")}.log`), "");
  await mkdir(join(top, ...Array.from({ length: DEPTH }, () => "d")), { recursive: true });
  await writeFile(join(top, ...Array.from({ length: DEPTH }, () => "d"), "bottom.txt"), "deep\n");
  for (const [i, name] of ODD_NAMES.entries()) await writeFile(join(top, "odd", name), `${i}\n`);
  const handle = await open(join(top, "huge.bin"), "w");
  try {
    for (const [at, text] of HUGE_MARKS) await handle.write(text, at);
  } finally {
    await handle.close();
  }
  await truncate(join(top, "huge.bin"), HUGE_BYTES);
}

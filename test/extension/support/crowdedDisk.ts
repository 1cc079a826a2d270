// An ext4 image with what is too much of something: a folder of 20,000 files, 1,000 folders in each other, a file of 5 GiB, and names that
// mean something to whoever prints them. Made once and kept in .cache/fixtures.

import { createHash } from "node:crypto";
import { mkdir, open, readFile, rename, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fixtureFolder, run, toolEnvironment } from "../../files/machineDisk.js";
import { buildOnce } from "../../support/buildOnce.js";
import { inProject } from "../../support/projectRoot.js";
import { makeTemporaryFolder } from "../../support/temporaryFolder.js";

export const MANY = 20_000;
export const DEPTH = 1000;
export const HUGE_BYTES = 5 * 1024 ** 3;
/** Where huge.bin has these 8 bytes; everything else are holes. */
export const HUGE_MARKS: readonly (readonly [number, string])[] = [
  [0, "BEGIN-00"],
  [3 * 1024 ** 3, "MIDDLE-3"],
  [HUGE_BYTES - 8, "THE-END!"],
];

/** Each is a file that holds its own number in this list. */
export const ODD_NAMES: readonly string[] = [
  "rtl\u202egpj.exe",
  "isolate\u2066x\u2069",
  "zero\u200bwidth",
  "line\nbreak",
  "bell\u0007esc\u001b[31m",
  "[click](command:workbench.action.closeWindow)",
  "![image](https:evil.example?x)",
  "$(alert) icon",
  "**bold** _it_ <b>html",
  "<img src=x onerror=alert(1)>",
  "$(touch owned);`id`|&",
  "quote'\"quote",
  "-rf",
  "~",
  "back\\slash",
  "percent%2e%2e%2f",
  "query?part=0-1",
  "hash#fragment",
  "colon:name",
  " ",
  "...",
  "CON",
  "trailing. ",
  "Case",
  "case",
  "caf\u00e9",
  "cafe\u0301",
  "l".repeat(255),
];

export async function crowdedDisk(): Promise<string> {
  const source = await readFile(inProject("test", "extension", "support", "crowdedDisk.ts"));
  const hash = createHash("sha256").update(source).digest("hex").slice(0, 16);
  const path = join(fixtureFolder, `crowded-${hash}.img`);
  await buildOnce(path, () => makeDisk(path));
  return path;
}

async function makeDisk(path: string): Promise<void> {
  await mkdir(fixtureFolder, { recursive: true });
  const folder = await makeTemporaryFolder("crowded");
  const fresh = `${path}.${process.pid}`;
  try {
    await makeTree(folder.path);
    await run("truncate", ["-s", "96M", fresh]);
    const options = ["-q", "-F", "-t", "ext4", "-b", "1024", "-N", "24000", "-O", "^has_journal"];
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

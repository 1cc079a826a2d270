// Two states of a small disk (GPT, FAT and ext4), made once and kept in .cache/fixtures.

import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, rename, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { buildOnce } from "../support/buildOnce.js";
import { inProject } from "../support/projectRoot.js";
import { makeTemporaryFolder } from "../support/temporaryFolder.js";

export const run = promisify(execFile);
export const fixtureFolder = inProject(".cache", "fixtures");
export const toolEnvironment = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

const script = inProject("test", "fixtures", "makeMachineDisk.sh");

/** What is in the first state, by path; the second one is described in the script. */
export const TEXTS: Record<string, string> = {
  "etc/hostname": "web1\n",
  "etc/nginx/nginx.conf": "worker_processes 2;\nuser www;\nlog on;\n",
  "etc/nginx/sites/default": "server {}\n",
  "etc/removed.conf": "gone tomorrow\n",
  "etc/mode.conf": "the same\n",
  "etc/becomes-link": "a file\n",
};
export const SPARSE_BYTES = 8 * 1024 * 1024 + 123;

/** Paths of both; read them or copy them, all tests share them. */
export async function machineDisks(): Promise<[string, string]> {
  const hash = createHash("sha256");
  for (const source of [script, inProject("test", "files", "machineDisk.ts")]) hash.update(await readFile(source));
  const stem = join(fixtureFolder, `machine-${hash.digest("hex").slice(0, 16)}`);
  const paths: [string, string] = [`${stem}-1.img`, `${stem}-2.img`];
  await buildOnce(paths[1], () => makeDisks(stem));
  return paths;
}

async function makeDisks(stem: string): Promise<void> {
  await mkdir(fixtureFolder, { recursive: true });
  const folder = await makeTemporaryFolder("machine");
  const fresh = `${stem}.${process.pid}`;
  try {
    await makeTree(folder.path);
    await run(script, [folder.path, fresh], { env: toolEnvironment });
    for (const state of [1, 2]) await rename(`${fresh}-${state}.img`, `${stem}-${state}.img`);
  } finally {
    await folder.remove();
  }
}

async function makeTree(top: string): Promise<void> {
  for (const path of ["etc/nginx/sites", "var/lib", "home/old"]) await mkdir(join(top, path), { recursive: true });
  for (const [path, text] of Object.entries(TEXTS)) await writeFile(join(top, path), text);
  await writeFile(join(top, "var/lib/data.bin"), randomBytes(3_000_000));
  await link(join(top, "var/lib/data.bin"), join(top, "var/lib/same.bin"));
  await makeSparse(join(top, "var/lib/sparse.bin"));
  await symlink("../nginx/sites/default", join(top, "etc/nginx/current"));
  await symlink("/etc/nginx", join(top, "web"));
  await symlink("/nowhere/at/all", join(top, "broken"));
  await writeFile(Buffer.from(join(top, "home/old/bad-\xff\x01"), "latin1"), "odd name\n");
  await writeFile(join(top, "home/old/ü \\x41.txt"), "spaced\n");
  const time = new Date("2026-01-02T03:04:05Z");
  await utimes(join(top, "etc/hostname"), time, time);
}

async function makeSparse(path: string): Promise<void> {
  const handle = await open(path, "w");
  try {
    await handle.write(Buffer.alloc(4096, "s"), 0, 4096, 1024 * 1024);
  } finally {
    await handle.close();
  }
  await truncate(path, SPARSE_BYTES);
}

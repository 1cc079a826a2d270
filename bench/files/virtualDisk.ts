// Disks that are looked into: one of 100 GiB, nearly all of it holes, with a folder of 20,000 entries and a file of 100 MiB,
// and the same disk a day later; and a small one for a history of many snapshots. Made once, kept in .cache/bench.

import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, open, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "../disks.js";
import { execute } from "../measure.js";

export interface VirtualDiskSizes {
  diskBytes: number;
  largeFileBytes: number;
  manyEntries: number;
}

export interface VirtualDisks {
  firstDay: string;
  secondDay: string;
}

/** Of the only partition. */
const PARTITION_START = 1024 * 1024;

const BLOCK_BYTES = 4096;
const DATABASE_BYTES = 16 << 20;
const OVERWRITTEN_PARTS = 4;
const PART_BYTES = 256 << 10;
const ADDED_BYTES = 4 << 20;
/** Of files, between the two days; what the file system itself wrote comes on top. */
export const changedBytes = ADDED_BYTES + OVERWRITTEN_PARTS * PART_BYTES;

const databasePath = "/data/database.bin";
export const largeFilePath = "/data/large.bin";
export const manyEntriesPath = "/many";
export const smallFilePath = "/etc/hostname";

export async function virtualDisks(sizes: VirtualDiskSizes): Promise<VirtualDisks> {
  const stem = join(cacheFolder, `files-${sizes.diskBytes}-${sizes.largeFileBytes}-${sizes.manyEntries}`);
  const disks = { firstDay: `${stem}-1.raw`, secondDay: `${stem}-2.raw` };
  if (existsSync(disks.firstDay) && existsSync(disks.secondDay)) return disks;
  console.log(`building ${disks.firstDay}`);
  await mkdir(cacheFolder, { recursive: true });
  const folder = join(cacheFolder, `tree-${process.pid}`);
  const fresh = `${stem}-${process.pid}.new`;
  try {
    await makeTree(folder, sizes);
    await makeDisk(fresh, sizes.diskBytes, folder);
    await rename(fresh, disks.firstDay);
    await execute({ program: "cp", args: ["--sparse=always", disks.firstDay, fresh] });
    await changeDisk(fresh, folder);
    await rename(fresh, disks.secondDay);
  } finally {
    await rm(fresh, { force: true });
    await rm(folder, { recursive: true, force: true });
  }
  return disks;
}

/** A disk with one ext4 partition that holds the files of `folder`. */
export async function makeDisk(path: string, sizeBytes: number, folder: string): Promise<void> {
  const script = `set -e
    truncate -s "$2" "$1"
    echo 'start=2048, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4' | sfdisk -q --no-reread --no-tell-kernel --label gpt "$1"
    mke2fs -q -F -t ext4 -b 4096 -E "offset=$4,lazy_itable_init=1" -d "$3" "$1" "$5"`;
  // The end of the table takes 33 sectors; partitions begin and end at whole mebibytes.
  const mebibytes = Math.floor(sizeBytes / PARTITION_START) - 2;
  const args = [path, `${sizeBytes}`, folder, `${PARTITION_START}`, `${mebibytes}M`];
  await execute({ program: "bash", args: ["-c", script, "bash", ...args] });
}

/** Writes a file of the host into the partition; its folder is there, itself it is not. */
export async function addFile(diskPath: string, source: string, target: string): Promise<void> {
  const place = `${diskPath}?offset=${PARTITION_START}`;
  await execute({ program: "debugfs", args: ["-w", "-R", `write ${source} ${target}`, place] });
}

/** What `diff` has to find: a new file, and places of a database that were overwritten where they lie. */
async function changeDisk(path: string, scratch: string): Promise<void> {
  const source = join(scratch, "upload.bin");
  await writeFile(source, compressibleBytes(ADDED_BYTES));
  await addFile(path, source, "/data/upload.bin");
  const disk = await open(path, "r+");
  try {
    for (let part = 0; part < OVERWRITTEN_PARTS; part++) {
      const first = part * (DATABASE_BYTES / OVERWRITTEN_PARTS / BLOCK_BYTES);
      const place = await blockOf(path, databasePath, first);
      if (
        (await blockOf(path, databasePath, first + PART_BYTES / BLOCK_BYTES - 1)) !==
        place + PART_BYTES / BLOCK_BYTES - 1
      )
        throw new Error(`${databasePath} does not lie together on ${path}`);
      await disk.write(compressibleBytes(PART_BYTES), 0, PART_BYTES, PARTITION_START + place * BLOCK_BYTES);
    }
  } finally {
    await disk.close();
  }
}

/** Where a block of a file lies in the partition. */
async function blockOf(diskPath: string, file: string, block: number): Promise<number> {
  const place = `${diskPath}?offset=${PARTITION_START}`;
  const answer = await execute({ program: "debugfs", args: ["-R", `bmap ${file} ${block}`, place] });
  return Number(answer.trim().split("\n").at(-1));
}

async function makeTree(folder: string, { largeFileBytes, manyEntries }: VirtualDiskSizes): Promise<void> {
  for (const name of ["etc/nginx", "data", "many", "home", "var/log", "usr/share"])
    await mkdir(join(folder, name), { recursive: true });
  await writeFile(join(folder, "etc/hostname"), "web1\n");
  await writeFile(join(folder, "etc/nginx/nginx.conf"), "worker_processes 2;\n".repeat(50));
  await writeFile(join(folder, "data/large.bin"), compressibleBytes(largeFileBytes));
  await writeFile(join(folder, databasePath), compressibleBytes(DATABASE_BYTES));
  for (let i = 0; i < manyEntries; i++) {
    const name = `message-${i.toString().padStart(6, "0")}.eml`;
    await writeFile(join(folder, "many", name), i % 10 === 0 ? `Subject: number ${i}\n` : "");
  }
}

/** Half of each block is noise and half repeats: about as compressible as the files of a machine. */
export function compressibleBytes(length: number): Uint8Array {
  const bytes = randomBytes(length);
  const line = Buffer.from("2026-11-22T00:00:00Z web1 nginx: GET /index.html 200\n");
  for (let at = 0; at + 4096 <= length; at += 4096) bytes.fill(line, at, at + 2048);
  return bytes;
}

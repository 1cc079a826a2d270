// An ext file system at work: mounted, with a program that makes, changes, moves and deletes; and copies of its image at
// one instant, journal and all.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { mount, unmount } from "../../support/loopDevice.js";

export interface LiveOptions {
  folder: string;
  /** For mke2fs, without the image. */
  make: string[];
  mountOptions: string;
  /** How many turns of the work are done before the copy is made; 25 unless told. */
  turns?: number;
}

/** Directories come and go (revoked blocks), files begin with the journal's magic (escaped when data is logged). */
const work = `
cd "$1"
for i in $(seq 1 100000); do
  d=dir-$((i % 7))
  rm -rf "$d"; mkdir -p "$d/a/b/c"
  for j in 1 2 3 4 5 6 7 8; do
    printf '\\xc0\\x3b\\x39\\x98 turn %d file %d' $i $j > "$d/a/file-$j"
    head -c $((j * 700)) /dev/zero | tr '\\0' "$j" >> "$d/a/b/longer-$j"
  done
  ln "$d/a/file-1" "$d/a/b/hard"; ln -s "../file-$i" "$d/a/b/c/link"
  mv "$d/a/b/longer-3" "$d/moved-$i"; rm "$d/a/file-2"
  echo
  [ $((i % 2)) != 0 ] || sync -f .
done`;

/** Answers the path of a copy with transactions in its journal, or null where mounting is not allowed. */
export async function copyOfLiveExt({ folder, make, mountOptions, turns = 25 }: LiveOptions): Promise<string | null> {
  const image = join(folder, "live.img");
  const mounted = join(folder, "live");
  await mkdir(mounted, { recursive: true });
  execFileSync("truncate", ["-s", "24M", image]);
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  execFileSync("mke2fs", ["-q", "-F", ...make, image], { env, stdio: "ignore" });
  if (!mount("-o", `loop,${mountOptions}`, image, mounted)) return null;
  // in a process group of its own, so that its children stop with it
  const worker = spawn("bash", ["-c", work, "work", mounted], {
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  try {
    await turnsOf(worker, turns);
    return await copyAtOneInstant(image, worker);
  } finally {
    const ended = new Promise((resolve) => worker.once("exit", resolve));
    process.kill(-(worker.pid as number), "SIGKILL");
    await ended;
    unmount(mounted);
    await rm(image);
  }
}

/** A line is a turn; and a second, after which the kernel has written to the journal at least once. */
async function turnsOf(worker: ChildProcess, turns: number): Promise<void> {
  let done = 0;
  worker.stdout?.on("data", (bytes: Uint8Array) => {
    done += bytes.length;
  });
  await sleep(1200);
  while (done < turns && worker.exitCode === null) await sleep(20);
}

/** The worker stands still, and two readings of the image have to be equal: the kernel might be writing back. */
async function copyAtOneInstant(image: string, worker: ChildProcess): Promise<string> {
  process.kill(-(worker.pid as number), "SIGSTOP");
  const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
  for (let attempt = 0; attempt < 50; attempt++) {
    const first = await readFile(image);
    const second = await readFile(image);
    if (digest(first) !== digest(second)) continue;
    const copy = `${image}.copy`;
    await writeFile(copy, first);
    return copy;
  }
  throw new Error("the image never stood still");
}

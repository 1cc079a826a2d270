// The disk that campaigns back up: a tiny bootable guest where its tools are installed, else a seeded sparse image of the
// same size; and what a day does to it.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { copyTinyGuest } from "../fixtures/guests.js";
import { noise, prose } from "../support/sampleBytes.js";
import type { Chance } from "./campaign.js";

const SIZE_BYTES = 192 * 2 ** 20;

export async function makeCampaignDisk(path: string, seed: number): Promise<void> {
  try {
    await copyTinyGuest(path, { sizeMib: SIZE_BYTES / 2 ** 20 });
  } catch (error) {
    console.log(`no tiny guest (${String((error as Error).message).split("\n")[0]}): a sparse image instead`);
    execFileSync("rm", ["-f", path]);
    await makeSparseDisk(path, seed);
  }
}

async function makeSparseDisk(path: string, seed: number): Promise<void> {
  const file = await open(path, "wx");
  await file.truncate(SIZE_BYTES);
  for (let i = 0; i < 30; i++) {
    const make = i % 2 === 0 ? noise : prose;
    await file.write(make(seed + i, 2 ** 20), 0, 2 ** 20, i * 6 * 2 ** 20 + 4096 * i);
  }
  await file.close();
}

/** Writes in a dozen places: new data, text, zeros, a piece moved elsewhere. About half a MiB. */
export async function changeDisk(path: string, chance: Chance): Promise<void> {
  const file = await open(path, "r+");
  const { size } = await file.stat();
  for (let i = 0; i < 12; i++) {
    const length = 512 + chance.below(90_000);
    const offset = chance.below(size - length);
    const kind = chance.below(4);
    const bytes = new Uint8Array(length);
    if (kind === 0) bytes.set(noise(chance.below(2 ** 31), length));
    if (kind === 1) bytes.set(prose(chance.below(2 ** 31), length));
    if (kind === 2) await file.read(bytes, 0, length, chance.below(size - length));
    await file.write(bytes, 0, length, offset);
  }
  await file.close();
}

export async function digestOfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const part of createReadStream(path, { highWaterMark: 4 * 2 ** 20 })) hash.update(part as Uint8Array);
  return hash.digest("hex");
}

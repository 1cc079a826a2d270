// The three disks that are backed up: a Debian machine, the same machine one day later, and another machine with mostly
// the same software. Built once by test/fixtures/makeDebianDisk.sh and kept in .cache/bench.

import { existsSync } from "node:fs";
import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { execute } from "./measure.js";

export interface BenchDisks {
  shop: string;
  shopNextDay: string;
  billing: string;
}

export const projectRoot = process.cwd();
export const cacheFolder = join(projectRoot, ".cache", "bench");

async function build(path: string, args: string[]): Promise<string> {
  if (existsSync(path)) return path;
  console.log(`building ${path}`);
  await mkdir(cacheFolder, { recursive: true });
  const fresh = `${path}.new`;
  await rm(fresh, { force: true });
  const script = join(projectRoot, "test", "fixtures", "makeDebianDisk.sh");
  await execute({ program: script, args: [fresh, ...args] });
  await execute({ program: "mv", args: [fresh, path] });
  return path;
}

export async function benchDisks(): Promise<BenchDisks> {
  const shop = await build(join(cacheFolder, "shop.raw"), ["--machine", "shop"]);
  const shopNextDay = await build(join(cacheFolder, "shop-next-day.raw"), ["--next-day-of", shop]);
  const billing = await build(join(cacheFolder, "billing.raw"), ["--machine", "billing"]);
  return { shop, shopNextDay, billing };
}

/** The three disks one after the other: three times the size and the data, for the question whether memory grows. */
export async function largeDisk(disks: BenchDisks): Promise<string> {
  const path = join(cacheFolder, "large.raw");
  if (existsSync(path)) return path;
  const fresh = `${path}.new`;
  await rm(fresh, { force: true });
  let offset = 0;
  for (const disk of [disks.shop, disks.shopNextDay, disks.billing]) {
    const placed = [`if=${disk}`, `of=${fresh}`, "bs=4M", `seek=${offset / (4 << 20)}`, "conv=sparse,notrunc"];
    await execute({ program: "dd", args: [...placed, "status=none"] });
    offset += (await stat(disk)).size;
    await execute({ program: "truncate", args: ["-s", String(offset), fresh] });
  }
  await execute({ program: "mv", args: [fresh, path] });
  return path;
}

/** Bytes that the file really occupies. */
export async function usedBytes(path: string): Promise<number> {
  return (await stat(path)).blocks * 512;
}

// Two disks that are physical volumes of one volume group, made once and kept in .cache/fixtures, with what lvs(8) and
// pvs(8) say of them.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, rename } from "node:fs/promises";
import { promisify } from "node:util";
import { buildOnce } from "../../support/buildOnce.js";
import { inProject } from "../../support/projectRoot.js";
import { MemoryDisk } from "./memoryDisk.js";

const run = promisify(execFile);
const script = inProject("test", "fixtures", "makeLvm.sh");
const MAY_NOT = 3;

export interface LvmFixture {
  disks: Record<string, MemoryDisk>;
  /** As lvs(8) tells it. */
  segments: { volume: string; start: number; size: number; stripeBytes: number; places: [string, number][] }[];
  dataStart: Record<string, number>;
}

/** Null where it cannot be made. */
export async function lvmFixture(): Promise<LvmFixture | null> {
  const stem = await lvmStem();
  if (stem === null) return null;
  const rows = async (end: string) =>
    (await readFile(stem + end, "utf8"))
      .trim()
      .split("\n")
      .map((row) => row.trim().split(/\s+/));
  const places = (text = "") =>
    [...text.matchAll(/([ab])\((\d+)\)/g)].map(([, disk, extent]): [string, number] => [disk!, Number(extent)]);
  return {
    disks: {
      a: new MemoryDisk(await readFile(`${stem}-a.img`)),
      b: new MemoryDisk(await readFile(`${stem}-b.img`)),
    },
    segments: (await rows(".segments")).map(([volume, start, size, , stripe, devices]) => {
      return {
        volume: volume!,
        start: Number(start),
        size: Number(size),
        stripeBytes: Number(stripe),
        places: places(devices),
      };
    }),
    dataStart: Object.fromEntries((await rows(".pvs")).map(([disk, start]) => [disk!, Number(start)])),
  };
}

/** What the names of its files begin with. */
async function lvmStem(): Promise<string | null> {
  const version = createHash("sha256")
    .update(await readFile(script))
    .digest("hex")
    .slice(0, 16);
  const stem = inProject(".cache", "fixtures", `lvm-${version}`);
  await mkdir(inProject(".cache", "fixtures"), { recursive: true });
  const fresh = `${stem}.${process.pid}`;
  try {
    await buildOnce(`${stem}.pvs`, async () => {
      await run(script, [fresh], { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` } });
      for (const end of ["-a.img", "-b.img", ".segments", ".pvs"]) await rename(fresh + end, stem + end);
    });
  } catch (error) {
    if ((error as { code?: number }).code === MAY_NOT) return null;
    throw error;
  }
  return stem;
}

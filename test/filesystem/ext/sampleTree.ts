// A folder with one of everything that an ext file system can hold, to make images from. Same bytes every time.

import { execFileSync } from "node:child_process";
import { chmod, link, lutimes, mkdir, open, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { noise } from "../../support/sampleBytes.js";

const MODIFIED_AT = 1_700_000_000;
/** Around what fits into an inode, its attributes, and blocks of several sizes. */
const SIZES = [1, 59, 60, 61, 155, 156, 157, 400, 700, 1023, 1024, 1025, 4095, 4096, 4097, 65537, 1_048_577];
const HOLES = 200;

export interface SampleTreeOptions {
  /** Entries of the folder `many`. */
  many: number;
  /** Devices can be made by root only. */
  devices: boolean;
  /** No file above 64 KiB, and few of them. */
  small?: boolean;
}

export async function makeSampleTree(folder: string, options: SampleTreeOptions): Promise<void> {
  const put = async (path: string, contents: Uint8Array | string) => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), contents);
    await utimes(join(folder, path), MODIFIED_AT, MODIFIED_AT);
  };
  await put("hello.txt", "hello, world\n");
  await put("empty.txt", "");
  await put("names/日本語.txt", "cjk\n");
  await put("names/emoji-\u{1F600}.txt", "astral\n");
  await put("names/e\u0301.txt", "decomposed\n");
  await put(`names/${"n".repeat(251)}.txt`, "longest\n");
  await put(`deep/${Array.from({ length: 24 }, (_, level) => level).join("/")}/bottom.txt`, "bottom\n");
  await put("attrs/tagged.txt", "tagged\n");
  await put("attrs/setuid", "#!/bin/sh\n");
  await chmod(join(folder, "attrs/setuid"), 0o4755);
  await put("Cased/Grüße.TXT", "case\n");
  for (const size of SIZES.filter((bytes) => !options.small || bytes < 5000))
    await put(`sizes/s${size}.bin`, noise(size, size));
  for (let i = 0; i < options.many; i++) await put(`many/file-${String(i).padStart(6, "0")}.dat`, `entry ${i}\n`);
  await mkdir(join(folder, "emptydir"));
  await makeHoles(folder, options.small ? 20 : HOLES);
  await makeLinks(folder, options.devices);
}

async function makeHoles(folder: string, count: number): Promise<void> {
  const holes = await open(join(folder, "holes.bin"), "w");
  for (let i = 0; i < count; i++) await holes.write(noise(i + 1, 4096), 0, 4096, i * 8192);
  await holes.close();
  await truncate(join(folder, "holes.bin"), count * 8192 + 4096 + 123);
  const sparse = await open(join(folder, "sparse.bin"), "w");
  for (const [text, at] of [
    ["start", 0],
    ["middle", 5 * 2 ** 20 + 777],
    ["end", 80 * 2 ** 20 - 3],
  ] as const) {
    await sparse.write(text, at);
  }
  await sparse.close();
}

async function makeLinks(folder: string, devices: boolean): Promise<void> {
  const links = join(folder, "links");
  await mkdir(links);
  await writeFile(join(links, "target.txt"), "link target\n");
  await link(join(links, "target.txt"), join(links, "hard.txt"));
  const targets = { short: "target.txt", long: `${"x/".repeat(60)}long`, verylong: `${"y/".repeat(500)}very-long` };
  for (const length of [58, 59, 60, 61]) Object.assign(targets, { [`l${length}`]: "z".repeat(length) });
  for (const [name, target] of Object.entries(targets)) {
    await symlink(target, join(links, name));
    await lutimes(join(links, name), MODIFIED_AT, MODIFIED_AT);
  }
  execFileSync("mkfifo", [join(links, "fifo")]);
  if (!devices) return;
  execFileSync("mknod", [join(links, "console"), "c", "5", "1"]);
  execFileSync("mknod", [join(links, "large-minor"), "b", "259", "70000"]);
}

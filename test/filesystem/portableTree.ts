// A folder with one of everything that the file systems of Windows can hold, to make images from. Same bytes every time.

import { mkdir, open, truncate, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { noise, prose } from "../support/sampleBytes.js";

const MODIFIED_AT = 1_700_000_000;
const SIZES = [1, 511, 512, 513, 700, 1023, 1024, 1025, 4095, 4096, 4097, 32768, 65535, 65536, 65537];

export interface PortableTreeOptions {
  /** Entries of the folder `many`. */
  many: number;
  /** Of the larger files. */
  largeBytes: number;
  /** With files full of holes, and names that mtools cannot write. */
  rich: boolean;
}

export async function makePortableTree(folder: string, options: PortableTreeOptions): Promise<void> {
  const put = async (path: string, contents: Uint8Array | string) => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), contents);
    await utimes(join(folder, path), MODIFIED_AT, MODIFIED_AT);
  };
  await put("hello.txt", "hello, world\n");
  await put("empty.txt", "");
  await put("UPPER.TXT", "short name\n");
  await put("Mixed Case With Spaces.TXT", "case\n");
  await put("names/héllo wörld.txt", "latin\n");
  await put("names/日本語.txt", "cjk\n");
  await put("names/e\u0301-decomposed.txt", "decomposed\n");
  await put("names/exactly13char", "one part, no end mark\n");
  await put(`${"n".repeat(200)}.txt`, "long name\n");
  await put("deep/1/2/3/4/5/6/7/bottom.txt", "bottom\n");
  for (const size of SIZES) await put(`sizes/s${size}.bin`, noise(size, size));
  for (let i = 0; i < options.many; i++) await put(`many/file-${String(i).padStart(6, "0")}.dat`, `entry ${i}\n`);
  await put("text/prose.txt", prose(1, options.largeBytes));
  await put("text/zeros.bin", new Uint8Array(options.largeBytes));
  await put(
    "text/mixed.bin",
    Buffer.concat([prose(2, 100_000), noise(3, 100_000), new Uint8Array(100_000), prose(4, 9)]),
  );
  await put("turns-a.bin", noise(5, Math.min(options.largeBytes, 64 * 4096)));
  await put("turns-b.bin", noise(6, Math.min(options.largeBytes, 64 * 4096)));
  await mkdir(join(folder, "emptydir"));
  if (!options.rich) return;
  await put("names/emoji-\u{1F600}.txt", "astral\n");
  await put(`names/${"ü".repeat(127)}`, "longest\n".repeat(3));
  await makeHoles(folder);
}

/** Very many runs, and a file that is mostly nothing. */
async function makeHoles(folder: string): Promise<void> {
  const holes = await open(join(folder, "holes.bin"), "w");
  for (let i = 0; i < 1500; i++) await holes.write(noise(i + 1, 4096), 0, 4096, i * 8192);
  await holes.close();
  await truncate(join(folder, "holes.bin"), 1500 * 8192 + 123);
  const sparse = await open(join(folder, "sparse.bin"), "w");
  await sparse.write("start", 0);
  await sparse.write("end", 20 * 2 ** 20 - 3);
  await sparse.close();
  for (const name of ["holes.bin", "sparse.bin"]) await utimes(join(folder, name), MODIFIED_AT, MODIFIED_AT);
}

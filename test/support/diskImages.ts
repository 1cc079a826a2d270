// Disk images for tests, made and described by the real qemu tools.

import { execFile } from "node:child_process";
import { open, readdir, readFile, rm } from "node:fs/promises";
import { promisify } from "node:util";
import { noise } from "./sampleBytes.js";

const run = promisify(execFile);

export type ContainerFormat = "qcow2" | "vmdk" | "vhdx" | "vdi";

/** A sparse raw file of `sizeBytes` with data in some places, decided by the seed; returns its bytes. */
export async function makeSparseRaw(path: string, seed: number, sizeBytes: number): Promise<Uint8Array> {
  const disk = new Uint8Array(sizeBytes);
  const choice = noise(seed, 64);
  const file = await open(path, "wx");
  await file.truncate(sizeBytes);
  for (let island = 0; island < 24; island++) {
    const position = ((choice[island]! << 8) | choice[island + 24]!) / 65536;
    // Some islands on cluster boundaries, some not, some at the very end.
    const start = Math.floor(position * sizeBytes) & (island % 3 === 0 ? ~0xffff : ~0);
    const data = noise(seed + island, 1 + choice[island]! * (island % 5 === 0 ? 1021 : 17)).subarray(
      0,
      sizeBytes - start,
    );
    disk.set(data, start);
    await file.write(data, 0, data.length, start);
  }
  await file.close();
  return disk;
}

export async function convertImage(
  from: string,
  format: ContainerFormat,
  to: string,
  ...options: string[]
): Promise<void> {
  await run("qemu-img", ["convert", "-f", "raw", "-O", format, ...options, from, to]);
}

export async function qemuImg(...args: string[]): Promise<string> {
  return (await run("qemu-img", args)).stdout;
}

export async function qemuIo(path: string, format: string, command: string): Promise<void> {
  await run("qemu-io", ["-f", format, "-c", command, path]);
}

/** The bytes that qemu itself sees in an image. */
export async function contentsByQemu(path: string, format: string): Promise<Uint8Array> {
  const raw = `${path}.flat`;
  await run("qemu-img", ["convert", "-U", "-f", format, "-O", "raw", path, raw]);
  const bytes = await readFile(raw);
  await rm(raw);
  return Uint8Array.from(bytes);
}

/** What `qemu-img map` says, as extents with neighbours of the same kind joined. */
export async function mapByQemu(
  path: string,
  format: string,
): Promise<{ offset: number; length: number; zero: boolean }[]> {
  const entries = JSON.parse(await qemuImg("map", "--output=json", "-U", "-f", format, path)) as {
    start: number;
    length: number;
    zero: boolean;
  }[];
  const extents: { offset: number; length: number; zero: boolean }[] = [];
  for (const { start, length, zero } of entries) {
    const last = extents.at(-1);
    if (last !== undefined && last.zero === zero) last.length += length;
    else extents.push({ offset: start, length, zero });
  }
  return extents;
}

/** Whether a process exists (a zombie counts as gone). */
export async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat !== "" && !/\) [ZX] /.test(stat);
}

/** The process whose command line mentions `text`; throws unless there is exactly one. */
export async function pidOfCommand(text: string): Promise<number> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
  const found = pids.filter((_, index) => commands[index]!.includes(text));
  if (found.length !== 1) throw new Error(`${found.length} processes mention ${text}`);
  return Number(found[0]);
}

// Other programs that read file systems: the kernel, ntfs-3g, exfat-fuse, mtools, GRUB. None of them shares anything with our
// readers. Each answers what it sees as a flat list.

import { execFile, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { type TreeEntry, walkFolder } from "../filesystem/treeWalk.js";
import { attachLoop, detachLoop, mount, unmount } from "../support/loopDevice.js";

export interface OtherView {
  reader: string;
  /** Null: not possible on this machine. */
  entries: TreeEntry[] | null;
  /** All of it, in every detail but attributes; otherwise paths, kinds, sizes and digests, of what is there. */
  complete: boolean;
}

/** `ours`: for readers that can only be asked about single files. */
export type OtherReader = (paths: readonly string[], ours: readonly TreeEntry[]) => Promise<OtherView>;

const run = promisify(execFile);
const environment = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin`, LC_ALL: "C.UTF-8" };

async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "reprise-other-"));
  try {
    return await use(folder);
  } finally {
    await rmdir(folder).catch(() => {});
  }
}

/** Of several devices, with the name of the type. */
export function readByKernel(type?: "btrfs"): OtherReader {
  return (paths) =>
    withFolder(async (folder) => {
      const loops: string[] = [];
      try {
        for (const path of paths) {
          const loop = attachLoop(path);
          if (loop === undefined) return { reader: "kernel", entries: null, complete: true };
          loops.push(loop);
        }
        if (type !== undefined)
          execFileSync("btrfs", ["device", "scan", ...loops], { env: environment, stdio: "ignore" });
        const mounted = mount("-o", "ro", loops[0] as string, folder);
        return { reader: "kernel", entries: mounted ? await walkFolder(folder) : null, complete: true };
      } finally {
        unmount(folder);
        if (type !== undefined)
          execFileSync("btrfs", ["device", "scan", "--forget", ...loops], { env: environment, stdio: "ignore" });
        for (const loop of loops) detachLoop(loop);
      }
    });
}

export const readByNtfs3g: OtherReader = async ([path]) => {
  const entries = await throughFuse("ntfs-3g", ["-o", "ro,no_detach,streams_interface=none"], path as string);
  return { reader: "ntfs-3g", entries, complete: false };
};

export const readByExfatFuse: OtherReader = async ([path]) => {
  const loop = attachLoop(path as string);
  if (loop === undefined) return { reader: "exfat-fuse", entries: null, complete: false };
  try {
    const entries = await throughFuse("mount.exfat-fuse", ["-d", "-o", "ro"], loop);
    return { reader: "exfat-fuse", entries, complete: false };
  } finally {
    detachLoop(loop);
  }
};

/** In the foreground, to know when it has ended. */
function throughFuse(program: string, options: readonly string[], device: string): Promise<TreeEntry[] | null> {
  return withFolder(async (folder) => {
    const server = spawn(program, [...options, device, folder], { env: environment, stdio: "ignore" });
    const ended = new Promise((resolve) => server.on("close", resolve).on("error", resolve));
    try {
      for (let tries = 0; (await readdir(folder)).length === 0; tries++) {
        if (tries === 100) return null;
        await pause(50);
      }
      return await walkFolder(folder);
    } finally {
      unmount(folder);
      await ended;
    }
  });
}

export const readByMtools: OtherReader = async ([path]) => {
  const folder = await mkdtemp(join(tmpdir(), "reprise-mtools-"));
  try {
    await run("mcopy", ["-i", path as string, "-s", "-n", "-m", "::/*", folder], {
      env: { ...environment, MTOOLS_SKIP_CHECK: "1", TZ: "UTC" },
    });
    return { reader: "mtools", entries: await walkFolder(folder), complete: false };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** Of every twentieth file with a name that its command line takes, and of every large one. */
export function readByGrub(type: string): OtherReader {
  return async ([path], ours) => {
    const asked = ours.filter(({ kind, path: name, sizeBytes = 0 }, i) => {
      return kind === "file" && /^[\w./-]+$/.test(name) && (sizeBytes > 60_000 || i % 20 === 0);
    });
    const entries: TreeEntry[] = [];
    const folder = await mkdtemp(join(tmpdir(), "reprise-grub-"));
    try {
      for (const entry of asked) {
        const copy = join(folder, "copy");
        await run("grub-fstest", [path as string, "cp", `(loop0)${entry.path}`, copy], { env: environment });
        const bytes = await readFile(copy);
        const sha256 = createHash("sha256").update(bytes).digest("hex");
        entries.push({ ...entry, sizeBytes: bytes.length, sha256 });
        await rm(copy);
      }
      return { reader: `GRUB's ${type} (${entries.length} files)`, entries, complete: false };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
}

// Writes files into the root file system of a tiny guest's raw disk, as days of use do: with debugfs, without root or mounts.

import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { toolEnvironment } from "../../files/machineDisk.js";
import { makeTemporaryFolder } from "../../support/temporaryFolder.js";

const run = promisify(execFile);
/** Where diskLayout.sh puts the partition. */
const ROOT_OFFSET = 20480 * 512;

export interface GuestFiles {
  /** By absolute path; what is there already is replaced. */
  write?: Readonly<Record<string, string | Uint8Array>>;
  remove?: readonly string[];
  atMs: number;
}

/** Folders that are missing are made. */
export async function changeGuest(disk: string, { write = {}, remove = [], atMs }: GuestFiles): Promise<void> {
  const { path: folder, remove: removeFolder } = await makeTemporaryFolder("guest-files");
  try {
    const commands = [
      ...foldersOf(Object.keys(write)).map((path) => `mkdir ${path}`),
      ...remove.map((path) => `rm ${path}`),
    ];
    for (const [path, contents] of Object.entries(write)) {
      const copy = join(folder, path);
      await mkdir(dirname(copy), { recursive: true });
      await writeFile(copy, contents, { mode: 0o644 });
      commands.push(`rm ${path}`, `write ${copy} ${path}`);
    }
    const script = join(folder, "commands");
    await writeFile(script, commands.join("\n"));
    const env = { ...toolEnvironment, E2FSPROGS_FAKE_TIME: String(Math.floor(atMs / 1000)) };
    const { stderr } = await run("debugfs", ["-w", "-f", script, `${disk}?offset=${ROOT_OFFSET}`], {
      env,
      maxBuffer: 1 << 26,
    });
    // it ends with 0 whatever happens, and complains of folders that are there and files that are not
    const trouble = /^.*(allocate|no space|bad magic|can't open|input\/output).*$/im.exec(stderr);
    if (trouble !== null) throw new Error(`debugfs: ${trouble[0]}`);
  } finally {
    await removeFolder();
  }
}

/** Those above the paths, the outer ones first. */
function foldersOf(paths: readonly string[]): string[] {
  const found = new Set<string>();
  for (const path of paths) {
    const names = path.split("/").slice(1, -1);
    names.forEach((_, i) => void found.add(`/${names.slice(0, i + 1).join("/")}`));
  }
  return [...found];
}

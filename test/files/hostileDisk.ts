// An ext4 image whose author wants out of the folder that it is restored to. Made with debugfs and by changing bytes.

import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run, toolEnvironment } from "./machineDisk.js";

/** Names in the image before → after; of equal length. */
const PATCHES: readonly (readonly [string, string])[] = [
  ["..Zescape", "../escape"],
  ["nulQname", "nul\0name"],
  // a folder under the name of a link that leads outside
  ["linq", "link"],
  // a second file under the name of the first
  ["twin2", "twin1"],
];

/** Writes the image to `path`; its links lead to `outside`. */
export async function makeHostileDisk(folder: string, path: string, outside: string): Promise<void> {
  const top = join(folder, "tree");
  await mkdir(join(top, "d", "linq"), { recursive: true });
  await mkdir(join(top, "loop"));
  await writeFile(join(top, "d", "..Zescape"), "escaped\n");
  await writeFile(join(top, "d", "nulQname"), "nul\n");
  await writeFile(join(top, "d", "good"), "good\n");
  await writeFile(join(top, "d", "control\x1b[2J\nname"), "control\n");
  await writeFile(join(top, "d", "linq", "evil"), "evil\n");
  await writeFile(join(top, "d", "twin1"), "first\n");
  await writeFile(join(top, "d", "twin2"), "second\n");
  await symlink(outside, join(top, "d", "link"));
  await symlink("/etc/passwd", join(top, "d", "passwd"));
  await symlink("round-2", join(top, "round"));
  await symlink("round", join(top, "round-2"));
  await symlink("../../../..", join(top, "above"));
  await writeFile(join(top, "setuid"), "#!/bin/sh\n", { mode: 0o755 });
  await run("truncate", ["-s", "8M", path]);
  const options = ["-q", "-F", "-t", "ext4", "-b", "1024", "-O", "^metadata_csum,^dir_index,^has_journal"];
  await run("mke2fs", [...options, "-d", top, path], { env: toolEnvironment });
  const commands = [
    "mknod zero c 1 5",
    "mknod sda b 8 0",
    "mknod pipe p",
    "mknod /absolute p",
    "sif /setuid mode 0104755",
    "ln /loop /loop/again",
  ];
  for (const command of commands) await run("debugfs", ["-w", "-R", command, path], { env: toolEnvironment });
  await patch(path);
}

async function patch(path: string): Promise<void> {
  const image = await readFile(path);
  for (const [before, after] of PATCHES) {
    const at = image.indexOf(before, 0, "latin1");
    if (at < 0) throw new Error(`no ${before} in the image`);
    image.write(after, at, "latin1");
  }
  await writeFile(path, image);
}

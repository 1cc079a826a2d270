// guestfish (libguestfs) on the plain image file: it starts a small machine, here in software emulation, and mounts the
// file system inside. Reading through the repository would come on top.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../disks.js";
import { type Command, type Cost, execute, measure } from "../measure.js";

export interface GuestfishCost {
  /** The whole command that lists the top of the volume. */
  open: Cost;
  /** By its own clock, without opening. */
  readSeconds: number;
}

export interface Missing {
  missing: string;
}

export async function measureGuestfish(disk: string, file: string): Promise<GuestfishCost | Missing> {
  const setting = await findGuestfish();
  if ("missing" in setting) return setting;
  const command = (...words: string[]): Command => {
    return { program: "guestfish", args: ["--ro", "-a", disk, "-m", "/dev/sda1", ...words], env: setting.env };
  };
  try {
    // The first one builds its small machine and keeps it.
    await execute(command("ls", "/"));
    const open = await measure(command("ls", "/"));
    const [, seconds] =
      /elapsed time: ([\d.]+) s/.exec(await execute(command("time", "download", file, "/dev/null"))) ?? [];
    return { open, readSeconds: Number(seconds) };
  } catch (error) {
    return { missing: `guestfish does not work here: ${(error as Error).message.slice(-500)}` };
  }
}

async function findGuestfish(): Promise<{ env: Record<string, string> } | Missing> {
  try {
    await execute({ program: "guestfish", args: ["--version"] });
  } catch {
    return { missing: "guestfish is not installed (Debian: guestfish)" };
  }
  const kernel = findKernel();
  if (kernel === null) return { missing: "guestfish needs a kernel in /boot (Debian: linux-image-cloud-amd64)" };
  const env = { LIBGUESTFS_BACKEND: "direct", LIBGUESTFS_BACKEND_SETTINGS: "force_tcg", ...kernel };
  return { env };
}

/** Empty: supermin finds one by itself. Else the one that the test machines boot from. */
function findKernel(): Record<string, string> | null {
  const names = (folder: string) => (existsSync(folder) ? readdirSync(folder) : []);
  if (names("/boot").some((name) => name.startsWith("vmlinuz"))) return {};
  for (const kind of ["generic", "cloud"]) {
    const tree = join(projectRoot, ".cache", "guests", `kernel-${kind}`);
    const image = names(join(tree, "boot")).find((name) => name.startsWith("vmlinuz-"));
    if (image === undefined) continue;
    const modules = join(tree, "lib", "modules", image.slice("vmlinuz-".length));
    return { SUPERMIN_KERNEL: join(tree, "boot", image), SUPERMIN_MODULES: modules };
  }
  return null;
}

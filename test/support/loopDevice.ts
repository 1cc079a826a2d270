// Block devices and small file systems for tests, where the user and the kernel allow them.

import { execFileSync } from "node:child_process";

function attempt(program: string, ...args: string[]): string | undefined {
  try {
    return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
}

/** A block device over a file, or undefined where that is not allowed. */
export function attachLoop(path: string): string | undefined {
  return attempt("losetup", "-f", "--show", path);
}

export function detachLoop(device: string): void {
  attempt("losetup", "-d", device);
}

/** Mounts; false where that is not allowed. */
export function mount(...args: string[]): boolean {
  return attempt("mount", ...args) !== undefined;
}

export function unmount(path: string): void {
  attempt("umount", path);
}

// Block devices and small file systems for tests, where the user and the kernel allow them.

import { execFileSync } from "node:child_process";

const TRIES = 4;
const PAUSE_MS = 250;

/** Root tries again: loop devices are taken by other tests at the same moment. */
function attempt(program: string, ...args: string[]): string | undefined {
  for (let tries = process.getuid?.() === 0 ? TRIES : 1; tries > 0; tries--) {
    try {
      return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    } catch {
      if (tries > 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
  return undefined;
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

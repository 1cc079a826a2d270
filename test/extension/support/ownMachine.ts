// A machine for pictures: a folder of the test is /srv there, in a mount namespace of its own, so that what the editor shows looks
// like somebody's server. Where that is not allowed, or /srv has our own files, everything is the same under longer names.

import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join, sep } from "node:path";
import { promisify } from "node:util";
import { inProject } from "../../support/projectRoot.js";

const run = promisify(execFile);
const MOUNTED = "/srv";
const HOST = "ops1";
const SCRIPT = 'mount --bind "$1" "$2" && hostname "$3" && shift 3 && exec "$@"';

export interface OwnMachine {
  /** What the machine sees as /srv. */
  folder: string;
  /** A path below the folder as the machine names it; others stay. */
  inside(path: string): string;
  /** Program and arguments that start something there, in the same process. */
  command(program: string, args: readonly string[]): [string, readonly string[]];
}

export async function makeOwnMachine(parent: string): Promise<OwnMachine> {
  const folder = join(parent, "srv");
  await mkdir(folder);
  const started = ["--mount", "--uts", "sh", "-c", SCRIPT, "sh", folder, MOUNTED, HOST];
  const isOurs = [process.execPath, inProject(), parent].some((path) => path.startsWith(MOUNTED + sep));
  const works = !isOurs && (await run("unshare", [...started, "true"]).then(isDone, () => false));
  if (!works) return { folder, inside: (path) => path, command: (program, args) => [program, args] };
  return {
    folder,
    inside: (path) => (path === folder || path.startsWith(folder + sep) ? MOUNTED + path.slice(folder.length) : path),
    command: (program, args) => ["unshare", [...started, program, ...args]],
  };
}

function isDone(): true {
  return true;
}

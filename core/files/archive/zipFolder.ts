// A folder of a snapshot as a zip stream, for people without tar: files, folders, links, modes and times. The only file that
// knows yazl.

import { Readable } from "node:stream";
import { ZipFile } from "yazl";
import { formatName } from "../../filesystem/nameText.js";
import type { FileNode, MachineTree, TreeNode } from "../machineTree.js";
import { readFile } from "../readFile.js";
import { formatTreePath } from "../treePath.js";
import { type ArchivedNode, type ArchiveOptions, walkForArchive } from "./walkForArchive.js";

/** Entries that wait for their turn; their contents are read then. */
const MAX_WAITING = 64;
const LINK_MODE = 0o120777;
const FILE_MODE = 0o100000;
const FOLDER_MODE = 0o040000;
/** Of files without a time. The times of DOS, which every entry has, begin with 1980 in the local time zone. */
const FIRST_DAY = new Date("1980-01-01T00:00:00Z");
/** The extended timestamp has 32 bits with a sign; yazl, however, ends the process at one before 1970. */
const FIRST_EXTENDED_MS = 0;
const LAST_EXTENDED_MS = 0x7fff_ffff * 1000;
/** The last two seconds that DOS knows: in 2107. */
const LAST_MS = Date.UTC(2107, 11, 31, 23, 59, 58);

/**
 * Holes are compressed like everything else. A file that fails in the middle ends the archive with the error. Times that zip
 * cannot say become the nearest one that it can: 1970 or 2107; after January 2038 they are of two seconds and local.
 */
export async function* zipFolder(
  tree: MachineTree,
  source: TreeNode,
  name: Uint8Array | null,
  options: ArchiveOptions,
): AsyncIterable<Uint8Array> {
  const zip = new ZipFile();
  const output = zip.outputStream as Readable;
  const fail = (error: unknown) => void output.destroy(error as Error);
  zip.on("error", fail);
  const turns = new Turns(fail);
  const adding = addAll(zip, walkForArchive(tree, source, name, options), turns, options);
  adding.catch(fail);
  try {
    for await (const piece of output) yield piece as Uint8Array;
    await adding;
  } finally {
    turns.stop();
  }
}

async function addAll(
  zip: ZipFile,
  nodes: AsyncIterable<ArchivedNode>,
  turns: Turns,
  options: ArchiveOptions,
): Promise<void> {
  const taken = new Set<string>();
  for await (const { names, node } of nodes) {
    const name = names.map(zipName).join("/");
    if (taken.has(name)) {
      options.onSkipped({ path: node === null ? name : formatTreePath(node.path), reason: "its name is taken" });
      continue;
    }
    taken.add(name);
    if (!(await turns.free())) return;
    await addOne(zip, name, node, turns, options);
  }
  zip.end();
}

async function addOne(
  zip: ZipFile,
  name: string,
  node: FileNode | null,
  turns: Turns,
  options: ArchiveOptions,
): Promise<void> {
  if (node === null) return zip.addEmptyDirectory(name);
  const { kind, mode, modifiedAtNs, special, sizeBytes } = node.stat;
  const time = zipTime(modifiedAtNs);
  if (kind === "directory")
    return zip.addEmptyDirectory(name, { ...time, mode: FOLDER_MODE | ((mode ?? 0o755) & 0o777) });
  if (kind === "symlink") {
    const target = Buffer.from(await node.fileSystem.readLink(node.node, options));
    return zip.addBuffer(target, name, { ...time, mode: LINK_MODE, compress: false });
  }
  if (kind !== "file") {
    return options.onSkipped({ path: formatTreePath(node.path), reason: special ?? `a ${kind} has no place in zip` });
  }
  const zipOptions = { ...time, mode: FILE_MODE | ((mode ?? 0o644) & 0o777), size: sizeBytes, compress: sizeBytes > 0 };
  turns.take();
  zip.addReadStreamLazy(name, zipOptions, (done) => {
    const stream = Readable.from(readFile(node, options), { objectMode: false });
    // yazl does not listen, and an error that nobody hears ends the process
    stream.once("error", turns.fail);
    stream.once("close", () => turns.give());
    done(null, stream);
  });
}

/** Exported for its test: what yazl is told of a time. */
export function zipTime(modifiedAtNs: bigint | null): { mtime: Date; forceDosTimestamp: boolean } {
  if (modifiedAtNs === null) return { mtime: FIRST_DAY, forceDosTimestamp: false };
  const ms = Math.min(Math.max(Number(modifiedAtNs / 1_000_000n), FIRST_EXTENDED_MS), LAST_MS);
  return { mtime: new Date(ms), forceDosTimestamp: ms > LAST_EXTENDED_MS };
}

/** How many files have been announced and not yet written. */
class Turns {
  /** Ends the archive with an error of one file. */
  readonly fail: (error: unknown) => void;
  #waiting = 0;
  #isStopped = false;
  #wake: () => void = () => {};

  constructor(fail: (error: unknown) => void) {
    this.fail = fail;
  }

  take(): void {
    this.#waiting++;
  }

  give(): void {
    this.#waiting--;
    this.#wake();
  }

  /** Nobody reads the archive any more. */
  stop(): void {
    this.#isStopped = true;
    this.#wake();
  }

  /** Waits for a place; false when there is nothing more to do. */
  async free(): Promise<boolean> {
    while (this.#waiting >= MAX_WAITING && !this.#isStopped)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    return !this.#isStopped;
  }
}

/** As shown, but with `%NN` for backslashes, which mean folders to some readers, and so for `%` itself: no two names become one. */
export function zipName(name: Uint8Array): string {
  return formatName(name).replace(/%|\\\\|\\x([0-9a-f]{2})/g, (odd, hex: string | undefined) => {
    if (odd === "%") return "%25";
    return hex === undefined ? "%5C" : `%${hex}`;
  });
}

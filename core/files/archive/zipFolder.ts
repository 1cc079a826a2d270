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
/** Zip stores years from 1980. */
const FIRST_DAY = new Date("1980-01-01T00:00:00Z");

/** Holes are compressed like everything else. A file that fails in the middle ends the archive with the error. */
export async function* zipFolder(
  tree: MachineTree,
  source: TreeNode,
  name: Uint8Array | null,
  options: ArchiveOptions,
): AsyncIterable<Uint8Array> {
  const zip = new ZipFile();
  const output = zip.outputStream as Readable;
  const adding = addAll(zip, walkForArchive(tree, source, name, options), options);
  adding.catch((error: unknown) => output.destroy(error as Error));
  zip.on("error", (error) => output.destroy(error as Error));
  for await (const piece of output) yield piece as Uint8Array;
  await adding;
}

async function addAll(zip: ZipFile, nodes: AsyncIterable<ArchivedNode>, options: ArchiveOptions): Promise<void> {
  const taken = new Set<string>();
  const turns = new Turns();
  for await (const { names, node } of nodes) {
    const name = names.map(zipName).join("/");
    if (taken.has(name)) {
      options.onSkipped({ path: node === null ? name : formatTreePath(node.path), reason: "its name is taken" });
      continue;
    }
    taken.add(name);
    await turns.free();
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
  const mtime = modifiedAtNs === null ? FIRST_DAY : new Date(Number(modifiedAtNs / 1_000_000n));
  if (kind === "directory")
    return zip.addEmptyDirectory(name, { mtime, mode: FOLDER_MODE | ((mode ?? 0o755) & 0o777) });
  if (kind === "symlink") {
    const target = Buffer.from(await node.fileSystem.readLink(node.node, options));
    return zip.addBuffer(target, name, { mtime, mode: LINK_MODE, compress: false });
  }
  if (kind !== "file") {
    return options.onSkipped({ path: formatTreePath(node.path), reason: special ?? `a ${kind} has no place in zip` });
  }
  const zipOptions = { mtime, mode: FILE_MODE | ((mode ?? 0o644) & 0o777), size: sizeBytes, compress: sizeBytes > 0 };
  turns.take();
  zip.addReadStreamLazy(name, zipOptions, (done) => {
    const stream = Readable.from(readFile(node, options), { objectMode: false });
    stream.once("close", () => turns.give());
    done(null, stream);
  });
}

/** How many files have been announced and not yet written. */
class Turns {
  #waiting = 0;
  #wake: () => void = () => {};

  take(): void {
    this.#waiting++;
  }

  give(): void {
    this.#waiting--;
    this.#wake();
  }

  async free(): Promise<void> {
    while (this.#waiting >= MAX_WAITING)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
  }
}

/** As shown, but with `%NN` for backslashes, which mean folders to some readers, and so for `%` itself: no two names become one. */
export function zipName(name: Uint8Array): string {
  return formatName(name).replace(/%|\\\\|\\x([0-9a-f]{2})/g, (odd, hex: string | undefined) => {
    if (odd === "%") return "%25";
    return hex === undefined ? "%5C" : `%${hex}`;
  });
}

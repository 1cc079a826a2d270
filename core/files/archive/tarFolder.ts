// A folder of a snapshot as a tar stream: everything that tar knows of files. Holes are written out.

import { RepriseError } from "../../errors.js";
import { identityOf, problemOf } from "../listFiles.js";
import type { FileNode, MachineTree, TreeNode } from "../machineTree.js";
import { readFile } from "../readFile.js";
import { formatTreePath } from "../treePath.js";
import { encodeTarHeader, TAR_END, type TarEntry, type TarType, tarPadding } from "./tarFormat.js";
import { type ArchivedNode, type ArchiveOptions, walkForArchive } from "./walkForArchive.js";

const SLASH = Buffer.from("/");

/**
 * `name`: of the top in the archive; null: what is in it has none above it. A file that cannot be read before its first byte is
 * skipped; one that fails in the middle ends the archive with the error, because its size was promised.
 */
export async function* tarFolder(
  tree: MachineTree,
  source: TreeNode,
  name: Uint8Array | null,
  options: ArchiveOptions,
): AsyncIterable<Uint8Array> {
  const firstNames = new Map<string, Uint8Array>();
  for await (const archived of walkForArchive(tree, source, name, options)) {
    const entry = await entryOf(archived, firstNames, options);
    if (entry === null) continue;
    const { node } = archived;
    if (node === null || entry.type !== "file") yield encodeTarHeader(entry);
    else yield* fileEntry(node, entry, options);
  }
  yield TAR_END;
}

async function* fileEntry(node: FileNode, entry: TarEntry, options: ArchiveOptions): AsyncIterable<Uint8Array> {
  const pieces = readFile(node, options)[Symbol.asyncIterator]();
  let next: IteratorResult<Uint8Array>;
  try {
    next = await pieces.next();
  } catch (error) {
    options.onSkipped({ path: formatTreePath(node.path), reason: problemOf(error).message });
    return;
  }
  yield encodeTarHeader(entry);
  let written = 0;
  for (; !next.done; next = await pieces.next()) {
    written += next.value.length;
    yield next.value;
  }
  if (written !== entry.sizeBytes)
    throw new RepriseError("corrupt", "FILESYSTEM_DAMAGED", `${formatTreePath(node.path)} ends before its size`);
  yield new Uint8Array(tarPadding(entry.sizeBytes));
}

async function entryOf(
  { names, node }: ArchivedNode,
  firstNames: Map<string, Uint8Array>,
  options: ArchiveOptions,
): Promise<TarEntry | null> {
  const name = Buffer.concat(names.flatMap((part, i) => (i === 0 ? [part] : [SLASH, part])));
  const nothing = { name, link: new Uint8Array(0), sizeBytes: 0, uid: 0, gid: 0, device: null, attributes: [] };
  if (node === null) return { ...nothing, type: "directory", mode: 0o755, modifiedAtNs: null };
  const { stat } = node;
  const type = typeOf(stat.kind);
  if (type === null) {
    options.onSkipped({ path: formatTreePath(node.path), reason: stat.special ?? `a ${stat.kind}` });
    return null;
  }
  const standardMode = type === "directory" ? 0o755 : 0o644;
  const { uid, gid, mode, device, modifiedAtNs } = stat;
  const entry = { ...nothing, type, mode: mode ?? standardMode, uid: uid ?? 0, gid: gid ?? 0, device, modifiedAtNs };
  const first = stat.linkCount > 1 && type !== "directory" ? firstNames.get(identityOf(node)) : undefined;
  if (first !== undefined) return { ...entry, type: "hard-link", link: first };
  try {
    const attributes = await node.fileSystem.attributes(node.node, options);
    const link = type === "symlink" ? await node.fileSystem.readLink(node.node, options) : entry.link;
    if (stat.linkCount > 1) firstNames.set(identityOf(node), name);
    return { ...entry, link, attributes, sizeBytes: type === "file" ? stat.sizeBytes : 0 };
  } catch (error) {
    options.onSkipped({ path: formatTreePath(node.path), reason: problemOf(error).message });
    return null;
  }
}

function typeOf(kind: FileNode["stat"]["kind"]): TarType | null {
  return kind === "special" || kind === "socket" ? null : kind;
}

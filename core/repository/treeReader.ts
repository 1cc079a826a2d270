// Reads a stored file tree: nodes by id, folders page by page, content lists piece by piece. Nothing is held but the way down.

import { formatError } from "../format/bytes.js";
import { bytesToHex, hexToBytes } from "../format/ids.js";
import type { Archive } from "../format/manifest.js";
import { BLOB_ID_BYTES } from "../format/pack.js";
import { type ContentList, type ContentPiece, contentListOf } from "../format/treeContent.js";
import { type TreeEntry, treeFolderOf, treeIndexOf } from "../format/treeFolder.js";
import { decodeTreeNode, type TreeNode } from "../format/treeNode.js";
import type { BlobReader } from "./blobReader.js";

export interface TreeReadOptions {
  signal?: AbortSignal;
}

export async function readTreeNode(
  blobs: BlobReader,
  id: Uint8Array,
  options: TreeReadOptions = {},
): Promise<TreeNode> {
  const bytes = await blobs.read(id, { signal: options.signal, cached: true });
  return decodeTreeNode(bytes, nodeName(id));
}

export function nodeName(id: Uint8Array): string {
  return `node ${bytesToHex(id)} of a file tree`;
}

/** The entry of the folder that was backed up; its size must be the archive's. */
export async function readTreeRoot(
  archive: Archive,
  blobs: BlobReader,
  options: TreeReadOptions = {},
): Promise<TreeEntry> {
  const id = hexToBytes(archive.root, BLOB_ID_BYTES, "archive root");
  const node = await readTreeNode(blobs, id, options);
  const root = treeFolderOf(node, nodeName(id), "root")[0] as TreeEntry;
  if (root.sizeBytes === archive.sizeBytes) return root;
  throw formatError(nodeName(id), `is for ${root.sizeBytes} bytes, the manifest says ${archive.sizeBytes}`);
}

/** The pages of a folder in order, each with its id. */
export async function* readFolderPages(
  blobs: BlobReader,
  folder: Uint8Array,
  options: TreeReadOptions = {},
): AsyncIterable<{ id: Uint8Array; entries: TreeEntry[] }> {
  const node = await readTreeNode(blobs, folder, options);
  if (node.type !== "folder-index") {
    yield { id: folder, entries: treeFolderOf(node, nodeName(folder)) };
    return;
  }
  for (const { ref } of treeIndexOf(node, nodeName(folder))) {
    const page = await readTreeNode(blobs, ref.id, options);
    if (page.contentBytes !== ref.bytes) throw formatError(nodeName(ref.id), "has another size than its reference");
    yield { id: ref.id, entries: treeFolderOf(page, nodeName(ref.id)) };
  }
}

/** Chunks and holes of a file in order; `visitList` sees every list before what is in it. */
export async function* readContent(
  blobs: BlobReader,
  content: TreeEntry["content"],
  options: TreeReadOptions & { visitList?: (id: Uint8Array) => void } = {},
  above: ContentList | null = null,
): AsyncIterable<ContentPiece> {
  if (content === null) return;
  if (!(content instanceof Uint8Array)) {
    yield* content;
    return;
  }
  options.visitList?.(content);
  const list = contentListOf(await readTreeNode(blobs, content, options), nodeName(content));
  if (above !== null && list.level !== above.level - 1) throw formatError(nodeName(content), "has the wrong level");
  for (const piece of list.pieces) {
    if (piece.kind === "node") yield* readContent(blobs, piece.id, options, list);
    else yield piece;
  }
}

// Walks a stored file tree and says of every blob what hangs on it: which path, and which bytes when the contents of all files
// are counted one after the other, in the order of names.

import { formatError } from "../format/bytes.js";
import { hexToBytes } from "../format/ids.js";
import type { Archive } from "../format/manifest.js";
import { BLOB_ID_BYTES } from "../format/pack.js";
import { contentListOf } from "../format/treeContent.js";
import { refsOf, type TreeEntry, treeFolderOf, treeIndexOf } from "../format/treeFolder.js";
import type { TreeNode, TreeNodeType } from "../format/treeNode.js";
import type { BlobReader } from "./blobReader.js";
import { nodeName, readTreeNode, type TreeReadOptions } from "./treeReader.js";

/** What is lost with a blob. */
export interface TreePlace {
  /** Names from the top of the tree; of pages of a folder the folder's. */
  path: readonly Uint8Array[];
  offset: number;
  length: number;
}

export interface TreeWalker {
  /** `descend` reads the node and visits what is in it; out of it come errors of reading, and of nodes in the wrong place. */
  onNode(id: Uint8Array, place: TreePlace, descend: () => Promise<void>): Promise<void>;
  onChunk(id: Uint8Array, place: TreePlace): void | Promise<void>;
}

/** Deeper than any tree that is stored. */
const MAX_DEPTH = 4096;

/** What a reference may lead to. */
interface Expected {
  types: readonly TreeNodeType[];
  /** Of content lists in lists. */
  level?: number;
}

const ROOT: Expected = { types: ["root"] };
const FOLDER: Expected = { types: ["folder", "folder-index"] };
const PAGE: Expected = { types: ["folder"] };
const LIST: Expected = { types: ["content"] };
const ATTRIBUTES: Expected = { types: ["attributes"] };

export async function walkTree(
  archive: Archive,
  blobs: BlobReader,
  walker: TreeWalker,
  options: TreeReadOptions = {},
): Promise<void> {
  const id = hexToBytes(archive.root, BLOB_ID_BYTES, "archive root");
  await visit(id, { path: [], offset: 0, length: archive.sizeBytes }, ROOT, { blobs, walker, options, depth: 0 });
}

interface Walk {
  blobs: BlobReader;
  walker: TreeWalker;
  options: TreeReadOptions;
  depth: number;
}

async function visit(id: Uint8Array, place: TreePlace, expected: Expected, walk: Walk): Promise<void> {
  walk.options.signal?.throwIfAborted();
  await walk.walker.onNode(id, place, async () => {
    if (walk.depth >= MAX_DEPTH) return;
    const below = { ...walk, depth: walk.depth + 1 };
    const node = await readTreeNode(walk.blobs, id, walk.options);
    check(node, id, place, expected);
    if (node.type === "root" || node.type === "folder") await visitFolder(node, id, place, below);
    else if (node.type !== "attributes") await visitParts(node, id, place, below);
  });
}

/** As readers do: nodes are sound by themselves and may still be in the wrong place. */
function check(node: TreeNode, id: Uint8Array, { length }: TreePlace, { types, level }: Expected): void {
  const { type, contentBytes } = node;
  if (!types.includes(type)) throw formatError(nodeName(id), `is a node of type ${type}, not ${types.join(" or ")}`);
  if (contentBytes !== length) throw formatError(nodeName(id), `is for ${contentBytes} bytes, not ${length}`);
  if (level !== undefined && node.level !== level) throw formatError(nodeName(id), "has the wrong level");
}

async function visitFolder(node: TreeNode, id: Uint8Array, place: TreePlace, walk: Walk): Promise<void> {
  const isRoot = node.type === "root";
  let { offset } = place;
  for (const entry of treeFolderOf(node, nodeName(id), isRoot ? "root" : "folder")) {
    const path = isRoot ? place.path : [...place.path, entry.name];
    await visitEntry(entry, { path, offset, length: entry.sizeBytes }, walk);
    offset += entry.sizeBytes;
  }
}

async function visitEntry(entry: TreeEntry, place: TreePlace, walk: Walk): Promise<void> {
  const { attributes, content } = entry;
  if (Array.isArray(content)) {
    let { offset } = place;
    for (const piece of content) {
      const at = { path: place.path, offset, length: piece.bytes };
      if (piece.kind === "chunk") await walk.walker.onChunk(piece.id, at);
      offset += piece.bytes;
    }
  } else {
    const expected = entry.kind === "directory" ? FOLDER : LIST;
    for (const { id } of refsOf({ ...entry, attributes: [] })) await visit(id, place, expected, walk);
  }
  if (attributes instanceof Uint8Array) await visit(attributes, { ...place, length: 0 }, ATTRIBUTES, walk);
}

/** Pages of a folder, or pieces of a file. */
async function visitParts(node: TreeNode, id: Uint8Array, place: TreePlace, walk: Walk): Promise<void> {
  const { path } = place;
  const isIndex = node.type === "folder-index";
  const pieces = isIndex
    ? treeIndexOf(node, nodeName(id)).map(({ ref }) => ref)
    : contentListOf(node, nodeName(id)).pieces;
  const expected = isIndex ? PAGE : { ...LIST, level: node.level - 1 };
  let { offset } = place;
  for (const piece of pieces) {
    const at = { path, offset, length: piece.bytes };
    if (piece.kind === "node") await visit(piece.id, at, expected, walk);
    else if (piece.kind === "chunk") await walk.walker.onChunk(piece.id, at);
    offset += piece.bytes;
  }
}

// The nodes of a stored file tree: docs/format/file-tree.md. All share one frame that says to which blobs they refer, so that
// collecting, verifying and copying need not know what a node means.

import { ByteReader, ByteWriter, encodeText, unsupportedVersion } from "./bytes.js";
import { MAX_BLOB_PLAIN } from "./limits.js";
import { BLOB_ID_BYTES } from "./pack.js";

const MAGIC = encodeText("RPRSTRE1");
const HEADER_BYTES = 32;
const REF_BYTES = 8 + BLOB_ID_BYTES;
const REF_KINDS = ["chunk", "node"] as const;
const HIGH_24_BITS = 0x100_0000;

export const TREE_NODE_TYPES = ["root", "folder", "folder-index", "content", "attributes"] as const;
export type TreeNodeType = (typeof TREE_NODE_TYPES)[number];
/** Content lists of content lists; 4 levels hold more than any file has. */
export const MAX_CONTENT_LEVEL = 3;

export interface TreeRef {
  kind: (typeof REF_KINDS)[number];
  /** Bytes of file contents in it or below it, holes included. */
  bytes: number;
  id: Uint8Array;
}

export interface TreeNode {
  type: TreeNodeType;
  /** Of content lists: 0 refers to chunks, others to lists of the level below. Else 0. */
  level: number;
  /** Bytes of file contents below, holes included. */
  contentBytes: number;
  /** Files and folders below, at any depth. */
  entryCount: number;
  refs: readonly TreeRef[];
  /** What only the type knows. */
  body: Uint8Array;
}

export function treeNodeBytes(refCount: number, bodyBytes: number): number {
  return HEADER_BYTES + refCount * REF_BYTES + bodyBytes;
}

export function encodeTreeNode(node: TreeNode): Uint8Array {
  const writer = new ByteWriter(treeNodeBytes(node.refs.length, node.body.length));
  writer.put(MAGIC);
  writer.u8(TREE_NODE_TYPES.indexOf(node.type));
  writer.u8(node.level);
  writer.u16(0);
  writer.u32(node.refs.length);
  writer.size(node.contentBytes);
  writer.size(node.entryCount);
  for (const { kind, bytes, id } of node.refs) {
    writer.u32(bytes % 2 ** 32);
    writer.u32(Math.floor(bytes / 2 ** 32) + REF_KINDS.indexOf(kind) * HIGH_24_BITS);
    writer.put(id);
  }
  writer.put(node.body);
  return writer.finish();
}

/** Ids and body are views. Checks the frame; the body is for the decoder of the type. */
export function decodeTreeNode(bytes: Uint8Array, what: string): TreeNode {
  const reader = new ByteReader(bytes, what);
  if (bytes.length > MAX_BLOB_PLAIN) reader.fail(`${bytes.length} bytes are above the limit`);
  reader.expectMagic(MAGIC);
  const typeByte = reader.u8();
  const type = TREE_NODE_TYPES[typeByte];
  if (type === undefined) throw unsupportedVersion(`${what} (node type)`, typeByte);
  const level = reader.u8();
  if (level > (type === "content" ? MAX_CONTENT_LEVEL : 0) || reader.u16() !== 0) reader.fail("wrong level or flags");
  const refCount = reader.u32();
  const contentBytes = reader.size();
  const entryCount = reader.size();
  if (refCount * REF_BYTES > reader.remaining) reader.fail(`${refCount} references do not fit`);
  const refs: TreeRef[] = new Array(refCount);
  for (let i = 0; i < refCount; i++) refs[i] = decodeRef(reader);
  return { type, level, contentBytes, entryCount, refs, body: reader.bytes(reader.remaining) };
}

/** The same node with other ids: how it is called in another repository. `ids`: 32 bytes a reference, in their order. */
export function replaceTreeRefs(bytes: Uint8Array, ids: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  for (let i = 0; i * BLOB_ID_BYTES < ids.length; i++) {
    copy.set(ids.subarray(i * BLOB_ID_BYTES, (i + 1) * BLOB_ID_BYTES), HEADER_BYTES + i * REF_BYTES + 8);
  }
  return copy;
}

/** Refuses a node of another type, with a sentence. */
export function expectTreeNode(node: TreeNode, types: readonly TreeNodeType[], what: string): ByteReader {
  const reader = new ByteReader(node.body, what);
  if (!types.includes(node.type)) reader.fail(`is a node of type ${node.type}, not ${types.join(" or ")}`);
  return reader;
}

function decodeRef(reader: ByteReader): TreeRef {
  const low = reader.u32();
  const high = reader.u32();
  const bytes = low + (high % HIGH_24_BITS) * 2 ** 32;
  const kind = REF_KINDS[Math.floor(high / HIGH_24_BITS)];
  if (kind === undefined) reader.fail("reference of unknown kind");
  if (!Number.isSafeInteger(bytes)) reader.fail(`number ${bytes} is too large`);
  if (kind === "chunk" && (bytes === 0 || bytes > MAX_BLOB_PLAIN)) reader.fail(`chunk of ${bytes} bytes`);
  return { kind, bytes, id: reader.bytes(BLOB_ID_BYTES) };
}

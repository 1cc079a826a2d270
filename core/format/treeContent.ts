// What a file consists of: pieces that are chunks, lists of pieces, or holes. docs/format/file-tree.md, "Content".

import { type ByteReader, ByteWriter, formatError } from "./bytes.js";
import {
  decodeTreeNode,
  encodeTreeNode,
  expectTreeNode,
  MAX_CONTENT_LEVEL,
  type TreeNode,
  type TreeRef,
} from "./treeNode.js";

/** A reference, or a hole: nothing is stored, zeros are read. */
export type ContentPiece = TreeRef | { kind: "hole"; bytes: number };

export interface ContentList {
  level: number;
  contentBytes: number;
  pieces: readonly ContentPiece[];
}

export const HOLE_BYTES = 12;
/** A list ends behind a reference whose id begins with twelve zero bits, so that equal stretches have equal lists. */
const LEAST_REFS = 512;
const MOST_REFS = 16_384;

export function encodeContentList({ level, contentBytes, pieces }: ContentList): Uint8Array {
  const refs = pieces.filter((piece): piece is TreeRef => piece.kind !== "hole");
  const writer = new ByteWriter(holesBytes(pieces));
  writeHoles(writer, pieces);
  return encodeTreeNode({ type: "content", level, contentBytes, entryCount: 0, refs, body: writer.finish() });
}

export function decodeContentList(bytes: Uint8Array, what: string): ContentList {
  return contentListOf(decodeTreeNode(bytes, what), what);
}

export function contentListOf(node: TreeNode, what: string): ContentList {
  const reader = expectTreeNode(node, ["content"], what);
  const { level, contentBytes, refs, entryCount } = node;
  const pieces = readPieces(reader, refs);
  reader.expectEnd();
  if (entryCount !== 0) reader.fail("a content list has no entries");
  if (level > 0 && pieces.length !== refs.length) reader.fail("only lists of level 0 have holes");
  if (refs.some(({ kind }) => kind !== (level === 0 ? "chunk" : "node"))) reader.fail("references of the wrong kind");
  if (sumOf(pieces) !== contentBytes) reader.fail(`pieces do not sum to ${contentBytes} bytes`);
  return { level, contentBytes, pieces };
}

export function holesBytes(pieces: readonly ContentPiece[]): number {
  return 4 + HOLE_BYTES * pieces.reduce((count, { kind }) => count + (kind === "hole" ? 1 : 0), 0);
}

/** Where holes are: count, then for each the number of references before it and its length. */
export function writeHoles(writer: ByteWriter, pieces: readonly ContentPiece[]): void {
  writer.u32((holesBytes(pieces) - 4) / HOLE_BYTES);
  let refs = 0;
  for (const { kind, bytes } of pieces) {
    if (kind !== "hole") refs++;
    else {
      writer.u32(refs);
      writer.size(bytes);
    }
  }
}

/** Puts the holes back between the references. */
export function readPieces(reader: ByteReader, refs: readonly TreeRef[]): ContentPiece[] {
  const holeCount = reader.u32();
  if (holeCount > refs.length + 1) reader.fail(`${holeCount} holes between ${refs.length} references`);
  const pieces: ContentPiece[] = [];
  let next = 0;
  for (let i = 0; i < holeCount; i++) {
    const before = reader.u32();
    const bytes = reader.size();
    if (before > refs.length || bytes === 0 || (i > 0 && before <= next)) reader.fail("holes are out of order");
    for (; next < before; next++) pieces.push(refs[next] as TreeRef);
    pieces.push({ kind: "hole", bytes });
  }
  for (; next < refs.length; next++) pieces.push(refs[next] as TreeRef);
  return pieces;
}

export function sumOf(pieces: readonly { bytes: number }[]): number {
  return pieces.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Adds a piece; holes that touch become one, so that equal files have equal pieces. */
export function appendPiece(pieces: ContentPiece[], piece: ContentPiece): void {
  const last = pieces.at(-1);
  if (last?.kind === "hole" && piece.kind === "hole")
    pieces[pieces.length - 1] = { ...last, bytes: last.bytes + piece.bytes };
  else pieces.push(piece);
}

/** Whether a list ends behind its `count`th reference. */
export function endsContentList(id: Uint8Array, count: number): boolean {
  if (count >= MOST_REFS) return true;
  return count >= LEAST_REFS && id[0] === 0 && ((id[1] as number) & 0xf0) === 0;
}

export function nextContentLevel(level: number): number {
  if (level < MAX_CONTENT_LEVEL) return level + 1;
  throw formatError("content list", "too many levels");
}

// What a file's bytes are, told by the image map of its disk: without reading any of them. Two files whose maps agree have
// the same contents; where maps differ, contents may still be equal and have to be read.

import { placesOf, type ReadOptions } from "../filesystem/blockReader.js";
import type { DataRange, NodeId } from "../filesystem/fileSystem.js";
import { bytesToHex } from "../format/ids.js";
import type { FileNode } from "./machineTree.js";
import { SnapshotDisk } from "./snapshotDisk.js";
import { StoredTree } from "./storedTree.js";

/** A stretch of a file, in order and without gaps. */
export interface ContentPiece extends DataRange {
  /** The chunk that its bytes are in; "" for zeros; null when only reading tells. */
  chunk: string | null;
  /** Where in the chunk; 0 for zeros. */
  at: number;
}

/** Null when the file system cannot tell where its files lie. Files that are no plain files have no pieces. */
export async function contentPieces(file: FileNode, options: ReadOptions = {}): Promise<ContentPiece[] | null> {
  const { fileSystem, node, stat } = file;
  if (stat.kind === "file" && fileSystem instanceof StoredTree) return await storedPieces(fileSystem, node, options);
  if (fileSystem.extents === undefined || stat.kind !== "file") return null;
  const pieces: ContentPiece[] = [];
  const data: DataRange[] = [];
  for await (const range of fileSystem.dataRanges(node, options)) data.push(range);
  let next = 0;
  for await (const { offset, length, deviceOffset } of fileSystem.extents(node, options)) {
    addGap(pieces, data, next, offset);
    await addStored(pieces, file, { offset, length }, deviceOffset);
    next = offset + length;
  }
  addGap(pieces, data, next, stat.sizeBytes);
  return pieces;
}

async function storedPieces(tree: StoredTree, node: NodeId, options: ReadOptions): Promise<ContentPiece[]> {
  const pieces: ContentPiece[] = [];
  for await (const { offset, length, chunk } of tree.chunks(node, options)) {
    add(pieces, { offset, length, chunk: chunk ?? "", at: 0 });
  }
  return pieces;
}

/** What is in no extent: a hole, or something that has to be read. */
function addGap(pieces: ContentPiece[], data: readonly DataRange[], start: number, end: number): void {
  let at = start;
  for (const range of data) {
    const [from, to] = [Math.max(range.offset, at), Math.min(range.offset + range.length, end)];
    if (from >= to) continue;
    if (from > at) add(pieces, { offset: at, length: from - at, chunk: "", at: 0 });
    add(pieces, { offset: from, length: to - from, chunk: null, at: 0 });
    at = to;
  }
  if (end > at) add(pieces, { offset: at, length: end - at, chunk: "", at: 0 });
}

async function addStored(
  pieces: ContentPiece[],
  { volume }: FileNode,
  { offset, length }: DataRange,
  deviceOffset: number,
): Promise<void> {
  let at = offset;
  for (const place of placesOf(volume.reader, deviceOffset, length)) {
    if (!(place.disk instanceof SnapshotDisk)) add(pieces, { offset: at, length: place.length, chunk: null, at: 0 });
    else {
      const end = place.offset + place.length;
      for (const entry of await place.disk.entries(place.offset, place.length)) {
        const from = Math.max(entry.offset, place.offset);
        const to = Math.min(entry.offset + entry.length, end);
        const chunk = entry.id === null ? "" : bytesToHex(entry.id);
        const inChunk = chunk === "" ? 0 : from - entry.offset;
        add(pieces, { offset: at + from - place.offset, length: to - from, chunk, at: inChunk });
      }
    }
    at += place.length;
  }
}

/** Joined to the one before where both are one stretch. */
function add(pieces: ContentPiece[], piece: ContentPiece): void {
  const last = pieces.at(-1);
  const follows = last?.chunk === piece.chunk && (!piece.chunk || last.at + last.length === piece.at);
  if (last !== undefined && follows) last.length += piece.length;
  else if (piece.length > 0) pieces.push(piece);
}

/** Where two files of one size may differ: their maps do not agree, or cannot tell. */
export function unequalRanges(a: readonly ContentPiece[], b: readonly ContentPiece[]): DataRange[] {
  const ranges: DataRange[] = [];
  for (let i = 0, j = 0, at = 0; i < a.length && j < b.length; ) {
    const [first, second] = [a[i] as ContentPiece, b[j] as ContentPiece];
    const end = Math.min(first.offset + first.length, second.offset + second.length);
    if (!isSame(first, second, at)) {
      const last = ranges.at(-1);
      if (last !== undefined && last.offset + last.length === at) last.length += end - at;
      else ranges.push({ offset: at, length: end - at });
    }
    if (first.offset + first.length === end) i++;
    if (second.offset + second.length === end) j++;
    at = end;
  }
  return ranges;
}

function isSame(a: ContentPiece, b: ContentPiece, at: number): boolean {
  if (a.chunk === null || a.chunk !== b.chunk) return false;
  return a.chunk === "" || a.at + at - a.offset === b.at + at - b.offset;
}

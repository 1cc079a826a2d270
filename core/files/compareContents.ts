// Whether two files have the same bytes. What the image maps show to be the same is not read.

import { createHash } from "node:crypto";
import type { ReadOptions } from "../filesystem/blockReader.js";
import type { DataRange } from "../filesystem/fileSystem.js";
import { equalBytes } from "../format/bytes.js";
import { type ContentPiece, contentPieces, unequalRanges } from "./contentMap.js";
import type { FileNode } from "./machineTree.js";
import { readFile } from "./readFile.js";

const PIECE_BYTES = 4 * 1024 * 1024;

/** Of plain files. */
export async function haveSameContents(a: FileNode, b: FileNode, options: ReadOptions = {}): Promise<boolean> {
  if (a.stat.sizeBytes !== b.stat.sizeBytes) return false;
  const [first, second] = [await contentPieces(a, options), await contentPieces(b, options)];
  return await areRangesEqual(a, b, rangesToRead(first, second, a.stat.sizeBytes), options);
}

/** Reads both, up to the first difference. */
export async function areRangesEqual(
  a: FileNode,
  b: FileNode,
  ranges: readonly DataRange[],
  options: ReadOptions = {},
): Promise<boolean> {
  for (const range of ranges) if (!(await areEqual(a, b, range, options))) return false;
  return true;
}

function rangesToRead(
  a: readonly ContentPiece[] | null,
  b: readonly ContentPiece[] | null,
  sizeBytes: number,
): DataRange[] {
  return a === null || b === null ? [{ offset: 0, length: sizeBytes }] : unequalRanges(a, b);
}

async function areEqual(
  a: FileNode,
  b: FileNode,
  { offset, length }: DataRange,
  options: ReadOptions,
): Promise<boolean> {
  for (let done = 0; done < length; done += PIECE_BYTES) {
    options.signal?.throwIfAborted();
    const part = { offset: offset + done, length: Math.min(PIECE_BYTES, length - done) };
    const [first, second] = await Promise.all([readPart(a, part, options), readPart(b, part, options)]);
    if (!equalBytes(first, second)) return false;
  }
  return true;
}

async function readPart(
  { fileSystem, node }: FileNode,
  { offset, length }: DataRange,
  options: ReadOptions,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  return bytes.subarray(0, await fileSystem.read(node, bytes, offset, options));
}

/** SHA-256 of all of it, hex. */
export async function digestOfFile(file: FileNode, options: ReadOptions = {}): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of readFile(file, options)) hash.update(piece);
  return hash.digest("hex");
}

// The contents of one file as a stream of pieces, the next ones fetched while the one before is used.

import type { ReadOptions } from "../filesystem/blockReader.js";
import { kindText, wrongKind } from "../filesystem/filesystemErrors.js";
import type { FileNode, TreeNode } from "./machineTree.js";
import { formatTreePath } from "./treePath.js";

const PIECE_BYTES = 4 * 1024 * 1024;
/** Under way while one is decoded and used: the storage is never waited for with nothing to do. */
const PIECES_AHEAD = 2;

/** The node as a file; FILE_KIND_WRONG for anything else. */
export function requireFile(node: TreeNode): FileNode {
  if ("stat" in node && node.stat.kind === "file") return node;
  throw wrongKind(formatTreePath(node.path), "a file", kindOfNode(node));
}

function kindOfNode(node: TreeNode): string {
  if (node.kind === "root") return "the whole snapshot";
  if (node.kind === "disk") return "a disk with its volumes";
  const { special, kind } = node.stat;
  return special === undefined ? kindText(kind) : `${kindText(kind)} (${special})`;
}

/** Pieces of up to 4 MiB, fresh memory each; together exactly the file's size. */
export async function* readFile(file: FileNode, options: ReadOptions = {}): AsyncIterable<Uint8Array> {
  const { sizeBytes } = file.stat;
  const ahead: Promise<Uint8Array>[] = [];
  for (let offset = 0; offset < sizeBytes; ) {
    for (let next = offset + ahead.length * PIECE_BYTES; ahead.length <= PIECES_AHEAD && next < sizeBytes; ) {
      const piece = readPiece(file, next, options);
      // Its error is seen when it is awaited; nobody awaits it when the consumer stops.
      piece.catch(() => {});
      ahead.push(piece);
      next += PIECE_BYTES;
    }
    const piece = (await ahead.shift()) as Uint8Array;
    if (piece.length === 0) return;
    offset += piece.length;
    yield piece;
  }
}

async function readPiece(
  { fileSystem, node, stat }: FileNode,
  offset: number,
  options: ReadOptions,
): Promise<Uint8Array> {
  const piece = new Uint8Array(Math.min(PIECE_BYTES, Math.max(0, stat.sizeBytes - offset)));
  const length = piece.length === 0 ? 0 : await fileSystem.read(node, piece, offset, options);
  return piece.subarray(0, length);
}

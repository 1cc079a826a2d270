// Directory entries in their two forms: inside the inode (short), and in data blocks. Follows "XFS Algorithms & Data
// Structures", chapter Directories. Pure: bytes in, entries out.

import { forbiddenMark } from "../entryName.js";
import type { DirectoryEntry, FileKind, NodeId } from "../fileSystem.js";
import { damaged } from "../filesystemErrors.js";
import { uint64At, viewOf } from "./bigEndian.js";

/** Of one directory, for its messages and its entries. */
export interface EntryContext {
  where: string;
  /** Entries name the kind of what they point to. */
  entryKinds: boolean;
  /** Some files may lie on the real-time device, which only their inodes say. */
  hasRealtimeFiles: boolean;
  isInode(number: number): boolean;
}

/** What a stored kind means; the rest (0 unknown, 8 white-out) is asked from the inode. */
const kinds: readonly (FileKind | null)[] = [
  null,
  "file",
  "directory",
  "character-device",
  "block-device",
  "fifo",
  "socket",
  "symlink",
  null,
];

const KIND_FILE = 1;
const UNUSED_TAG = 0xffff;
const DOT = 0x2e;

/** `fork`: the fork's bytes, `di_size` of them. */
export function decodeShortDirectory(fork: Uint8Array, context: EntryContext): DirectoryEntry[] {
  if (fork.length < 6) throw damaged("xfs", context.where, "is too short");
  const view = viewOf(fork);
  const count = fork[0] as number;
  const inodeBytes = fork[1] === 0 ? 4 : 8;
  const entries: DirectoryEntry[] = [];
  let at = 2 + inodeBytes;
  for (let i = 0; i < count; i++) {
    const nameLength = at < fork.length ? (fork[at] as number) : 0;
    const kindAt = at + 3 + nameLength;
    const inodeAt = kindAt + (context.entryKinds ? 1 : 0);
    if (inodeAt + inodeBytes > fork.length) throw damaged("xfs", context.where, `entry ${i} does not fit`);
    const inode = inodeBytes === 4 ? view.getUint32(inodeAt) : uint64At(view, inodeAt);
    const kind = context.entryKinds ? (fork[kindAt] as number) : 0;
    const name = fork.slice(at + 3, kindAt);
    entries.push(makeEntry(name, inode, kind, context));
    at = inodeAt + inodeBytes;
  }
  return entries;
}

/**
 * Entries of a data block between its header and `end`. `.` and `..`, which stand at the start of the first block, are left
 * out there (`isFirst`) and damage elsewhere.
 */
export function* decodeDataBlock(
  block: Uint8Array,
  { start, end, isFirst }: { start: number; end: number; isFirst: boolean },
  context: EntryContext,
): Generator<DirectoryEntry> {
  const view = viewOf(block);
  for (let at = start; at < end; ) {
    // 8: the smallest unused piece, and less than any entry
    if (at + 8 > end) throw damaged("xfs", context.where, "has a piece that does not fit", { at });
    if (view.getUint16(at) === UNUSED_TAG) {
      const length = view.getUint16(at + 2);
      if (length < 8 || length % 8 !== 0 || at + length > end) {
        throw damaged("xfs", context.where, `has ${length} unused bytes`, { at });
      }
      at += length;
      continue;
    }
    const { name, inode, kind, length } = decodeDataEntry(block, view, at, end, context);
    if (!(isFirst && isDots(name))) yield makeEntry(name, inode, kind, context);
    at += length;
  }
}

/** The entry at `at` of a data block, as an index names it; checked like the others. */
export function entryAt(block: Uint8Array, at: number, end: number, context: EntryContext): DirectoryEntry | null {
  const view = viewOf(block);
  if (at + 8 > end || view.getUint16(at) === UNUSED_TAG) {
    throw damaged("xfs", context.where, "has an index that points nowhere", { at });
  }
  const { name, inode, kind } = decodeDataEntry(block, view, at, end, context);
  return isDots(name) ? null : makeEntry(name, inode, kind, context);
}

interface RawEntry {
  name: Uint8Array;
  inode: number;
  kind: number;
  length: number;
}

/** inode 8, name length 1, name, kind 0 or 1, filling, own place 2; a multiple of 8. */
function decodeDataEntry(
  block: Uint8Array,
  view: DataView,
  at: number,
  end: number,
  { where, entryKinds }: EntryContext,
): RawEntry {
  const nameLength = at + 9 <= end ? (block[at + 8] as number) : 0;
  const kindAt = at + 9 + nameLength;
  const length = Math.ceil((9 + nameLength + (entryKinds ? 1 : 0) + 2) / 8) * 8;
  if (at + length > end) throw damaged("xfs", where, "has an entry that does not fit", { at });
  if (view.getUint16(at + length - 2) !== at) throw damaged("xfs", where, "has an entry out of place", { at });
  return {
    name: block.slice(at + 9, kindAt),
    inode: uint64At(view, at),
    kind: entryKinds ? (block[kindAt] as number) : 0,
    length,
  };
}

function makeEntry(name: Uint8Array, inode: number, kind: number, context: EntryContext): DirectoryEntry {
  if (!context.isInode(inode)) throw damaged("xfs", context.where, `has an entry for inode ${inode}`, { inode });
  if (kind >= kinds.length) throw damaged("xfs", context.where, `has an entry of kind ${kind}`);
  const isSure = kind !== KIND_FILE || !context.hasRealtimeFiles;
  return {
    name,
    id: String(inode) as NodeId,
    kind: isSure ? (kinds[kind] as FileKind | null) : null,
    ...forbiddenMark(name),
  };
}

function isDots(name: Uint8Array): boolean {
  return name[0] === DOT && (name.length === 1 || (name.length === 2 && name[1] === DOT));
}

// Inode items. Layout: btrfs-progs, On-disk-format.rst.

import type { FileKind, FileStat, NodeId } from "../fileSystem.js";
import { damaged } from "../filesystemErrors.js";
import { uint64At, viewOf } from "./littleEndian.js";

const INODE_BYTES = 160;
const FLAG_NO_CHECKSUMS = 0x1;
const NS_PER_SECOND = 1_000_000_000n;

export interface BtrfsInode {
  number: number;
  kind: FileKind;
  sizeBytes: number;
  allocatedBytes: number;
  linkCount: number;
  uid: number;
  gid: number;
  mode: number;
  device: { major: number; minor: number } | null;
  hasChecksums: boolean;
  times: Record<"accessed" | "changed" | "modified" | "created", bigint | null>;
}

const kindByType = new Map<number, FileKind>([
  [0o01, "fifo"],
  [0o02, "character-device"],
  [0o04, "directory"],
  [0o06, "block-device"],
  [0o10, "file"],
  [0o12, "symlink"],
  [0o14, "socket"],
]);

export function decodeInode(bytes: Uint8Array, number: number): BtrfsInode {
  if (bytes.length < INODE_BYTES) throw damagedInode(number, "is cut off");
  const view = viewOf(bytes);
  const mode = view.getUint32(52, true);
  const kind = kindByType.get(mode >>> 12);
  if (kind === undefined) throw damagedInode(number, `has mode 0o${mode.toString(8)}`);
  const sizeBytes = uint64At(view, 16);
  if (!Number.isSafeInteger(sizeBytes)) throw damagedInode(number, "is larger than 8 PiB");
  const isDevice = kind === "character-device" || kind === "block-device";
  return {
    number,
    kind,
    sizeBytes,
    allocatedBytes: Math.min(uint64At(view, 24), Number.MAX_SAFE_INTEGER),
    linkCount: view.getUint32(40, true),
    uid: view.getUint32(44, true),
    gid: view.getUint32(48, true),
    mode: mode & 0o7777,
    device: isDevice ? decodeDevice(view.getUint32(56, true)) : null,
    hasChecksums: (view.getUint32(64, true) & FLAG_NO_CHECKSUMS) === 0,
    times: {
      accessed: decodeTime(view, 112),
      changed: decodeTime(view, 124),
      modified: decodeTime(view, 136),
      created: decodeTime(view, 148),
    },
  };
}

/** As the kernel packs the two numbers: 12 bits major, 20 bits minor. */
function decodeDevice(packed: number): { major: number; minor: number } {
  return { major: packed >>> 20, minor: packed & 0xfffff };
}

function decodeTime(view: DataView, at: number): bigint | null {
  const nanoseconds = view.getUint32(at + 8, true);
  if (nanoseconds >= 1e9) return null;
  return view.getBigInt64(at, true) * NS_PER_SECOND + BigInt(nanoseconds);
}

export function statOf(inode: BtrfsInode, id: NodeId): FileStat {
  const { kind, sizeBytes, allocatedBytes, mode, uid, gid, linkCount, times, device } = inode;
  return {
    id,
    kind,
    sizeBytes,
    allocatedBytes,
    mode,
    uid,
    gid,
    linkCount,
    modifiedAtNs: times.modified,
    accessedAtNs: times.accessed,
    changedAtNs: times.changed,
    createdAtNs: times.created,
    device,
  };
}

export function damagedInode(number: number, problem: string): Error {
  return damaged("btrfs", `inode ${number}`, problem, { inode: number });
}

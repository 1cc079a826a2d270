// What OpenSSH's extensions answer: the list of them, free space, and how much a request may carry.

import { MAX_PACKET_BYTES, type PacketReader, SftpProtocolError } from "./sftpPacket.js";

/** What a server without limits@openssh.com is asked for at once: every server has to take 32 KiB. */
export const DEFAULT_IO_BYTES = 32 * 1024;
/** A reply or request of this many bytes of contents still fits into a packet. */
const MAX_IO_BYTES = 255 * 1024;
const MAX_EXTENSIONS = 64;

export interface SpaceInfo {
  /** Identifies the file system as long as it is mounted. */
  fileSystemId: bigint;
  freeBytes: number;
  /** Files that can still be made; undefined where the file system has no limit. */
  freeFiles: number | undefined;
  readOnly: boolean;
}

export function decodeExtensions(reader: PacketReader): ReadonlySet<string> {
  const version = reader.u32();
  if (version !== 3) throw new SftpProtocolError(`protocol version ${version}, 3 is needed`);
  const names = new Set<string>();
  for (let count = 0; reader.rest > 0; count++) {
    if (count >= MAX_EXTENSIONS) throw new SftpProtocolError("too many extensions");
    names.add(reader.path());
    reader.counted(MAX_PACKET_BYTES); // the extension's own version or data
  }
  return names;
}

export function decodeSpace(reader: PacketReader): SpaceInfo {
  reader.u64Exact(); // block size, for hints only
  const fragmentBytes = reader.u64Exact();
  for (const _ of ["blocks", "free blocks"]) reader.u64Exact();
  const availableBlocks = reader.u64Exact();
  const files = reader.u64Exact();
  reader.u64Exact(); // free files, also for root
  const availableFiles = reader.u64Exact();
  const fileSystemId = reader.u64Exact();
  const flags = reader.u64Exact();
  return {
    fileSystemId,
    freeBytes: Number(fragmentBytes * availableBlocks),
    freeFiles: files === 0n ? undefined : Number(availableFiles),
    readOnly: (flags & 1n) === 1n,
  };
}

/** A server's limit; 0 means that it has none to tell. */
export function ioBytes(limit: bigint): number {
  if (limit === 0n) return DEFAULT_IO_BYTES;
  return limit > BigInt(MAX_IO_BYTES) ? MAX_IO_BYTES : Math.max(1024, Number(limit));
}

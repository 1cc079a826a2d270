// Targets of symbolic links: inside the inode, or in blocks with a header for each extent. Follows "XFS Algorithms & Data
// Structures", chapter Symbolic Links.

import type { ReadOptions } from "../blockReader.js";
import { damaged } from "../filesystemErrors.js";
import { viewOf } from "./bigEndian.js";
import { Fork } from "./fork.js";
import { damagedInode, type XfsInode } from "./inode.js";
import type { HeaderPlaces, XfsVolume } from "./volume.js";

/** XFS_SYMLINK_MAXLEN */
const MAX_TARGET_BYTES = 1024;
/** "XSLM" */
const MAGIC = 0x58534c4d;
const HEADER_BYTES = 56;
const PLACES: HeaderPlaces = { crc: 12, address: 40, uuid: 16, owner: 32 };

export async function readSymlink(volume: XfsVolume, inode: XfsInode, options?: ReadOptions): Promise<Uint8Array> {
  const length = inode.sizeBytes;
  if (length === 0 || length > MAX_TARGET_BYTES) throw damagedInode(inode.number, `is a link of ${length} bytes`);
  if (inode.data.format === "local") return inode.data.bytes.slice(0, length);
  const fork = new Fork(volume, inode.number, "data", inode.data);
  return await readRemoteTarget(fork, length, options);
}

async function readRemoteTarget(fork: Fork, length: number, options?: ReadOptions): Promise<Uint8Array> {
  const { blockBytes, features } = fork.volume.superblock;
  const headerBytes = features.version5 ? HEADER_BYTES : 0;
  const blocks = Math.ceil(length / (blockBytes - headerBytes));
  const target = new Uint8Array(length);
  let done = 0;
  for (let block = 0; done < length; ) {
    const extent = await fork.find(block, options);
    const available = extent === null || extent.start > block ? 1 : extent.start + extent.count - block;
    const count = Math.max(1, Math.min(available, blocks - block));
    const { bytes, byteOffset } = await fork.readMetadata(block, count, options);
    const part = Math.min(length - done, bytes.length - headerBytes);
    if (features.version5) checkTargetBlock(fork, bytes, byteOffset, { done, part });
    target.set(bytes.subarray(headerBytes, headerBytes + part), done);
    done += part;
    block += count;
  }
  return target;
}

function checkTargetBlock(
  fork: Fork,
  bytes: Uint8Array,
  byteOffset: number,
  { done, part }: { done: number; part: number },
): void {
  const where = `${fork.where}, link target`;
  const view = viewOf(bytes);
  if (view.getUint32(0) !== MAGIC) throw damaged("xfs", where, "has no magic number", { byteOffset });
  fork.volume.checkHeader(bytes, { places: PLACES, byteOffset, owner: fork.owner, where });
  if (view.getUint32(4) !== done || view.getUint32(8) !== part) {
    throw damaged("xfs", where, "is another part of it", { byteOffset });
  }
}

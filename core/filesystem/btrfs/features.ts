// Incompatible features by name, from the public header btrfs_tree.h. What is not known here would be read wrongly.

import { unsupported } from "../filesystemErrors.js";

const METADATA_UUID = 1 << 10;

/**
 * In order of bits: mixed back references, default subvolume, mixed groups, LZO, zstd, large metadata blocks, extended
 * inode references, RAID5/6, skinny metadata, no holes, metadata uuid, RAID1C3/4, zoned; and simple quotas. Zoned devices have
 * their superblocks elsewhere, but a file system with this feature on an ordinary device is laid out like any other.
 */
const KNOWN = 0x1fff | (1 << 16);

const names = new Map([
  [1 << 13, "extent tree version 2"],
  [1 << 14, "RAID stripe tree"],
  [1 << 15, "encryption"],
]);

const FLAG_METADUMP = 0b11;

export interface BtrfsFeatures {
  /** Tree blocks bear `metadataUuid` instead of the uuid that users see. */
  metadataUuid: boolean;
}

/** `high`, `low`: halves of 64 bits. Throws FILESYSTEM_UNSUPPORTED, which names the lowest bit that is not known. */
export function decodeFeatures(high: number, low: number): BtrfsFeatures {
  const unknown = low & ~KNOWN;
  if (unknown !== 0) {
    const lowest = (unknown & -unknown) >>> 0;
    throw unsupported("btrfs", names.get(lowest) ?? `incompatible feature 0x${lowest.toString(16)}`);
  }
  if (high !== 0) throw unsupported("btrfs", `incompatible feature 0x${high.toString(16)}00000000`);
  return { metadataUuid: (low & METADATA_UUID) !== 0 };
}

/** `high`: the upper half of the superblock's flags. */
export function refuseMetadataImage(high: number): void {
  if (((high >>> 1) & FLAG_METADUMP) !== 0) {
    throw unsupported("btrfs", "an image without contents, as btrfs-image makes it,");
  }
}

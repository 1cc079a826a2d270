// The checksum algorithms of btrfs, which a file system chooses once for its metadata and its data.

import { checksum64 } from "../../hash/checksum.js";
import { crc32cOf } from "../../hash/crc32c.js";
import { sha256 } from "../../hash/digest.js";
import { sameBytes } from "../entryName.js";
import { blake2b256 } from "./blake2b.js";
import { viewOf } from "./littleEndian.js";

export interface ChecksumAlgorithm {
  bytes: number;
  /** Whether `expected`, of `bytes` bytes, is the checksum of `data`. loadChecksum() has resolved before. */
  matches(data: Uint8Array, expected: Uint8Array): boolean;
}

const algorithms: readonly ChecksumAlgorithm[] = [
  { bytes: 4, matches: (data, expected) => crc32cOf(data) === viewOf(expected).getUint32(0, true) },
  { bytes: 8, matches: (data, expected) => checksum64(data) === viewOf(expected).getBigUint64(0, true) },
  { bytes: 32, matches: (data, expected) => sameBytes(sha256(data), expected) },
  { bytes: 32, matches: (data, expected) => sameBytes(blake2b256(data), expected) },
];

/** By the number in the superblock; null when it is not known. */
export function checksumAlgorithm(type: number): ChecksumAlgorithm | null {
  return algorithms[type] ?? null;
}

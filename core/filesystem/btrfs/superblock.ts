// The superblock, which stands up to three times on every device; the newest whole copy counts. Layout: btrfs-progs,
// Documentation/dev/On-disk-format.rst.

import type { BlockReader, ReadOptions } from "../blockReader.js";
import { damaged, unsupported } from "../filesystemErrors.js";
import { type ChecksumAlgorithm, checksumAlgorithm } from "./checksums.js";
import { type BtrfsFeatures, decodeFeatures, refuseMetadataImage } from "./features.js";
import { uint64At, viewOf } from "./littleEndian.js";

export const SUPERBLOCK_BYTES = 4096;
const PLACES = [64 * 1024, 64 * 1024 ** 2, 256 * 1024 ** 3] as const;
/** "_BHRfS_M" */
const MAGIC = 0x4d5f_5366_5248_425fn;
/** At the start of superblocks and tree blocks. */
export const CHECKSUM_ROOM = 32;
const LABEL_AT = 0x12b;
const LABEL_BYTES = 256;
const SYSTEM_CHUNKS_AT = 0x32b;
const SYSTEM_CHUNKS_BYTES = 2048;
const MAX_BLOCK_BYTES = 64 * 1024;
/** As the kernel has it: levels 0 to 7. */
export const MAX_LEVEL = 7;

export interface TreeRoot {
  address: number;
  generation: number;
  level: number;
}

export interface BtrfsSuperblock {
  generation: number;
  checksums: ChecksumAlgorithm;
  features: BtrfsFeatures;
  /** As users see it. */
  uuid: Uint8Array;
  /** What tree blocks bear. */
  metadataUuid: Uint8Array;
  label: string;
  totalBytes: number;
  usedBytes: number;
  sectorBytes: number;
  nodeBytes: number;
  rootTree: TreeRoot;
  chunkTree: TreeRoot;
  hasLog: boolean;
  deviceCount: number;
  device: { id: number; uuid: Uint8Array; sizeBytes: number };
  /** Pairs of key and chunk. */
  systemChunks: Uint8Array;
}

export interface FoundSuperblock {
  superblock: BtrfsSuperblock;
  /** Whether the first copy, which the kernel reads, was whole and the newest. */
  isFirst: boolean;
}

/** Throws FILESYSTEM_DAMAGED when no copy is whole, FILESYSTEM_UNSUPPORTED for features that would be read wrongly. */
export async function readSuperblock(reader: BlockReader, options?: ReadOptions): Promise<FoundSuperblock> {
  let newest: { bytes: Uint8Array; at: number; generation: number } | undefined;
  let problem = damagedSuperblock("is not there");
  for (const at of PLACES) {
    if (at + SUPERBLOCK_BYTES > reader.sizeBytes) break;
    const bytes = new Uint8Array(SUPERBLOCK_BYTES);
    await reader.read(bytes, at, options);
    const view = viewOf(bytes);
    if (view.getBigUint64(0x40, true) !== MAGIC) continue;
    const found = problemOf(bytes, at);
    problem = found ?? problem;
    if (found !== null) continue;
    const generation = uint64At(view, 0x48);
    if (newest === undefined || generation > newest.generation) newest = { bytes, at, generation };
  }
  if (newest === undefined) throw problem;
  return { superblock: decodeSuperblock(newest.bytes), isFirst: newest.at === PLACES[0] };
}

/** What is wrong with a copy as a whole. */
function problemOf(bytes: Uint8Array, at: number): Error | null {
  const view = viewOf(bytes);
  if (uint64At(view, 0x30) !== at) return damagedSuperblock("was written for another place");
  const type = view.getUint16(0xc4, true);
  const algorithm = checksumAlgorithm(type);
  if (algorithm === null) return unsupported("btrfs", `checksum algorithm ${type}`);
  const isWhole = algorithm.matches(bytes.subarray(CHECKSUM_ROOM), bytes.subarray(0, algorithm.bytes));
  return isWhole ? null : damagedSuperblock("does not match its checksum");
}

/** Of a copy without problems. */
function decodeSuperblock(bytes: Uint8Array): BtrfsSuperblock {
  const view = viewOf(bytes);
  const high = (at: number) => view.getUint32(at + 4, true);
  refuseMetadataImage(high(0x38));
  const features = decodeFeatures(high(0xbc), view.getUint32(0xbc, true));
  const generation = uint64At(view, 0x48);
  const uuid = bytes.slice(0x20, 0x30);
  const systemChunkBytes = view.getUint32(0xa0, true);
  if (systemChunkBytes > SYSTEM_CHUNKS_BYTES) throw damagedSuperblock("has too many system chunks");
  const superblock: BtrfsSuperblock = {
    generation,
    checksums: checksumAlgorithm(view.getUint16(0xc4, true)) as ChecksumAlgorithm,
    features,
    uuid,
    metadataUuid: features.metadataUuid ? bytes.slice(0x23b, 0x24b) : uuid,
    label: decodeLabel(bytes.subarray(LABEL_AT, LABEL_AT + LABEL_BYTES)),
    totalBytes: uint64At(view, 0x70),
    usedBytes: uint64At(view, 0x78),
    sectorBytes: view.getUint32(0x90, true),
    nodeBytes: view.getUint32(0x94, true),
    rootTree: { address: uint64At(view, 0x50), generation, level: view.getUint8(0xc6) },
    chunkTree: { address: uint64At(view, 0x58), generation: uint64At(view, 0xa4), level: view.getUint8(0xc7) },
    hasLog: uint64At(view, 0x60) !== 0,
    deviceCount: uint64At(view, 0x88),
    device: { id: uint64At(view, 0xc9), sizeBytes: uint64At(view, 0xd1), uuid: bytes.slice(0x10b, 0x11b) },
    systemChunks: bytes.slice(SYSTEM_CHUNKS_AT, SYSTEM_CHUNKS_AT + systemChunkBytes),
  };
  checkNumbers(superblock);
  return superblock;
}

function checkNumbers({ sectorBytes, nodeBytes, totalBytes, usedBytes, rootTree, chunkTree }: BtrfsSuperblock): void {
  if (!isBlockSize(sectorBytes)) throw damagedSuperblock(`has sectors of ${sectorBytes} bytes`);
  if (!isBlockSize(nodeBytes) || nodeBytes < sectorBytes) throw damagedSuperblock(`has nodes of ${nodeBytes} bytes`);
  if (rootTree.level > MAX_LEVEL || chunkTree.level > MAX_LEVEL) throw damagedSuperblock("has trees that are too high");
  if (!Number.isSafeInteger(totalBytes) || !Number.isSafeInteger(usedBytes)) {
    throw damagedSuperblock(`has ${totalBytes} bytes`);
  }
}

function isBlockSize(bytes: number): boolean {
  return bytes >= 4096 && bytes <= MAX_BLOCK_BYTES && (bytes & (bytes - 1)) === 0;
}

function decodeLabel(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

function damagedSuperblock(problem: string): Error {
  return damaged("btrfs", "superblock", problem);
}

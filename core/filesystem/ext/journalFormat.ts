// The journal's own structures (jbd2), big-endian. Layout: Linux documentation, filesystems/ext4, "Journal (jbd2)".

import { crc32c } from "../../hash/crc32c.js";
import { be32, fromHalves } from "./littleEndian.js";

export const JOURNAL_MAGIC = 0xc03b_3998;
export const BLOCK_TYPE = { descriptor: 1, commit: 2, superblockV1: 3, superblockV2: 4, revoke: 5 } as const;

const COMPAT_CHECKSUM = 0x1;
const FEATURE = { revoke: 0x1, is64bit: 0x2, asyncCommit: 0x4, checksumV2: 0x8, checksumV3: 0x10, fastCommit: 0x20 };
const KNOWN = 0x3f;
const TAG_FLAG = { escaped: 1, sameUuid: 2, last: 8 };
const UUID_BYTES = 16;
const HEADER_BYTES = 12;
const DEFAULT_FAST_COMMIT_BLOCKS = 256;

export interface JournalSuperblock {
  blockBytes: number;
  /** Blocks of transactions go from `first` to before `end`, then on at `first`. */
  first: number;
  end: number;
  /** Blocks of the whole journal; those from `end` on hold fast commits. */
  blockCount: number;
  /** Where the oldest transaction starts; 0: there is none. */
  start: number;
  sequence: number;
  checksums: "none" | "commit" | "v2" | "v3";
  is64bit: boolean;
  hasFastCommits: boolean;
  seed: number;
}

/** `refuse` makes the error for a feature that is not known, `fail` the one for anything else. */
export function decodeJournalSuperblock(
  bytes: Uint8Array,
  refuse: (feature: string) => Error,
  fail: (problem: string) => Error,
): JournalSuperblock {
  const type = be32(bytes, 4);
  const isKnownType = type === BLOCK_TYPE.superblockV1 || type === BLOCK_TYPE.superblockV2;
  if (be32(bytes, 0) !== JOURNAL_MAGIC || !isKnownType) throw fail("wrong magic");
  const hasFeatures = type === BLOCK_TYPE.superblockV2;
  const compat = hasFeatures ? be32(bytes, 0x24) : 0;
  const incompat = hasFeatures ? be32(bytes, 0x28) : 0;
  const hasBlockChecksums = (incompat & (FEATURE.checksumV2 | FEATURE.checksumV3)) !== 0;
  if (hasBlockChecksums && !superblockChecksumFits(bytes)) throw fail("wrong checksum");
  if ((incompat & ~KNOWN) !== 0) throw refuse(`journal feature 0x${((incompat & ~KNOWN) >>> 0).toString(16)}`);
  const hasFastCommits = (incompat & FEATURE.fastCommit) !== 0;
  const blockCount = be32(bytes, 0x10);
  const reserved = hasFastCommits ? be32(bytes, 0x54) || DEFAULT_FAST_COMMIT_BLOCKS : 0;
  const superblock: JournalSuperblock = {
    blockBytes: be32(bytes, 0x0c),
    first: be32(bytes, 0x14),
    end: blockCount - reserved,
    blockCount,
    start: be32(bytes, 0x1c),
    sequence: be32(bytes, 0x18),
    checksums: checksumsOf(compat, incompat),
    is64bit: (incompat & FEATURE.is64bit) !== 0,
    hasFastCommits,
    seed: crc32c(bytes.subarray(0x30, 0x40), 0xffff_ffff),
  };
  const { first, end, start } = superblock;
  if (first < 1 || first >= end) throw fail(`blocks ${first} to ${end}`);
  if (start !== 0 && (start < first || start >= end)) throw fail(`starts at block ${start}`);
  return superblock;
}

function checksumsOf(compat: number, incompat: number): JournalSuperblock["checksums"] {
  if ((incompat & FEATURE.checksumV3) !== 0) return "v3";
  if ((incompat & FEATURE.checksumV2) !== 0) return "v2";
  return (compat & COMPAT_CHECKSUM) !== 0 ? "commit" : "none";
}

function superblockChecksumFits(bytes: Uint8Array): boolean {
  return checksumWithout(bytes.subarray(0, 1024), 0xfc, 0xffff_ffff) === be32(bytes, 0xfc);
}

/** Over a block whose own checksum, at `at`, counts as zero. */
function checksumWithout(bytes: Uint8Array, at: number, register: number): number {
  const before = crc32c(bytes.subarray(0, at), register);
  return crc32c(bytes.subarray(at + 4), crc32c(new Uint8Array(4), before));
}

export function hasBlockChecksums({ checksums }: JournalSuperblock): boolean {
  return checksums === "v2" || checksums === "v3";
}

/** Descriptor and revoke blocks end with their checksum. */
export function tailChecksumFits(journal: JournalSuperblock, bytes: Uint8Array): boolean {
  if (!hasBlockChecksums(journal)) return true;
  const at = bytes.length - 4;
  return checksumWithout(bytes, at, journal.seed) === be32(bytes, at);
}

const COMMIT_CHECKSUM_KIND = 12;
const COMMIT_CHECKSUM = 16;
const KIND_CRC32 = 1;

/** `sum`: over the blocks of the transaction, where the commit block vouches for them. */
export function commitChecksumFits(journal: JournalSuperblock, bytes: Uint8Array, sum: number): boolean {
  const stored = be32(bytes, COMMIT_CHECKSUM);
  if (hasBlockChecksums(journal)) return checksumWithout(bytes, COMMIT_CHECKSUM, journal.seed) === stored;
  if (journal.checksums === "none") return true;
  const kind = bytes[COMMIT_CHECKSUM_KIND];
  const length = bytes[COMMIT_CHECKSUM_KIND + 1];
  if (kind === 0 && length === 0 && stored === 0) return true;
  return kind === KIND_CRC32 && length === 4 && stored === sum;
}

export interface JournalTag {
  /** The block of the file system that the logged block is for. */
  target: number;
  /** Its first four bytes were the journal's magic and have been zeroed. */
  isEscaped: boolean;
  /** Of the logged block; null without checksums of blocks. */
  checksum: number | null;
}

/** One for each logged block behind a descriptor block, in order. */
export function decodeTags(journal: JournalSuperblock, bytes: Uint8Array): JournalTag[] {
  const isV3 = journal.checksums === "v3";
  const isV2 = journal.checksums === "v2";
  const tagBytes = isV3 ? 16 : 8 + (isV2 ? 2 : 0) + (journal.is64bit ? 4 : 0);
  const end = bytes.length - (hasBlockChecksums(journal) ? 4 : 0);
  const tags: JournalTag[] = [];
  for (let at = HEADER_BYTES; at + tagBytes <= end; ) {
    const second = be32(bytes, at + 4);
    const flags = isV3 ? second : second & 0xffff;
    const high = journal.is64bit ? be32(bytes, at + 8) : 0;
    const checksum = isV3 ? be32(bytes, at + 12) : isV2 ? second >>> 16 : null;
    const target = fromHalves(high, be32(bytes, at));
    tags.push({ target, isEscaped: (flags & TAG_FLAG.escaped) !== 0, checksum });
    if ((flags & TAG_FLAG.last) !== 0) break;
    at += tagBytes + ((flags & TAG_FLAG.sameUuid) === 0 ? UUID_BYTES : 0);
  }
  return tags;
}

/** Whether a logged block, as it stands in the journal, is what its tag says. */
export function loggedBlockFits(
  journal: JournalSuperblock,
  bytes: Uint8Array,
  sequence: number,
  checksum: number | null,
): boolean {
  if (checksum === null) return true;
  const number = Uint8Array.of(sequence >>> 24, (sequence >>> 16) & 0xff, (sequence >>> 8) & 0xff, sequence & 0xff);
  const actual = crc32c(bytes, crc32c(number, journal.seed));
  return (journal.checksums === "v2" ? actual & 0xffff : actual) === checksum;
}

/** Blocks whose logged contents, up to this transaction, must not be used; null when the block makes no sense. */
export function decodeRevokes(journal: JournalSuperblock, bytes: Uint8Array): number[] | null {
  const used = be32(bytes, HEADER_BYTES);
  const end = bytes.length - (hasBlockChecksums(journal) ? 4 : 0);
  if (used > end) return null;
  const recordBytes = journal.is64bit ? 8 : 4;
  const blocks: number[] = [];
  for (let at = HEADER_BYTES + 4; at + recordBytes <= used; at += recordBytes) {
    blocks.push(journal.is64bit ? fromHalves(be32(bytes, at), be32(bytes, at + 4)) : be32(bytes, at));
  }
  return blocks;
}

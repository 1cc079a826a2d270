// The feature bits of a superblock, by name. Constants: "XFS Algorithms & Data Structures", chapter Superblocks, and the
// public header xfs_format.h for what is newer. Whatever changes what we read and is not known here is refused.

import { unsupported } from "../filesystemErrors.js";

export interface XfsFeatures {
  /** Metadata with checksums, owners and addresses (version 5). */
  version5: boolean;
  /** Directory entries name the kind of what they point to. */
  entryKinds: boolean;
  /** Names are looked up ignoring the case of ASCII and Latin-1 letters. */
  ignoresCase: boolean;
  /** The free space counter of the superblock is brought up to date at unmounting only. */
  lazyCounters: boolean;
  /** Metadata bear `metaUuid` instead of the uuid that users see. */
  metaUuid: boolean;
  needsRepair: boolean;
}

const VERSION_MASK = 0xf;
const VERSION_SHARED = 0x0200;
const VERSION_EXTENT_FLAG = 0x1000;
const VERSION_DIRECTORIES_2 = 0x2000;
const VERSION_IGNORES_CASE = 0x4000;
const VERSION_MORE_BITS = 0x8000;

const MORE_LAZY_COUNTERS = 0x002;
const MORE_ATTRIBUTES_2 = 0x008;
const MORE_PROJECT_32 = 0x080;
const MORE_CHECKSUMS = 0x100;
const MORE_ENTRY_KINDS = 0x200;
const MORE_KNOWN = MORE_LAZY_COUNTERS | MORE_ATTRIBUTES_2 | MORE_PROJECT_32 | MORE_CHECKSUMS | MORE_ENTRY_KINDS;

const INCOMPATIBLE_ENTRY_KINDS = 0x001;
const INCOMPATIBLE_META_UUID = 0x004;
const INCOMPATIBLE_NEEDS_REPAIR = 0x010;
/**
 * ftype, sparse inodes, meta uuid, bigtime, needs repair, nrext64, exchange-range (only a new kind of log item), parent
 * pointers (attributes of a namespace that nobody lists), metadata directory (a second root beside the first).
 */
const INCOMPATIBLE_KNOWN = 0x1ff;
const incompatibleNames = new Map([
  [0x200, "zoned real-time device"],
  [0x400, "zoned real-time device with gaps"],
]);

export interface FeatureFields {
  versionNumber: number;
  features2: number;
  badFeatures2: number;
  incompatible: number;
}

/** Throws FILESYSTEM_UNSUPPORTED for what would be read wrongly. Unknown read-only-compatible bits do not matter here. */
export function decodeFeatures(fields: FeatureFields): XfsFeatures {
  const { versionNumber } = fields;
  const version = versionNumber & VERSION_MASK;
  if (version !== 4 && version !== 5) throw unsupported("xfs", `format version ${version}`);
  if ((versionNumber & VERSION_DIRECTORIES_2) === 0) throw unsupported("xfs", "directories of version 1");
  if ((versionNumber & VERSION_SHARED) !== 0) throw unsupported("xfs", "a shared volume");
  const more = (versionNumber & VERSION_MORE_BITS) === 0 ? 0 : fields.features2 | fields.badFeatures2;
  const ignoresCase = (versionNumber & VERSION_IGNORES_CASE) !== 0;
  const lazyCounters = version === 5 || (more & MORE_LAZY_COUNTERS) !== 0;
  if (version === 5) {
    return { ...version5Features(fields.incompatible), ignoresCase, lazyCounters };
  }
  if ((versionNumber & VERSION_EXTENT_FLAG) === 0) throw unsupported("xfs", "extents without a state flag");
  refuseBits("version 4 feature", more & ~MORE_KNOWN, new Map());
  const entryKinds = (more & MORE_ENTRY_KINDS) !== 0;
  return { version5: false, entryKinds, ignoresCase, lazyCounters, metaUuid: false, needsRepair: false };
}

function version5Features(incompatible: number): Omit<XfsFeatures, "ignoresCase" | "lazyCounters"> {
  refuseBits("incompatible feature", incompatible & ~INCOMPATIBLE_KNOWN, incompatibleNames);
  return {
    version5: true,
    entryKinds: (incompatible & INCOMPATIBLE_ENTRY_KINDS) !== 0,
    metaUuid: (incompatible & INCOMPATIBLE_META_UUID) !== 0,
    needsRepair: (incompatible & INCOMPATIBLE_NEEDS_REPAIR) !== 0,
  };
}

function refuseBits(kind: string, bits: number, names: ReadonlyMap<number, string>): void {
  if (bits === 0) return;
  const lowest = (bits & -bits) >>> 0;
  const name = names.get(lowest) ?? `${kind} 0x${lowest.toString(16)}`;
  throw unsupported("xfs", name, { bits: bits >>> 0 });
}

// Feature bits of the superblock. Incompatible ones that are not in the list of what we read make opening fail by name;
// read-only-compatible and compatible ones never stand in a reader's way.

export const COMPAT = {
  hasJournal: 0x4,
  dirIndex: 0x20,
  sparseSuper2: 0x200,
  fastCommit: 0x400,
} as const;

export const INCOMPAT = {
  compression: 0x1,
  filetype: 0x2,
  recover: 0x4,
  journalDevice: 0x8,
  metaBg: 0x10,
  extents: 0x40,
  is64bit: 0x80,
  mmp: 0x100,
  flexBg: 0x200,
  eaInode: 0x400,
  dirdata: 0x1000,
  csumSeed: 0x2000,
  largeDir: 0x4000,
  inlineData: 0x8000,
  encrypt: 0x10000,
  casefold: 0x20000,
} as const;

export const RO_COMPAT = {
  sparseSuper: 0x1,
  largeFile: 0x2,
  btreeDir: 0x4,
  hugeFile: 0x8,
  gdtCsum: 0x10,
  bigalloc: 0x200,
  metadataCsum: 0x400,
} as const;

const readable =
  INCOMPAT.filetype |
  INCOMPAT.recover |
  INCOMPAT.metaBg |
  INCOMPAT.extents |
  INCOMPAT.is64bit |
  INCOMPAT.mmp |
  INCOMPAT.flexBg |
  INCOMPAT.eaInode |
  INCOMPAT.csumSeed |
  INCOMPAT.largeDir |
  INCOMPAT.inlineData |
  INCOMPAT.encrypt |
  INCOMPAT.casefold;

const refused = new Map<number, string>([
  [INCOMPAT.compression, "compression"],
  [INCOMPAT.journalDevice, "journal_dev (an external journal, not a file system)"],
  [INCOMPAT.dirdata, "dirdata"],
]);

/** The names of the incompatible features that we cannot read; of unknown ones their bit. */
export function unreadableFeatures(incompat: number): string[] {
  const names: string[] = [];
  for (let bit = 0; bit < 32; bit++) {
    const mask = (1 << bit) >>> 0;
    if ((incompat & mask) === 0 || (readable & mask) !== 0) continue;
    names.push(refused.get(mask) ?? `incompatible feature 0x${mask.toString(16)}`);
  }
  return names;
}

/** As `blkid` tells them apart: by features, not by what they were made as. */
export function typeFromFeatures(compat: number, incompat: number, roCompat: number): "ext2" | "ext3" | "ext4" {
  const ext3Incompat = INCOMPAT.filetype | INCOMPAT.recover | INCOMPAT.metaBg;
  const ext3RoCompat = RO_COMPAT.sparseSuper | RO_COMPAT.largeFile | RO_COMPAT.btreeDir;
  if ((incompat & ~ext3Incompat) !== 0 || (roCompat & ~ext3RoCompat) !== 0) return "ext4";
  return (compat & COMPAT.hasJournal) !== 0 ? "ext3" : "ext2";
}

// The full set of images: how each is made, what of its tree can be compared, and which other program reads it.

import type { TreeEntry } from "../filesystem/treeWalk.js";
import {
  type OtherReader,
  readByExfatFuse,
  readByGrub,
  readByKernel,
  readByMtools,
  readByNtfs3g,
} from "./otherReaders.js";

/** Which folder an image is filled with. */
export type TreeName = "unix" | "windows" | "fat32" | "fat16";

export interface ImageKind {
  name: string;
  tree: TreeName;
  devices: number;
  /** What the format, or the way in which it is filled, cannot hold. */
  leavesOut?: (entry: TreeEntry) => boolean;
  /** What the maker adds to the tree. */
  adds?: (tree: readonly TreeEntry[]) => TreeEntry[];
  otherReader: OtherReader;
}

/** Disks with several parts, out of images above. */
export interface DiskKind {
  name: "gpt" | "mbr" | "lvm";
  devices: number;
  /** Each as the volume that it becomes, and the kind that it was before. */
  parts: { volume: string; kind: string }[];
}

/** A prototype for mkfs.xfs knows none of these. */
const noPrototype = ({ path, kind }: TreeEntry): boolean =>
  /\s/.test(path) || path === "/sparse.bin" || !["file", "directory", "symlink"].includes(kind);

/** With checksums, mkfs.xfs writes targets outside of inodes without their header: kernels refuse them, as we do. */
const noLongLinks = (entry: TreeEntry): boolean => noPrototype(entry) || (entry.target?.length ?? 0) > 300;

const unix = (name: string, more: Partial<ImageKind> = {}): ImageKind => {
  return { name, tree: "unix", devices: 1, otherReader: readByKernel(), ...more };
};

/** Compressed in three ways, and once more in a snapshot of one of them. */
function compressedTwice(tree: readonly TreeEntry[]): TreeEntry[] {
  const moved = tree.filter(({ path }) => /^\/(sizes|text)(\/|$)/.test(path));
  const folders = ["/sub-zlib", "/sub-lzo", "/sub-zstd", "/snapshot"];
  const top = tree.find(({ path }) => path === "/") as TreeEntry;
  return folders.flatMap((folder) => [
    { ...top, path: folder },
    ...moved.map((entry) => ({ ...entry, path: folder + entry.path })),
  ]);
}

export const imageKinds: readonly ImageKind[] = [
  ...["ext2-1k", "ext3", "ext4", "ext4-inline", "ext4-bigalloc"].map((name) => unix(name)),
  unix("xfs-v4", { leavesOut: noPrototype, otherReader: readByGrub("xfs") }),
  unix("xfs-prototype", { leavesOut: noLongLinks }),
  unix("xfs-v5"),
  unix("xfs-dir64k"),
  unix("btrfs-rootdir"),
  unix("btrfs-rich", { adds: compressedTwice }),
  unix("btrfs-raid", { devices: 2, otherReader: readByKernel("btrfs") }),
  { name: "ntfs", tree: "windows", devices: 1, otherReader: readByNtfs3g },
  { name: "exfat", tree: "windows", devices: 1, otherReader: readByExfatFuse },
  { name: "fat32", tree: "fat32", devices: 1, otherReader: readByMtools },
  { name: "fat16", tree: "fat16", devices: 1, otherReader: readByMtools },
];

export const diskKinds: readonly DiskKind[] = [
  {
    name: "gpt",
    devices: 1,
    parts: [
      { volume: "/disk1/p1", kind: "fat32" },
      { volume: "/disk1/p2", kind: "ext4" },
    ],
  },
  {
    name: "mbr",
    devices: 1,
    parts: [
      { volume: "/disk1/p1", kind: "ntfs" },
      { volume: "/disk1/p5", kind: "ext3" },
      { volume: "/disk1/p6", kind: "fat16" },
    ],
  },
  {
    name: "lvm",
    devices: 2,
    parts: [
      { volume: "/disk1/large-root", kind: "ext4" },
      { volume: "/disk1/large-data", kind: "xfs-v5" },
      { volume: "/disk1/large-striped", kind: "ext2-1k" },
    ],
  },
];

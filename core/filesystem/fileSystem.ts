// What every file system looks like from outside, whatever its format. Read-only. Readers live in a folder each
// (ext/, xfs/, btrfs/, ntfs/, fat/) and export one `openX(reader, options): Promise<FileSystem>`.
//
// The image is not trusted: every count, length, depth and cycle is bounded before it is followed, checksums are verified
// where the format has them, and nothing is guessed. Errors: `FILESYSTEM_DAMAGED` (corrupt), `FILESYSTEM_UNSUPPORTED`
// (an incompatible feature, named), `FILE_NOT_FOUND`, `FILE_KIND_WRONG` (readDirectory of a file …), and what the reader throws.

import type { BlockReader, ReadOptions } from "./blockReader.js";

export type FileSystemType =
  | "ext2"
  | "ext3"
  | "ext4"
  | "xfs"
  | "btrfs"
  | "ntfs"
  | "fat12"
  | "fat16"
  | "fat32"
  | "exfat"
  /** A folder that was backed up file by file. */
  | "folder";

export interface FileSystemInfo {
  type: FileSystemType;
  /** Empty when it has none. */
  label: string;
  /** In the spelling of `blkid`; empty when it has none. */
  uuid: string;
  sizeBytes: number;
  /** Null when the format tells it only by counting everything. */
  usedBytes: number | null;
  blockBytes: number;
  /** For people: "journal replayed: 12 blocks", "not unmounted cleanly". */
  remarks: readonly string[];
}

export type FileKind =
  | "file"
  | "directory"
  | "symlink"
  | "character-device"
  | "block-device"
  | "fifo"
  | "socket"
  /** Something of this file system that is none of the above: named by `FileStat.special`. */
  | "special";

/** One inode of one file system, as long as it is open. Opaque: only the reader that made it can read it. */
export type NodeId = string & { readonly __node: never };

export interface FileStat {
  id: NodeId;
  kind: FileKind;
  /** Why it is special ("WOF-compressed", "mount point", "encrypted"); absent for others. */
  special?: string;
  sizeBytes: number;
  /** Bytes that it takes up; null when the format does not say cheaply. */
  allocatedBytes: number | null;
  /** Permission bits, 0–0o7777; null where the format has none. */
  mode: number | null;
  uid: number | null;
  gid: number | null;
  linkCount: number;
  /** Nanoseconds since 1970; null where the format has none or the value makes no sense. */
  modifiedAtNs: bigint | null;
  accessedAtNs: bigint | null;
  changedAtNs: bigint | null;
  createdAtNs: bigint | null;
  /** Of character and block devices. */
  device: { major: number; minor: number } | null;
}

export interface DirectoryEntry {
  /** As stored; UTF-16 names as UTF-8 (unpaired surrogates as WTF-8). */
  name: Uint8Array;
  id: NodeId;
  /** Null when the directory does not say and the inode has to be asked (stat). */
  kind: FileKind | null;
  /**
   * A name that no file can have: empty, `.`, `..`, or with `/` or NUL in it. To be shown, never to be found by `lookup` and
   * never to be made on this machine. Absent for all others.
   */
  forbidden?: true;
}

export interface DataRange {
  offset: number;
  length: number;
}

/** A part of a file whose bytes lie as they are, and together, on the device. */
export interface FileExtent extends DataRange {
  /** Of the reader that the file system was opened with. */
  deviceOffset: number;
}

export interface NamedBytes {
  /** With its namespace, as in `user.comment`. One that is no UTF-8: as `formatName` shows it. */
  name: string;
  /** Of a name that is no UTF-8: what it is. Absent for others. */
  nameBytes?: Uint8Array;
  value: Uint8Array;
}

export interface FileSystem {
  readonly info: FileSystemInfo;
  readonly root: NodeId;

  stat(node: NodeId, options?: ReadOptions): Promise<FileStat>;

  /** Every entry once, in the order of the medium; one with a forbidden name is marked, and does not hide the others. */
  readDirectory(node: NodeId, options?: ReadOptions): AsyncIterable<DirectoryEntry>;

  /** By exact bytes, or ignoring case where the file system does. Null: not there. Uses the format's own index if any. */
  lookup(directory: NodeId, name: Uint8Array, options?: ReadOptions): Promise<DirectoryEntry | null>;

  /**
   * Up to `buffer.length` bytes of a file from `offset`; answers how many, less only at its end. Holes read as zeros.
   */
  read(file: NodeId, buffer: Uint8Array, offset: number, options?: ReadOptions): Promise<number>;

  /** Ranges of a file that may hold something else than zeros, ascending, not beyond its size. The rest are holes. */
  dataRanges(file: NodeId, options?: ReadOptions): AsyncIterable<DataRange>;

  /**
   * Where the bytes of `dataRanges` lie, ascending and not beyond the file's size. What is compressed, inline or newer in a
   * journal is left out: it has to be read. Absent: this reader cannot tell.
   */
  extents?(file: NodeId, options?: ReadOptions): AsyncIterable<FileExtent>;

  /**
   * Says that these small files are going to be read one by one, so that what they need is fetched together. An error of it
   * says nothing that those reads would not say. Absent: it would not help.
   */
  readSoon?(files: readonly NodeId[], options?: ReadOptions): Promise<void>;

  /** The target as stored. At most 64 KiB. */
  readLink(symlink: NodeId, options?: ReadOptions): Promise<Uint8Array>;

  /** Extended attributes; alternate data streams of NTFS as `stream.NAME`. At most 64 KiB each, 16 MiB in all. */
  attributes(node: NodeId, options?: ReadOptions): Promise<NamedBytes[]>;
}

export interface OpenFileSystemOptions extends ReadOptions {
  /** Other devices of the same file system (btrfs). */
  companions?: readonly BlockReader[];
}

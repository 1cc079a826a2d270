// From what identify says to a reader of it.

import { CachedReader } from "./blockCache.js";
import type { BlockReader } from "./blockReader.js";
import { openBtrfs } from "./btrfs/openBtrfs.js";
import { openExfat } from "./exfat/exfatFileSystem.js";
import { openExt } from "./ext/openExt.js";
import { openFat } from "./fat/fatFileSystem.js";
import type { FileSystem, OpenFileSystemOptions } from "./fileSystem.js";
import { unsupported } from "./filesystemErrors.js";
import { openNtfs } from "./ntfs/ntfsFileSystem.js";
import type { Content } from "./volumes/identify.js";
import { openXfs } from "./xfs/openXfs.js";

type FileSystemKind = (Content & { kind: "filesystem" })["type"];

const OPENERS: Partial<
  Record<FileSystemKind, (reader: BlockReader, options: OpenFileSystemOptions) => Promise<FileSystem>>
> = {
  ext: openExt,
  xfs: openXfs,
  btrfs: openBtrfs,
  fat: openFat,
  exfat: openExfat,
  ntfs: openNtfs,
};

/** Opens what identify has found, over a block cache. Errors as in fileSystem.ts. */
export async function openFileSystem(
  type: FileSystemKind,
  reader: BlockReader,
  options: OpenFileSystemOptions = {},
): Promise<FileSystem> {
  const open = OPENERS[type];
  if (open === undefined) throw unsupported(type, "this file system");
  const companions = options.companions?.map((companion) => new CachedReader(companion));
  return await open(new CachedReader(reader), { ...options, companions });
}

// Finds a superblock that can be trusted: the first one, else a copy where `mke2fs` puts them.

import { isOurError } from "../../errors.js";
import type { BlockReader, ReadOptions } from "../blockReader.js";
import { decodeSuperblock, SUPERBLOCK_BYTES, SUPERBLOCK_OFFSET, type Superblock } from "./superblock.js";

export interface FoundSuperblock {
  superblock: Superblock;
  /** Why the first one could not be used; null when it is the first one. */
  firstIsDamaged: string | null;
}

const BLOCK_SIZES = [4096, 1024, 2048, 8192, 16384, 32768, 65536];

/** The error of the first superblock when no copy helps. */
export async function openSuperblock(reader: BlockReader, options: ReadOptions): Promise<FoundSuperblock> {
  try {
    return { superblock: await readAt(reader, SUPERBLOCK_OFFSET, options), firstIsDamaged: null };
  } catch (error) {
    if (!isOurError(error, "FILESYSTEM_DAMAGED")) throw error;
    const copy = await findCopy(reader, options);
    if (copy === null) throw error;
    return { superblock: copy, firstIsDamaged: error.message };
  }
}

/** In group 1, where its size depends on the block size. */
async function findCopy(reader: BlockReader, options: ReadOptions): Promise<Superblock | null> {
  for (const blockBytes of BLOCK_SIZES) {
    const offset = (blockBytes * 8 + (blockBytes === 1024 ? 1 : 0)) * blockBytes;
    if (offset + SUPERBLOCK_BYTES > reader.sizeBytes) continue;
    try {
      const copy = await readAt(reader, offset, options);
      if (copy.blockBytes === blockBytes && copy.ownGroup === 1) return copy;
    } catch (error) {
      if (!isOurError(error, "FILESYSTEM_DAMAGED")) throw error;
    }
  }
  return null;
}

async function readAt(reader: BlockReader, offset: number, options: ReadOptions): Promise<Superblock> {
  const bytes = new Uint8Array(SUPERBLOCK_BYTES);
  // a device too small for a superblock has zeros, hence no magic
  if (offset + SUPERBLOCK_BYTES <= reader.sizeBytes) await reader.read(bytes, offset, options);
  return decodeSuperblock(bytes);
}

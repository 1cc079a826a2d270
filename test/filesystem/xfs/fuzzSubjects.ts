// The images that the XFS reader is fuzzed with. Checksums keep most damage from going deep, so one subject of version 5
// mends them: its reader gives every structure that is read whole a checksum that fits.

import { readFile } from "node:fs/promises";
import type { BlockReader, ReadOptions } from "../../../core/filesystem/blockReader.js";
import { openXfs } from "../../../core/filesystem/xfs/openXfs.js";
import { crc32c } from "../../../core/hash/crc32c.js";
import type { FuzzSubject } from "../fuzzReader.js";
import { canMount, type XfsKind, xfsImage } from "./xfsImages.js";

/** Where the checksum of a structure is, by the 32 bits that it starts with, or by the 16 bits at another place. */
const byStart = new Map([
  [0x58465342, 224],
  [0x58414746, 216],
  [0x424d4133, 64],
  [0x58444233, 4],
  [0x58444433, 4],
  [0x58534c4d, 12],
  [0x5841524d, 12],
]);
const INODE_START = 0x494e;
const INODE_CHECKSUM = 100;
const hashBlockMagics = new Set([0x3ebe, 0x3df1, 0x3dff, 0x3bee]);
const HASH_BLOCK_CHECKSUM = 12;

function checksumPlace(view: DataView): number | undefined {
  const start = view.getUint32(0);
  if (start >>> 16 === INODE_START) return INODE_CHECKSUM;
  return byStart.get(start) ?? (hashBlockMagics.has(view.getUint16(8)) ? HASH_BLOCK_CHECKSUM : undefined);
}

class MendingReader implements BlockReader {
  readonly #inner: BlockReader;

  constructor(inner: BlockReader) {
    this.#inner = inner;
  }

  get sizeBytes(): number {
    return this.#inner.sizeBytes;
  }

  async read(buffer: Uint8Array, offset: number, options?: ReadOptions): Promise<void> {
    await this.#inner.read(buffer, offset, options);
    if (buffer.length < 256) return;
    const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    const place = checksumPlace(view);
    if (place === undefined) return;
    view.setUint32(place, 0);
    view.setUint32(place, (crc32c(buffer, 0xffff_ffff) ^ 0xffff_ffff) >>> 0, true);
  }
}

function subject(name: string, kind: XfsKind, open: FuzzSubject["open"]): FuzzSubject {
  return { name, image: async () => new Uint8Array(await readFile((await xfsImage(kind)).path)), open };
}

export const xfsFuzzSubjects: readonly FuzzSubject[] = [
  subject("xfs v4", "fuzz-v4", openXfs),
  ...(canMount()
    ? [
        subject("xfs v5", "fuzz-v5", openXfs),
        subject("xfs v5, checksums mended", "fuzz-v5", (reader) => openXfs(new MendingReader(reader))),
      ]
    : []),
];

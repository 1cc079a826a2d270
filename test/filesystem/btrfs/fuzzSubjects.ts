// The images that the btrfs reader is fuzzed with. Checksums keep most damage from going deep, so one subject mends them: its
// reader gives every superblock and tree block that is read whole a checksum that fits.

import { readFile } from "node:fs/promises";
import type { BlockReader, ReadOptions } from "../../../core/filesystem/blockReader.js";
import { openBtrfs } from "../../../core/filesystem/btrfs/openBtrfs.js";
import { crc32cOf } from "../../../core/hash/crc32c.js";
import type { FuzzSubject } from "../fuzzReader.js";
import { type BtrfsKind, btrfsImage, canMount } from "./btrfsImages.js";

const SUPERBLOCK_MAGIC = 0x4d5f_5366_5248_425fn;
const CHECKSUM_ROOM = 32;
/** Of the subjects here. */
const NODE_BYTES = 4096;

/** Of tree blocks, their own address is what tells them from contents of files, mostly. */
class MendingReader implements BlockReader {
  readonly #inner: BlockReader;
  readonly #isTreeBlock: (view: DataView) => boolean;

  constructor(inner: BlockReader, uuid: Uint8Array) {
    this.#inner = inner;
    const expected = new DataView(uuid.buffer, uuid.byteOffset, 16).getBigUint64(8);
    this.#isTreeBlock = (view) => view.getBigUint64(40) === expected;
  }

  get sizeBytes(): number {
    return this.#inner.sizeBytes;
  }

  async read(buffer: Uint8Array, offset: number, options?: ReadOptions): Promise<void> {
    await this.#inner.read(buffer, offset, options);
    if (buffer.length !== NODE_BYTES) return;
    const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    if (view.getBigUint64(64, true) === SUPERBLOCK_MAGIC || this.#isTreeBlock(view)) {
      view.setUint32(0, crc32cOf(buffer.subarray(CHECKSUM_ROOM)), true);
    }
  }
}

async function imageOf(kind: BtrfsKind): Promise<Uint8Array> {
  return new Uint8Array(await readFile((await btrfsImage(kind)).paths[0] as string));
}

/** The uuid is what it was before the image was changed: the subject remembers it. */
function mended(name: string, kind: BtrfsKind): FuzzSubject {
  let uuid = new Uint8Array(16);
  return {
    name,
    async image() {
      const image = await imageOf(kind);
      uuid = image.slice(0x1_0020, 0x1_0030);
      return image;
    },
    open: (reader) => openBtrfs(new MendingReader(reader, uuid)),
  };
}

export const btrfsFuzzSubjects: readonly FuzzSubject[] = [
  { name: "btrfs", image: () => imageOf("shrunk"), open: openBtrfs },
  mended("btrfs, checksums mended", "shrunk"),
  ...(canMount() ? [mended("btrfs with subvolumes, checksums mended", "fuzz")] : []),
];

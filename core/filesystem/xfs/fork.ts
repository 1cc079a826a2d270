// A fork as a row of blocks: the data of a file, a directory or a symbolic link, or the attributes of an inode.

import type { ReadOptions } from "../blockReader.js";
import { damaged } from "../filesystemErrors.js";
import { viewOf } from "./bigEndian.js";
import { decodeExtents, EXTENT_BYTES, type Extent, extentAfter } from "./extents.js";
import { ExtentTree } from "./extentTree.js";
import type { ForkPlace } from "./inode.js";
import type { XfsVolume } from "./volume.js";

export class Fork {
  readonly where: string;
  readonly volume: XfsVolume;
  readonly owner: number;
  readonly #extents: readonly Extent[] | ExtentTree;

  /** `place` is not "local" or "device". */
  constructor(volume: XfsVolume, owner: number, name: "data" | "attributes", place: ForkPlace) {
    this.volume = volume;
    this.owner = owner;
    this.where = `inode ${owner}, ${name}`;
    this.#extents = place.format === "tree" ? new ExtentTree(volume, owner, place.bytes) : this.#decodeInline(place);
  }

  #decodeInline({ format, bytes, extentCount }: ForkPlace): Extent[] {
    if (format !== "extents") throw damaged("xfs", this.where, `has format ${format}`);
    if (extentCount * EXTENT_BYTES > bytes.length) throw damaged("xfs", this.where, `has ${extentCount} extents`);
    const bounds = { from: 0, to: Number.POSITIVE_INFINITY, where: this.where };
    return decodeExtents(viewOf(bytes), extentCount, this.volume, bounds);
  }

  /** The first extent that ends after `block`; null when none follows. */
  async find(block: number, options?: ReadOptions): Promise<Extent | null> {
    const extents = this.#extents;
    return extents instanceof ExtentTree ? await extents.find(block, options) : extentAfter(extents, block);
  }

  /** Fills `buffer` from byte `offset`; holes and what was never written are zeros. */
  async read(buffer: Uint8Array, offset: number, options?: ReadOptions): Promise<void> {
    const { blockBytes } = this.volume.superblock;
    for (let done = 0; done < buffer.length; ) {
      options?.signal?.throwIfAborted();
      const position = offset + done;
      const extent = await this.find(Math.floor(position / blockBytes), options);
      const startByte = extent === null ? Number.POSITIVE_INFINITY : extent.start * blockBytes;
      const until = extent !== null && startByte <= position ? startByte + extent.count * blockBytes : startByte;
      const part = buffer.subarray(done, Math.min(buffer.length, done + until - position));
      if (extent === null || startByte > position || extent.unwritten) {
        part.fill(0);
      } else {
        const inside = this.volume.byteOffset(extent.address) + position - startByte;
        await this.volume.readInto(part, inside, this.where, options);
      }
      done += part.length;
    }
  }

  /** `count` blocks of metadata from `block`, which must all be there; and where the first one lies on the device. */
  async readMetadata(
    block: number,
    count: number,
    options?: ReadOptions,
  ): Promise<{ bytes: Uint8Array; byteOffset: number }> {
    const { blockBytes } = this.volume.superblock;
    const bytes = new Uint8Array(count * blockBytes);
    let byteOffset = -1;
    for (let done = 0; done < count; ) {
      const position = block + done;
      const extent = await this.find(position, options);
      if (extent === null || extent.start > position || extent.unwritten) {
        throw damaged("xfs", this.where, `block ${position} is missing`, { block: position });
      }
      const blocks = Math.min(count - done, extent.start + extent.count - position);
      const start = this.volume.byteOffset(extent.address + position - extent.start);
      const part = bytes.subarray(done * blockBytes, (done + blocks) * blockBytes);
      await this.volume.readInto(part, start, this.where, options);
      if (byteOffset < 0) byteOffset = start;
      done += blocks;
    }
    return { bytes, byteOffset };
  }
}

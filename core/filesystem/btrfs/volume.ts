// Reads by logical address, from whichever copy is there and whole.

import { isOurError } from "../../errors.js";
import type { BlockReader, ReadOptions } from "../blockReader.js";
import { damaged, unsupported } from "../filesystemErrors.js";
import { readInto } from "../readRange.js";
import { ChunkMap, type Placement, type Stripe } from "./chunkMap.js";
import type { Devices } from "./devices.js";
import { formatUuid } from "./littleEndian.js";
import type { BtrfsSuperblock } from "./superblock.js";
import { type BlockReference, TreeBlock } from "./treeBlock.js";

type Copy = Placement["copies"][number];

const CACHED_BLOCK_BYTES = 8 * 1024 * 1024;

export class BtrfsVolume {
  readonly superblock: BtrfsSuperblock;
  readonly chunks = new ChunkMap();
  readonly #devices: Devices;
  readonly #hasStale: boolean;
  /** Tree blocks by address, in order of use. */
  readonly #blocks = new Map<number, TreeBlock>();
  readonly #maxBlocks: number;

  constructor(devices: Devices, superblock: BtrfsSuperblock) {
    this.superblock = superblock;
    this.#devices = devices;
    this.#hasStale = devices.staleCount > 0;
    this.#maxBlocks = CACHED_BLOCK_BYTES / superblock.nodeBytes;
  }

  /** The first whole copy. Throws FILESYSTEM_DAMAGED, or FILESYSTEM_UNSUPPORTED when a device is missing. */
  async readBlock(reference: BlockReference, options?: ReadOptions): Promise<TreeBlock> {
    options?.signal?.throwIfAborted();
    const known = this.#blocks.get(reference.address);
    if (known !== undefined && known.generation === reference.generation && known.level === reference.level) {
      this.#blocks.delete(reference.address);
      this.#blocks.set(reference.address, known);
      return known;
    }
    const { nodeBytes } = this.superblock;
    const where = `tree block ${reference.address}`;
    const block = await this.firstGood(reference.address, nodeBytes, where, async (copy) => {
      const bytes = new Uint8Array(nodeBytes);
      await this.readCopy(bytes, reference.address, copy, where, options);
      return new TreeBlock(bytes, reference, this.superblock);
    });
    this.#blocks.set(reference.address, block);
    if (this.#blocks.size > this.#maxBlocks) {
      const [oldest] = this.#blocks.keys();
      this.#blocks.delete(oldest as number);
    }
    return block;
  }

  /** What `attempt` makes of the first copy that it does not find damaged or missing. */
  async firstGood<T>(
    logical: number,
    length: number,
    where: string,
    attempt: (copy: number) => Promise<T>,
  ): Promise<T> {
    const copies = this.#placement(logical, length, where).copies.length;
    let worst: unknown;
    for (let copy = 0; copy < copies; copy++) {
      try {
        return await attempt(copy);
      } catch (error) {
        if (!isOurError(error, "FILESYSTEM_DAMAGED") && !isOurError(error, "FILESYSTEM_UNSUPPORTED")) throw error;
        // that a device is missing explains more than that the copies that are there are damaged
        if (worst === undefined || isOurError(error, "FILESYSTEM_UNSUPPORTED")) worst = error;
      }
    }
    throw worst;
  }

  /** Fills `buffer` from copy number `copy` (of fewer copies: the last). Throws as readBlock does. */
  async readCopy(
    buffer: Uint8Array,
    logical: number,
    copy: number,
    where: string,
    options?: ReadOptions,
  ): Promise<void> {
    for (let done = 0; done < buffer.length; ) {
      options?.signal?.throwIfAborted();
      const { length, copies } = this.#placement(logical + done, buffer.length - done, where);
      const { stripe, offset } = copies[Math.min(copy, copies.length - 1)] as Copy;
      const part = buffer.subarray(done, done + length);
      await readInto(this.#reader(stripe, where), part, offset, { type: "btrfs", where }, options);
      done += length;
    }
  }

  /** How many bytes from `logical` on lie together, at most `length`, and in how many copies. */
  together(logical: number, length: number, where: string): { length: number; copies: number } {
    const placement = this.#placement(logical, length, where);
    return { length: placement.length, copies: placement.copies.length };
  }

  /** How many bytes from `logical` on lie together, and where on `reader`; null: not there, or what is there may be old. */
  locate(logical: number, length: number, reader: BlockReader): { length: number; offset: number | null } {
    const { length: together, copies } = this.#placement(logical, length, "file");
    const copy = copies.find(({ stripe: { deviceId, deviceUuid } }) => {
      return this.#devices.reader(deviceId, deviceUuid) === reader && !this.#devices.isStale(deviceId);
    });
    // A damaged chunk tree names places that no device has; whoever reads there is told so.
    const isInside = copy !== undefined && copy.offset + together <= reader.sizeBytes;
    return { length: together, offset: isInside ? copy.offset : null };
  }

  /** Copies on devices that are up to date come first. */
  #placement(logical: number, length: number, where: string): Placement {
    const placement = this.chunks.place(logical, length);
    if (placement === null) throw damaged("btrfs", where, "lies in no chunk", { logical });
    if (this.#hasStale && placement.copies.length > 1) {
      const isStale = ({ stripe }: Copy) => Number(this.#devices.isStale(stripe.deviceId));
      placement.copies.sort((a, b) => isStale(a) - isStale(b));
    }
    return placement;
  }

  #reader({ deviceId, deviceUuid }: Stripe, where: string): BlockReader {
    const reader = this.#devices.reader(deviceId, deviceUuid);
    if (reader !== undefined) return reader;
    throw unsupported("btrfs", `${where}, on device ${deviceId} (${formatUuid(deviceUuid)}), which is missing,`, {
      deviceId,
    });
  }
}

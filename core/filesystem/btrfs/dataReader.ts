// Contents of files by logical address, each sector checked against the checksum tree where that knows it, and read from
// another copy where it does not match.

import { isOurError } from "../../errors.js";
import type { ReadOptions } from "../blockReader.js";
import { damaged } from "../filesystemErrors.js";
import { CHECKSUM_OBJECT, TYPE } from "./key.js";
import type { Tree } from "./tree.js";
import type { BtrfsVolume } from "./volume.js";

const WINDOW_BYTES = 1024 * 1024;

/** By number of the sector in the range that was asked for. */
type SectorChecksums = readonly (Uint8Array | undefined)[];

export interface DataOrigin {
  /** For messages: "inode 12". */
  where: string;
  /** False for files that were written without checksums. */
  hasChecksums: boolean;
}

export class DataReader {
  readonly #volume: BtrfsVolume;
  readonly #checksumTree: Tree | null;

  /** `checksumTree`: null when the file system has none. */
  constructor(volume: BtrfsVolume, checksumTree: Tree | null) {
    this.#volume = volume;
    this.#checksumTree = checksumTree;
  }

  /** Fills `target` from `logical`. Throws FILESYSTEM_DAMAGED when no copy is whole. */
  async read(target: Uint8Array, logical: number, origin: DataOrigin, options?: ReadOptions): Promise<void> {
    const { sectorBytes } = this.#volume.superblock;
    for (let done = 0; done < target.length; ) {
      const inside = (logical + done) % sectorBytes;
      const sectors = Math.floor((target.length - done) / sectorBytes);
      if (inside === 0 && sectors > 0) {
        const part = target.subarray(done, done + Math.min(sectors * sectorBytes, WINDOW_BYTES));
        await this.#readSectors(part, logical + done, origin, options);
        done += part.length;
        continue;
      }
      const sector = new Uint8Array(sectorBytes);
      await this.#readSectors(sector, logical + done - inside, origin, options);
      const part = sector.subarray(inside, inside + target.length - done);
      target.set(part, done);
      done += part.length;
    }
  }

  async #readSectors(target: Uint8Array, logical: number, origin: DataOrigin, options?: ReadOptions): Promise<void> {
    const { sectorBytes } = this.#volume.superblock;
    const checksums = origin.hasChecksums ? await this.#checksums(logical, target.length, options) : [];
    for (let done = 0; done < target.length; ) {
      const { length, copies } = this.#volume.together(logical + done, target.length - done, origin.where);
      const part = target.subarray(done, done + length);
      const first = done / sectorBytes;
      const expected = checksums.slice(first, first + length / sectorBytes);
      await this.#readTogether(part, logical + done, copies, expected, origin.where, options);
      done += length;
    }
  }

  /** All sectors from the first copy, then those that are wrong from the others. */
  async #readTogether(
    target: Uint8Array,
    logical: number,
    copies: number,
    expected: SectorChecksums,
    where: string,
    options?: ReadOptions,
  ): Promise<void> {
    const { sectorBytes } = this.#volume.superblock;
    const sectorOf = (index: number) => target.subarray(index * sectorBytes, (index + 1) * sectorBytes);
    let problem = await this.#attempt(target, logical, 0, where, options);
    let wrong = Array.from({ length: target.length / sectorBytes }, (_, index) => index);
    if (problem === null) wrong = wrong.filter((index) => !this.#matches(sectorOf(index), expected[index]));
    for (let copy = 1; copy < copies && wrong.length > 0; copy++) {
      const still: number[] = [];
      for (const index of wrong) {
        const failure = await this.#attempt(sectorOf(index), logical + index * sectorBytes, copy, where, options);
        problem = failure ?? problem;
        if (failure !== null || !this.#matches(sectorOf(index), expected[index])) still.push(index);
      }
      wrong = still;
    }
    if (wrong.length === 0) return;
    const address = logical + (wrong[0] as number) * sectorBytes;
    throw problem ?? damaged("btrfs", where, "has contents that do not match their checksum", { address });
  }

  /** What keeps a copy from being read, if it is the file system that does. */
  async #attempt(
    target: Uint8Array,
    logical: number,
    copy: number,
    where: string,
    options?: ReadOptions,
  ): Promise<Error | null> {
    try {
      await this.#volume.readCopy(target, logical, copy, where, options);
      return null;
    } catch (error) {
      if (isOurError(error, "FILESYSTEM_DAMAGED") || isOurError(error, "FILESYSTEM_UNSUPPORTED")) return error;
      throw error;
    }
  }

  #matches(sector: Uint8Array, expected: Uint8Array | undefined): boolean {
    return expected === undefined || this.#volume.superblock.checksums.matches(sector, expected);
  }

  async #checksums(logical: number, length: number, options?: ReadOptions): Promise<SectorChecksums> {
    const { sectorBytes, checksums } = this.#volume.superblock;
    const found: (Uint8Array | undefined)[] = new Array(length / sectorBytes);
    if (this.#checksumTree === null) return found;
    const key = { objectId: CHECKSUM_OBJECT, type: TYPE.checksums, offset: logical };
    const before = await this.#checksumTree.floor(key, options);
    const start = before?.objectId === CHECKSUM_OBJECT && before.type === TYPE.checksums ? before.offset : logical;
    for await (const { offset, data } of this.#checksumTree.of(CHECKSUM_OBJECT, TYPE.checksums, start, options)) {
      if (offset >= logical + length) break;
      if (offset % sectorBytes !== 0 || data.length % checksums.bytes !== 0) {
        throw damaged("btrfs", "checksum tree", "has an item of a wrong size", { offset });
      }
      const shift = (offset - logical) / sectorBytes;
      const end = Math.min(data.length / checksums.bytes, found.length - shift);
      for (let i = Math.max(0, -shift); i < end; i++) {
        found[shift + i] = data.subarray(i * checksums.bytes, (i + 1) * checksums.bytes);
      }
    }
    return found;
  }
}

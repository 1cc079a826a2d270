// The bytes that a partition table, a volume manager or a file system is read from. A BlockSource is one; so is a part
// of another reader, a logical volume, and a disk inside a snapshot.

import { RepriseError } from "../errors.js";

export interface ReadOptions {
  signal?: AbortSignal;
}

export interface BlockReader {
  readonly sizeBytes: number;

  /**
   * Fills all of `buffer` with the bytes from `offset`, or throws; never a short answer. Safe for several reads at once.
   * Callers check ranges that come from the image themselves (readRange does): a read past the end is their bug or an
   * error of the source.
   */
  read(buffer: Uint8Array, offset: number, options?: ReadOptions): Promise<void>;

  /** Where its bytes lie below: on the disks that it is made of, in order. Absent: it is a disk itself. */
  places?(offset: number, length: number): Iterable<DiskPlace>;
}

/** A stretch of a disk. */
export interface DiskPlace {
  disk: BlockReader;
  offset: number;
  length: number;
}

/** The places of any reader; its own when it is a disk. The range must lie inside. */
export function placesOf(reader: BlockReader, offset: number, length: number): Iterable<DiskPlace> {
  return reader.places?.(offset, length) ?? [{ disk: reader, offset, length }];
}

/** A partition: `sizeBytes` bytes of `whole`, starting at `startBytes`. The part must lie inside. */
export class PartReader implements BlockReader {
  readonly sizeBytes: number;
  readonly #whole: BlockReader;
  readonly #startBytes: number;

  constructor(whole: BlockReader, startBytes: number, sizeBytes: number) {
    if (startBytes < 0 || sizeBytes < 0 || startBytes + sizeBytes > whole.sizeBytes) {
      throw new RepriseError(
        "invariant",
        "PART_OUTSIDE",
        `${sizeBytes} bytes at ${startBytes} are not inside ${whole.sizeBytes} bytes`,
      );
    }
    this.#whole = whole;
    this.#startBytes = startBytes;
    this.sizeBytes = sizeBytes;
  }

  async read(buffer: Uint8Array, offset: number, options?: ReadOptions): Promise<void> {
    if (offset < 0 || offset + buffer.length > this.sizeBytes) {
      throw new RepriseError(
        "invariant",
        "PART_OUTSIDE",
        `${buffer.length} bytes at ${offset} are not inside a part of ${this.sizeBytes} bytes`,
      );
    }
    await this.#whole.read(buffer, this.#startBytes + offset, options);
  }

  places(offset: number, length: number): Iterable<DiskPlace> {
    return placesOf(this.#whole, this.#startBytes + offset, length);
  }
}

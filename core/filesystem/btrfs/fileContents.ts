// Bytes of files, however they are stored: in the tree, as they are, compressed, or not at all.

import type { ReadOptions } from "../blockReader.js";
import type { DataReader } from "./dataReader.js";
import { COMPRESSION, decompressExtent } from "./decompress.js";
import type { FileExtents, StoredExtent } from "./fileExtents.js";

/** Plain bytes of compressed extents that are kept, 128 KiB at most each. */
const MAX_UNPACKED = 16;

export class FileContents {
  readonly #data: DataReader;
  readonly #sectorBytes: number;
  /** In order of use. */
  readonly #unpacked = new Map<string, Uint8Array>();

  constructor(data: DataReader, sectorBytes: number) {
    this.#data = data;
    this.#sectorBytes = sectorBytes;
  }

  /** Fills `target` from `offset` of the file; beyond what is stored, with zeros. */
  async read(file: FileExtents, target: Uint8Array, offset: number, options?: ReadOptions): Promise<void> {
    for (let done = 0; done < target.length; ) {
      options?.signal?.throwIfAborted();
      const position = offset + done;
      const extent = await file.at(position, options);
      const left = extent.start + extent.length - position;
      const part = target.subarray(done, done + left);
      await this.#readPart(file, extent, part, position - extent.start, options);
      done += part.length;
    }
  }

  async #readPart(
    file: FileExtents,
    extent: StoredExtent,
    target: Uint8Array,
    from: number,
    options?: ReadOptions,
  ): Promise<void> {
    const origin = { where: `inode ${file.inode.number}`, hasChecksums: file.inode.hasChecksums };
    if (extent.kind === "hole") {
      target.fill(0);
    } else if (extent.kind === "inline") {
      const bytes = this.#inlineBytes(extent, origin.where);
      target.fill(0);
      target.set(bytes.subarray(from, from + target.length));
    } else if (extent.compression === COMPRESSION.none) {
      await this.#data.read(target, extent.address + extent.inside + from, origin, options);
    } else {
      const plain = await this.#unpack(extent, origin, options);
      target.set(plain.subarray(extent.inside + from, extent.inside + from + target.length));
    }
  }

  #inlineBytes({ bytes, compression, length }: StoredExtent & { kind: "inline" }, where: string): Uint8Array {
    if (compression === COMPRESSION.none) return bytes;
    return decompressExtent(bytes, compression, length, this.#sectorBytes, where);
  }

  async #unpack(
    { address, storedBytes, plainBytes, compression }: StoredExtent & { kind: "extent" },
    origin: { where: string; hasChecksums: boolean },
    options?: ReadOptions,
  ): Promise<Uint8Array> {
    const key = `${address} ${storedBytes} ${plainBytes} ${compression}`;
    const known = this.#unpacked.get(key);
    this.#unpacked.delete(key);
    let plain = known;
    if (plain === undefined) {
      const stored = new Uint8Array(storedBytes);
      await this.#data.read(stored, address, origin, options);
      plain = decompressExtent(stored, compression, plainBytes, this.#sectorBytes, origin.where);
    }
    this.#unpacked.set(key, plain);
    if (this.#unpacked.size > MAX_UNPACKED) {
      const [oldest] = this.#unpacked.keys();
      this.#unpacked.delete(oldest as string);
    }
    return plain;
  }
}

// Where every blob lies, in memory: 44 bytes a blob plus half a byte of buckets. Blobs known at load time stand in
// buckets by the first bits of their id (built in two passes, never sorted); blobs stored since then in a small hash table.
// Ids are digests, so buckets are even; a repository made to have uneven ones only makes look-ups slower.

import { RepriseError } from "../errors.js";
import { bytesToHex, type PackName } from "../format/ids.js";
import { BLOB_ENTRY_BYTES, BLOB_ID_BYTES } from "../format/pack.js";
import type { PackContents } from "../format/packIndex.js";
import { AbsentPacks } from "./absentPacks.js";
import { IdTable } from "./idTable.js";

export interface BlobLocation {
  pack: PackName;
  /** Of the blob header. */
  offset: number;
  storedLength: number;
}

const BLOBS_PER_BUCKET = 8;

export class ChunkIndex {
  readonly #packs: PackName[] = [];
  readonly #packNumbers = new Map<PackName, number>();
  #bucketShift = 32;
  #bucketStarts = new Uint32Array(2);
  #ids = new Uint8Array(0);
  #packOf = new Uint32Array(0);
  #offsetOf = new Uint32Array(0);
  #lengthOf = new Uint32Array(0);
  readonly #added = new IdTable();
  /** For messages only: packs that are described and not there. */
  readonly absent = new AbsentPacks();

  /**
   * `forEachPack` is called twice and must hand out the same packs both times: first to count, then to fill. It may read
   * index objects again, so that they need not all be in memory beside the result. `expectedBlobs` chooses the number of
   * buckets; a wrong guess costs only speed.
   */
  static async build(
    forEachPack: (visit: (pack: PackContents) => void) => Promise<void>,
    expectedBlobs: number,
  ): Promise<ChunkIndex> {
    const index = new ChunkIndex();
    index.#chooseBuckets(expectedBlobs);
    await forEachPack((pack) => index.#count(pack));
    index.#startBuckets();
    await forEachPack((pack) => index.#fill(pack));
    index.#finishBuckets();
    return index;
  }

  /** Blobs, counting copies. */
  get blobCount(): number {
    return this.#packOf.length + this.#added.size;
  }

  /** Bytes held by typed arrays. */
  get memoryBytes(): number {
    return this.#ids.length + 12 * this.#packOf.length + 4 * this.#bucketStarts.length + this.#added.memoryBytes;
  }

  /** One copy, or undefined. `id` is at `at` in `bytes`. */
  find(bytes: Uint8Array, at = 0): BlobLocation | undefined {
    const position = this.#findLoaded(bytes, at);
    if (position >= 0) return this.#location(position);
    const row = this.#added.find(bytes, at);
    return row < 0 ? undefined : this.#addedLocation(row);
  }

  has(bytes: Uint8Array, at = 0): boolean {
    return this.#findLoaded(bytes, at) >= 0 || this.#added.find(bytes, at) >= 0;
  }

  /** `chunk … is in no pack`, with the name of the pack that held it where that is known. */
  missingText(id: Uint8Array): string {
    const pack = this.absent.packOf(id);
    const was = pack === undefined ? "" : ` (pack ${pack}, which held it, is missing)`;
    return `chunk ${bytesToHex(id)} is in no pack${was}`;
  }

  /** Every copy; the first is what find answers. */
  copies(id: Uint8Array): BlobLocation[] {
    const [start, end] = this.#bucket(id, 0);
    const found: BlobLocation[] = [];
    for (let i = start; i < end; i++) if (this.#equals(i, id, 0)) found.push(this.#location(i));
    const row = this.#added.find(id, 0);
    if (row >= 0 && this.#added.pack(row) !== PENDING) found.push(this.#addedLocation(row));
    return found;
  }

  /**
   * Position of the first copy among the loaded blobs (0 … loadedCount − 1), or −1: for bit sets over the index. The same id
   * always has the same position. Blobs added since loading have none.
   */
  positionOf(bytes: Uint8Array, at = 0): number {
    return this.#findLoaded(bytes, at);
  }

  get loadedCount(): number {
    return this.#packOf.length;
  }

  /** Notes that a blob is on its way, so that it is stored once. Its location follows with addPack. */
  addPending(bytes: Uint8Array, at = 0): void {
    this.#added.insert(bytes, at, PENDING, 0, 0);
  }

  /** Adds the blobs of a pack that has been stored. */
  addPack(pack: PackContents): void {
    const packNumber = this.#numberOf(pack.name);
    const view = new DataView(pack.entries.buffer, pack.entries.byteOffset, pack.entries.byteLength);
    for (let i = 0; i < pack.blobCount; i++) {
      const at = i * BLOB_ENTRY_BYTES;
      const offset = view.getUint32(at + 32, true);
      this.#added.insert(pack.entries, at, packNumber, offset, view.getUint32(at + 36, true));
    }
  }

  /** Visits every loaded and added blob with its id (valid during the call only) and location. */
  forEach(visit: (id: Uint8Array, location: BlobLocation) => void): void {
    for (let i = 0; i < this.#packOf.length; i++) {
      visit(this.#ids.subarray(i * BLOB_ID_BYTES, (i + 1) * BLOB_ID_BYTES), this.#location(i));
    }
    this.#added.forEach((id, row) => {
      if (this.#added.pack(row) !== PENDING) visit(id, this.#addedLocation(row));
    });
  }

  /** Visits the loaded blobs of these packs only; a fraction of the cost of forEach. */
  forEachIn(packs: ReadonlySet<PackName>, visit: (id: Uint8Array, location: BlobLocation) => void): void {
    const numbers = new Set([...packs].map((pack) => this.#packNumbers.get(pack)));
    for (let i = 0; i < this.#packOf.length; i++) {
      if (!numbers.has(this.#packOf[i])) continue;
      visit(this.#ids.subarray(i * BLOB_ID_BYTES, (i + 1) * BLOB_ID_BYTES), this.#location(i));
    }
  }

  #chooseBuckets(expectedBlobs: number): void {
    const buckets = Math.max(1, expectedBlobs / BLOBS_PER_BUCKET);
    const bits = Math.min(26, Math.ceil(Math.log2(buckets)));
    this.#bucketShift = 32 - bits;
    this.#bucketStarts = new Uint32Array(2 ** bits + 1);
  }

  #count(pack: PackContents): void {
    for (let i = 0; i < pack.blobCount; i++) {
      const bucket = this.#bucketNumber(pack.entries, i * BLOB_ENTRY_BYTES) + 1;
      this.#bucketStarts[bucket] = (this.#bucketStarts[bucket] as number) + 1;
    }
  }

  #startBuckets(): void {
    let sum = 0;
    for (let i = 0; i < this.#bucketStarts.length; i++) {
      sum += this.#bucketStarts[i] as number;
      this.#bucketStarts[i] = sum;
    }
    this.#ids = new Uint8Array(sum * BLOB_ID_BYTES);
    this.#packOf = new Uint32Array(sum);
    this.#offsetOf = new Uint32Array(sum);
    this.#lengthOf = new Uint32Array(sum);
  }

  /** While filling, bucketStarts[b] is the next free place of bucket b; finishBuckets moves the starts back. */
  #fill(pack: PackContents): void {
    const packNumber = this.#numberOf(pack.name);
    const view = new DataView(pack.entries.buffer, pack.entries.byteOffset, pack.entries.byteLength);
    for (let i = 0; i < pack.blobCount; i++) {
      const at = i * BLOB_ENTRY_BYTES;
      const bucket = this.#bucketNumber(pack.entries, at);
      const place = this.#bucketStarts[bucket] as number;
      if (place >= this.#packOf.length) throw sourceChanged();
      this.#bucketStarts[bucket] = place + 1;
      this.#ids.set(pack.entries.subarray(at, at + BLOB_ID_BYTES), place * BLOB_ID_BYTES);
      this.#packOf[place] = packNumber;
      this.#offsetOf[place] = view.getUint32(at + 32, true);
      this.#lengthOf[place] = view.getUint32(at + 36, true);
    }
  }

  #finishBuckets(): void {
    this.#bucketStarts.copyWithin(1, 0, this.#bucketStarts.length - 1);
    this.#bucketStarts[0] = 0;
  }

  #bucketNumber(bytes: Uint8Array, at: number): number {
    if (this.#bucketShift === 32) return 0;
    return firstWord(bytes, at) >>> this.#bucketShift;
  }

  #bucket(bytes: Uint8Array, at: number): [number, number] {
    const bucket = this.#bucketNumber(bytes, at);
    return [this.#bucketStarts[bucket] as number, this.#bucketStarts[bucket + 1] as number];
  }

  #findLoaded(bytes: Uint8Array, at: number): number {
    const bucket = this.#bucketNumber(bytes, at);
    const end = this.#bucketStarts[bucket + 1] as number;
    for (let i = this.#bucketStarts[bucket] as number; i < end; i++) if (this.#equals(i, bytes, at)) return i;
    return -1;
  }

  #equals(position: number, bytes: Uint8Array, at: number): boolean {
    const start = position * BLOB_ID_BYTES;
    for (let i = 0; i < BLOB_ID_BYTES; i++) if (this.#ids[start + i] !== bytes[at + i]) return false;
    return true;
  }

  #location(position: number): BlobLocation {
    return {
      pack: this.#packs[this.#packOf[position] as number] as PackName,
      offset: this.#offsetOf[position] as number,
      storedLength: this.#lengthOf[position] as number,
    };
  }

  #addedLocation(row: number): BlobLocation {
    const pack = this.#added.pack(row);
    if (pack === PENDING) {
      throw new RepriseError("invariant", "BLOB_PENDING", "a blob was looked up before its pack was stored");
    }
    return {
      pack: this.#packs[pack] as PackName,
      offset: this.#added.offset(row),
      storedLength: this.#added.length(row),
    };
  }

  #numberOf(name: PackName): number {
    let number = this.#packNumbers.get(name);
    if (number === undefined) {
      number = this.#packs.length;
      this.#packs.push(name);
      this.#packNumbers.set(name, number);
    }
    return number;
  }
}

const PENDING = 0xffff_ffff;

function firstWord(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}

function sourceChanged(): RepriseError {
  return new RepriseError(
    "invariant",
    "INDEX_SOURCE_CHANGED",
    "the index source handed out different packs the second time",
  );
}

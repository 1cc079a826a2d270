// The part of a restore that runs in worker threads: read packs, open blobs, check every digest, write the target.

import { Keyring } from "../crypto/keyring.js";
import { withTransfer } from "../engine/lane.js";
import { type ErrorAsData, errorToData, isAbort } from "../errors.js";
import { equalBytes } from "../format/bytes.js";
import { objectName, type PackName } from "../format/ids.js";
import { MAX_BLOB_PLAIN, MAX_BLOB_STORED } from "../format/limits.js";
import { BLOB_HEADER_BYTES, PACK_HEADER_BYTES, type PackHeader } from "../format/pack.js";
import { loadChecksum } from "../hash/checksum.js";
import { makeChunkHasher } from "../hash/digest.js";
import { readAhead } from "../platform/readAhead.js";
import { collectYoungGarbage } from "../platform/youngGarbage.js";
import { openByContents } from "../repository/blobSalvage.js";
import { BlobOpener, fetchPackHeader, type Hasher, readPackHeader } from "../repository/packReader.js";
import type { PackRead, WantedBlob } from "../repository/packReads.js";
import type { Backend, ObjectReader } from "../storage/backend.js";
import { type LaneStorage, openLaneStorage } from "../storage/laneStorage.js";
import type { BlockWriter, TargetLocation } from "./blockTarget.js";
import { openBlockWriter } from "./openTarget.js";

export interface RestoreLaneInit {
  /** Where the repository is; the main thread's backend itself when the lane runs inline. */
  storage: LaneStorage | Backend;
  masterKey: Uint8Array | null;
  /** Null: nothing is written (streams). */
  target: TargetLocation | null;
}

export interface RestoreBatch {
  reads: PackRead[];
  zeros: { offset: number; length: number }[];
  /** The target may hold the right bytes already: compare before writing. */
  compare: boolean;
}

export interface FailedBlob {
  id: Uint8Array;
  plainLength: number;
  targets: number[];
  pack: PackName;
  error: ErrorAsData;
}

/** The pack is gone: a collector may have moved what is needed of it. */
export function hasMoved({ error }: FailedBlob): boolean {
  return error.code === "OBJECT_NOT_FOUND";
}

export interface RestoreBatchResult {
  bytesWritten: number;
  bytesKept: number;
  failed: FailedBlob[];
  /** Written all the same: their headers are damaged, but the tables of contents of their packs were of help. */
  salvaged: FailedBlob[];
}

type Trouble = Pick<RestoreBatchResult, "failed" | "salvaged">;

export interface CheckBatch {
  entries: { offset: number; length: number; id: Uint8Array | null }[];
}

export interface RestoreLaneApi {
  /** Writes chunks and zeros; a chunk that cannot be had is reported, the others are written all the same. */
  restore(batch: RestoreBatch): Promise<RestoreBatchResult>;
  /** Plain bytes of the blobs, in the order of `reads` and `blobs`. */
  decode(batch: { reads: PackRead[] }): Promise<{ parts: Uint8Array[]; failed: FailedBlob[] }>;
  /** Closes the target. A thread that ends closes it by itself. */
  end(argument: null): Promise<void>;
  /** Reads the target again; answers the ranges that are not what they should be. */
  check(batch: CheckBatch): Promise<{ wrong: { offset: number; length: number }[] }>;
}

export async function createRestoreLane(init: RestoreLaneInit): Promise<RestoreLaneApi> {
  await loadChecksum();
  const backend = await openLaneStorage(init.storage);
  const writer = init.target ? await openBlockWriter(init.target) : null;
  return new RestoreLane(backend, init.masterKey ? new Keyring(init.masterKey) : null, writer);
}

class RestoreLane implements RestoreLaneApi {
  readonly #backend: ObjectReader;
  readonly #writer: BlockWriter | null;
  readonly #hash: Hasher;
  readonly #opener: BlobOpener;
  readonly #buffers: Uint8Array[] = [];
  readonly #plainBuffers: Uint8Array[] = [];
  readonly #introductions = new Map<PackName, Promise<void>>();
  #opened = 0;

  constructor(backend: ObjectReader, keyring: Keyring | null, writer: BlockWriter | null) {
    this.#backend = backend;
    this.#writer = writer;
    this.#hash = makeChunkHasher(keyring?.chunkIdKey ?? null);
    this.#opener = new BlobOpener(keyring, this.#hash);
  }

  async restore(batch: RestoreBatch): Promise<RestoreBatchResult> {
    const writer = this.#writer as BlockWriter;
    const result: RestoreBatchResult = { bytesWritten: 0, bytesKept: 0, failed: [], salvaged: [] };
    for (const { offset, length } of batch.zeros) await writer.zero(offset, length);
    const wanted: PackRead[] = [];
    for (const read of batch.reads) wanted.push(batch.compare ? await this.#dropKept(read, writer, result) : read);
    const reads = wanted.filter(({ blobs }) => blobs.length > 0);
    await this.#openEach(reads, result, async (blob, plain) => {
      for (const offset of blob.targets) {
        await writer.write(plain, offset);
        result.bytesWritten += plain.length;
      }
    });
    return result;
  }

  async decode(batch: { reads: PackRead[] }): Promise<{ parts: Uint8Array[]; failed: FailedBlob[] }> {
    const parts: Uint8Array[] = [];
    const trouble: Trouble = { failed: [], salvaged: [] };
    const { failed } = trouble;
    // A copy (which slice is not, of a Buffer): a decoder's result may be a view of memory that must not move as a whole.
    await this.#openEach(batch.reads, trouble, async (_blob, plain) => void parts.push(new Uint8Array(plain)));
    return withTransfer(
      { parts, failed },
      parts.map(({ buffer }) => buffer as ArrayBuffer),
    );
  }

  async end(): Promise<void> {
    await this.#writer?.close();
  }

  async check(batch: CheckBatch): Promise<{ wrong: { offset: number; length: number }[] }> {
    const wrong: { offset: number; length: number }[] = [];
    for (const { offset, length, id } of batch.entries) {
      const right = id === null ? await this.#isZero(offset, length) : await this.#holds(id, offset, length);
      if (!right) wrong.push({ offset, length });
    }
    return { wrong };
  }

  /** Reads stretches of packs, some ahead where that pays, and hands out their blobs; what fails is noted with its error. */
  async #openEach(
    reads: readonly PackRead[],
    trouble: Trouble,
    use: (blob: WantedBlob, plain: Uint8Array) => Promise<void>,
  ): Promise<void> {
    await readAhead(
      reads,
      ({ length }) => length,
      (read) => this.#fetch(read),
      async (read, fetched) => {
        if ("error" in fetched) {
          for (const blob of read.blobs) trouble.failed.push(failedBlob(blob, read.pack, fetched.error));
          return;
        }
        await this.#openAll(read.pack, read, fetched.bytes, trouble, use);
        this.#buffers.push(fetched.memory);
      },
      { atOnce: this.#backend.parallelReads ?? 1, bytes: AHEAD_BYTES },
    );
  }

  /** The stretch's bytes, with its pack introduced; an error as a result, unless it is an abort. */
  async #fetch(read: PackRead): Promise<{ bytes: Uint8Array; memory: Uint8Array } | { error: unknown }> {
    const { pack, offset, length } = read;
    const lead = this.#readsHeaderAlong(read) ? offset : 0;
    const memory = this.#takeBuffer(lead + length);
    try {
      const bytes = this.#backend.get(objectName.pack(pack), {
        range: { offset: offset - lead, length: lead + length },
        into: memory,
      });
      bytes.catch(() => {}); // it is thrown below
      if (!this.#opener.knows(pack)) {
        await this.#introduce(pack, async () =>
          lead > 0 ? await headerOrElse(await bytes, pack, this.#backend) : await fetchPackHeader(this.#backend, pack),
        );
      }
      const read = await bytes;
      return { bytes: read.subarray(lead), memory: new Uint8Array(read.buffer) };
    } catch (error) {
      if (isAbort(error)) throw error;
      return { error };
    }
  }

  /** Behind a network one request brings the header of a pack, too, when it lies near. */
  #readsHeaderAlong({ pack, offset }: PackRead): boolean {
    if (this.#backend.parallelReads === undefined || offset > HEADER_REACH) return false;
    return !this.#opener.knows(pack) && !this.#introductions.has(pack);
  }

  /** Whoever comes while a header is on its way waits for it. */
  async #introduce(pack: PackName, read: () => Promise<PackHeader>): Promise<void> {
    let introduction = this.#introductions.get(pack);
    if (introduction === undefined) {
      introduction = read()
        .then((header) => this.#opener.introduce(pack, header))
        .finally(() => this.#introductions.delete(pack));
      this.#introductions.set(pack, introduction);
    }
    await introduction;
  }

  async #openAll(
    pack: PackName,
    read: PackRead,
    bytes: Uint8Array,
    trouble: Trouble,
    use: (blob: WantedBlob, plain: Uint8Array) => Promise<void>,
  ): Promise<void> {
    const into = this.#plainBuffers.pop() ?? new Uint8Array(MAX_BLOB_PLAIN);
    for (const blob of read.blobs) {
      let plain: Uint8Array;
      try {
        plain = await this.#openOne(pack, read, bytes, blob, into, trouble);
        if (plain.length !== blob.plainLength)
          throw new Error(`chunk has ${plain.length} bytes, the map says ${blob.plainLength}`);
      } catch (error) {
        trouble.failed.push(failedBlob(blob, pack, error));
        continue;
      }
      await use(blob, plain);
      if (++this.#opened % BLOBS_PER_COLLECTION === 0) collectYoungGarbage();
    }
    this.#plainBuffers.push(into);
  }

  async #openOne(
    pack: PackName,
    read: PackRead,
    bytes: Uint8Array,
    blob: WantedBlob,
    into: Uint8Array,
    { salvaged }: Trouble,
  ): Promise<Uint8Array> {
    const at = blob.offset - read.offset;
    try {
      return this.#opener.open(pack, bytes, at, blob.id, into).plain;
    } catch (error) {
      const plain = await openByContents(this.#backend, this.#opener, pack, bytes, at, blob, error, { into });
      salvaged.push(failedBlob(blob, pack, error));
      return plain;
    }
  }

  /** Memory for one read; a few batches at once share a handful of buffers. */
  #takeBuffer(length: number): Uint8Array {
    const at = this.#buffers.findIndex((buffer) => buffer.length >= length);
    const spare = at < 0 ? this.#buffers.pop() : this.#buffers.splice(at, 1)[0];
    return spare !== undefined && spare.length >= length ? spare : new Uint8Array(Math.max(length, READ_BUFFER_BYTES));
  }

  /** The read without the blobs that the target holds everywhere already. */
  async #dropKept(read: PackRead, writer: BlockWriter, result: RestoreBatchResult): Promise<PackRead> {
    const blobs: WantedBlob[] = [];
    for (const blob of read.blobs) {
      const present = new Uint8Array(blob.plainLength);
      const missing: number[] = [];
      for (const offset of blob.targets) {
        await writer.read(present, offset);
        if (equalBytes(this.#hash(present), blob.id)) result.bytesKept += blob.plainLength;
        else missing.push(offset);
      }
      if (missing.length > 0) blobs.push({ ...blob, targets: missing });
    }
    return { ...read, blobs };
  }

  async #holds(id: Uint8Array, offset: number, length: number): Promise<boolean> {
    const present = new Uint8Array(length);
    await this.#writer?.read(present, offset);
    return equalBytes(this.#hash(present), id);
  }

  async #isZero(offset: number, length: number): Promise<boolean> {
    const part = new Uint8Array(Math.min(length, ZERO_CHECK_BYTES));
    for (let at = 0; at < length; at += part.length) {
      const view = part.subarray(0, Math.min(part.length, length - at));
      await this.#writer?.read(view, offset + at);
      if (view.some((byte) => byte !== 0)) return false;
    }
    return true;
  }
}

const ZERO_CHECK_BYTES = 1024 * 1024;
/** Reads are joined up to 4 MiB; one blob may be a little larger. */
const READ_BUFFER_BYTES = MAX_BLOB_STORED + BLOB_HEADER_BYTES;
/** Read ahead by one batch; two batches of a lane are under way. */
const AHEAD_BYTES = 16 * 1024 * 1024;
/** So near to the begin of a pack its header is read along. */
const HEADER_REACH = 256 * 1024;
/** Some 16 MiB of decrypted bytes. */
const BLOBS_PER_COLLECTION = 256;

async function headerOrElse(bytes: Uint8Array, pack: PackName, backend: ObjectReader): Promise<PackHeader> {
  try {
    return readPackHeader(bytes.subarray(0, PACK_HEADER_BYTES), pack);
  } catch {
    return await fetchPackHeader(backend, pack); // the second copy may be whole
  }
}

function failedBlob(blob: WantedBlob, pack: PackName, error: unknown): FailedBlob {
  const { id, plainLength, targets } = blob;
  return { id, plainLength, targets, pack, error: errorToData(error) };
}

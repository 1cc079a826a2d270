// Decides which blobs are new and takes finished packs. One for real backups, one for dry runs.

import type { Sid } from "../format/ids.js";
import { MAX_BLOB_STORED } from "../format/limits.js";
import { BLOB_ID_BYTES, type BlobKind } from "../format/pack.js";
import type { ChunkIndex } from "./chunkIndex.js";
import { type CodecChoice, type FinishedPack, PackBuilder } from "./packBuilder.js";
import { loadPresenceForReading } from "./presence.js";
import type { Repository } from "./repository.js";
import type { WriterSession } from "./session.js";
import type { OnWarning } from "./warnings.js";

export interface BackupCounts {
  bytesRead: number;
  bytesNew: number;
  bytesStored: number;
  chunksTotal: number;
  chunksNew: number;
}

export interface BlobSink {
  readonly statistics: BackupCounts;
  /** Null: chunks are counted, not encoded. */
  readonly sid: Sid | null;
  /** What is stored, or claimed by this session: it may be referred to. */
  readonly index: ChunkIndex;
  /** Claims the chunks that are not stored yet; the caller must encode them all. Lengths belong to the chunks' ids. */
  claimNew(ids: Uint8Array, lengths: readonly number[]): Uint32Array;
  /** Stores a blob of the main thread (page, root, file) unless it is present; answers its id. */
  storeBlob(kind: BlobKind, plain: Uint8Array): Promise<Uint8Array>;
  putPack(pack: FinishedPack): Promise<void>;
  /** Stores what storeBlob has collected. */
  finish(): Promise<void>;
}

/** Map pages and files: zstd 3 whatever the chunks' codec. */
const METADATA_CODEC: CodecChoice = { codec: "zstd", level: 3 };

class Claims {
  readonly statistics: BackupCounts = { bytesRead: 0, bytesNew: 0, bytesStored: 0, chunksTotal: 0, chunksNew: 0 };
  readonly index: ChunkIndex;

  constructor(index: ChunkIndex) {
    this.index = index;
  }

  claimNew(ids: Uint8Array, lengths: readonly number[]): Uint32Array {
    const wanted: number[] = [];
    lengths.forEach((length, chunk) => {
      this.statistics.chunksTotal++;
      if (!this.claim(ids, chunk * BLOB_ID_BYTES)) return;
      wanted.push(chunk);
      this.statistics.chunksNew++;
      this.statistics.bytesNew += length;
    });
    return Uint32Array.from(wanted);
  }

  /** True once for each id that is not present. */
  claim(ids: Uint8Array, at: number): boolean {
    if (this.index.has(ids, at)) return false;
    this.index.addPending(ids, at);
    return true;
  }
}

export class SessionSink implements BlobSink {
  readonly sid: Sid;
  readonly #repository: Repository;
  readonly #session: WriterSession;
  readonly #claims: Claims;
  readonly #builder: PackBuilder;

  constructor(repository: Repository, session: WriterSession) {
    this.#repository = repository;
    this.#session = session;
    this.sid = session.sid;
    this.#claims = new Claims(session.presence.index);
    // Metadata packs are numbered from the top, so that they never meet the lanes' numbers.
    this.#builder = new PackBuilder({
      sid: session.sid,
      packBytes: Math.min(repository.config.packBytes, METADATA_PACK_BYTES),
      keyring: repository.keyring,
      firstNumber: 0xffff_ffff,
      numberStep: -1,
    });
  }

  get statistics(): BackupCounts {
    return this.#claims.statistics;
  }

  get index(): ChunkIndex {
    return this.#claims.index;
  }

  claimNew(ids: Uint8Array, lengths: readonly number[]): Uint32Array {
    return this.#claims.claimNew(ids, lengths);
  }

  async storeBlob(kind: BlobKind, plain: Uint8Array): Promise<Uint8Array> {
    const id = this.#repository.hash(plain);
    if (this.#claims.claim(id, 0)) {
      this.#builder.add(kind, id, plain, METADATA_CODEC);
      if (this.#builder.isFull) await this.#storeMetadataPack();
    }
    return id;
  }

  async putPack(pack: FinishedPack): Promise<void> {
    await this.#session.putPack(pack);
    this.statistics.bytesStored += pack.bytes.length;
  }

  async finish(): Promise<void> {
    await this.#storeMetadataPack();
  }

  async #storeMetadataPack(): Promise<void> {
    const pack = this.#builder.finish();
    if (pack === null) return;
    await this.putPack(pack);
    this.#builder.reuse(pack.buffer);
  }
}

/** Metadata packs are read in parts, so they need not be large; two blobs of the largest size fit. */
const METADATA_PACK_BYTES = 4 * MAX_BLOB_STORED;

export class DryRunSink implements BlobSink {
  readonly sid = null;
  readonly #repository: Repository;
  readonly #claims: Claims;

  private constructor(repository: Repository, claims: Claims) {
    this.#repository = repository;
    this.#claims = claims;
  }

  static async open(
    repository: Repository,
    options: { signal?: AbortSignal; onWarning: OnWarning },
  ): Promise<DryRunSink> {
    const { index } = await loadPresenceForReading(repository, options);
    return new DryRunSink(repository, new Claims(index));
  }

  get statistics(): BackupCounts {
    return this.#claims.statistics;
  }

  get index(): ChunkIndex {
    return this.#claims.index;
  }

  claimNew(ids: Uint8Array, lengths: readonly number[]): Uint32Array {
    this.#claims.claimNew(ids, lengths);
    return new Uint32Array(0);
  }

  async storeBlob(_kind: BlobKind, plain: Uint8Array): Promise<Uint8Array> {
    return this.#repository.hash(plain);
  }

  async putPack(): Promise<void> {}

  async finish(): Promise<void> {}
}

// Copies live blobs out of mostly dead packs. The collector acts as an ordinary writer here (W1–W5), and gives its session
// up at the end: the copies stay because snapshots need them, and the old packs become victims of the next plan.

import { isAbort, isOurError } from "../errors.js";
import { bytesToHex, objectName, type PackName } from "../format/ids.js";
import { BLOB_ENTRY_BYTES, BLOB_HEADER_BYTES, BLOB_ID_BYTES, type BlobKind, decodeBlobHeader } from "../format/pack.js";
import type { PackContents } from "../format/packIndex.js";
import { checksum64 } from "../hash/checksum.js";
import type { OnProgress } from "../platform/progress.js";
import { BlobReader } from "../repository/blobReader.js";
import { PackBuilder } from "../repository/packBuilder.js";
import { readPackContents, scanPack } from "../repository/packReader.js";
import type { Presence } from "../repository/presence.js";
import type { Repository } from "../repository/repository.js";
import { WriterSession } from "../repository/session.js";
import type { OnWarning } from "../repository/warnings.js";
import type { Marks } from "./marks.js";

export interface RepackOptions {
  signal?: AbortSignal;
  onProgress?: OnProgress;
  onWarning: OnWarning;
}

export interface RepackResult {
  /** Packs whose live blobs all have a copy elsewhere now. */
  emptied: PackName[];
  copiedBytes: number;
}

/**
 * Copies what is live in `packs` and has no copy but in them and in the `doomed` ones, which are deleted as they are. A pack
 * with a live blob that cannot be read any more is left as it is, with a warning.
 */
export async function repack(
  repository: Repository,
  presence: Presence,
  marks: Marks,
  { packs, doomed }: { packs: readonly PackName[]; doomed: readonly PackName[] },
  options: RepackOptions,
): Promise<RepackResult> {
  const session = await WriterSession.open(repository, { purpose: "gc", group: null, ...options });
  try {
    const copier = new Copier(repository, presence, marks, session, new Set([...packs, ...doomed]));
    const result: RepackResult = { emptied: [], copiedBytes: 0 };
    for (const [i, pack] of packs.entries()) {
      options.signal?.throwIfAborted();
      if (await copier.copyLive(pack, options)) result.emptied.push(pack);
      options.onProgress?.({ operation: "gc", phase: "repack", done: i + 1, total: packs.length, unit: "objects" });
    }
    result.copiedBytes = await copier.finish();
    await session.abandon("repacking is done");
    return result;
  } catch (error) {
    await session.abandon("repacking was interrupted").catch(() => session.drop());
    throw error;
  }
}

class Copier {
  readonly #repository: Repository;
  readonly #presence: Presence;
  readonly #marks: Marks;
  readonly #session: WriterSession;
  /** Packs that will be deleted: copies in them do not count as "elsewhere". */
  readonly #leaving: ReadonlySet<PackName>;
  readonly #blobs: BlobReader;
  readonly #builder: PackBuilder;
  #copiedBytes = 0;

  constructor(
    repository: Repository,
    presence: Presence,
    marks: Marks,
    session: WriterSession,
    leaving: ReadonlySet<PackName>,
  ) {
    this.#repository = repository;
    this.#presence = presence;
    this.#marks = marks;
    this.#session = session;
    this.#leaving = leaving;
    this.#blobs = new BlobReader(repository, presence.index);
    const { packBytes } = repository.config;
    this.#builder = new PackBuilder({
      sid: session.sid,
      packBytes,
      keyring: repository.keyring,
      firstNumber: 0,
      numberStep: 1,
    });
  }

  /** True when every live blob of the pack has been copied or has a good copy elsewhere. */
  async copyLive(pack: PackName, options: RepackOptions): Promise<boolean> {
    try {
      const sizeBytes = this.#presence.packs.get(pack)?.sizeBytes ?? 0;
      const { entries, blobCount } = await this.#contents(pack, sizeBytes, options);
      for (let i = 0; i < blobCount; i++) {
        const id = entries.subarray(i * BLOB_ENTRY_BYTES, i * BLOB_ENTRY_BYTES + BLOB_ID_BYTES);
        if (this.#marks.isLive(id) && !this.#isElsewhere(id)) await this.#copy(id, options.signal);
      }
      return true;
    } catch (error) {
      if (isAbort(error) || !isOurError(error) || error.family === "backend") throw error;
      const message = `pack ${pack} is left as it is: ${error.message}`;
      options.onWarning({ code: "REPACK_SKIPPED", message, data: { pack } });
      return false;
    }
  }

  /** From the trailer; by a scan where that is destroyed. What a scan misses keeps the pack from being deleted. */
  async #contents(pack: PackName, sizeBytes: number, options: RepackOptions): Promise<PackContents> {
    const { backend } = this.#repository;
    try {
      return await readPackContents(backend, pack, sizeBytes, options);
    } catch (error) {
      if (!isOurError(error, "PACK_TRAILER_DAMAGED")) throw error;
      return scanPack(pack, await backend.get(objectName.pack(pack), options));
    }
  }

  /** Stores what is left and indexes it. */
  async finish(): Promise<number> {
    await this.#storePack();
    await this.#session.writeIndex();
    return this.#copiedBytes;
  }

  #isElsewhere(id: Uint8Array): boolean {
    const hex = bytesToHex(id);
    const { index } = this.#session.presence;
    if (!index.has(id)) return false;
    return (
      this.#copiedIds.has(hex) ||
      index.copies(id).some(({ pack }) => !this.#leaving.has(pack) && !this.#presence.quarantined.has(`${pack}/${hex}`))
    );
  }

  readonly #copiedIds = new Set<string>();

  async #copy(id: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    const plain = await this.#blobs.read(id, { signal });
    const kind = await this.#kindOf(id);
    this.#builder.add(kind, id, plain, { codec: "zstd", level: 3 });
    this.#copiedIds.add(bytesToHex(id));
    this.#session.presence.index.addPending(id);
    if (this.#builder.isFull) await this.#storePack();
  }

  async #kindOf(id: Uint8Array): Promise<BlobKind> {
    const location = this.#presence.index.find(id);
    if (location === undefined) return "chunk";
    const range = { offset: location.offset, length: BLOB_HEADER_BYTES };
    const bytes = await this.#repository.backend.get(objectName.pack(location.pack), { range });
    try {
      return decodeBlobHeader(bytes, `pack ${location.pack}`, checksum64).kind;
    } catch {
      return "chunk";
    }
  }

  async #storePack(): Promise<void> {
    const pack = this.#builder.finish();
    if (pack === null) return;
    this.#copiedBytes += pack.bytes.length;
    await this.#session.putPack(pack);
    this.#builder.reuse(pack.buffer);
  }
}

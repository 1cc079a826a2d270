// Writes one disk of a snapshot to a target, page by page of its image map, each chunk checked on the way.

import type { Lane } from "../engine/lane.js";
import { errorFromData, RepriseError } from "../errors.js";
import { bytesToHex } from "../format/ids.js";
import type { Archive } from "../format/manifest.js";
import { BLOB_HEADER_BYTES } from "../format/pack.js";
import { mapConcurrent } from "../platform/concurrency.js";
import type { OnProgress } from "../platform/progress.js";
import { BlobReader } from "../repository/blobReader.js";
import { FreshPresence } from "../repository/freshPresence.js";
import { type ImageEntry, ImageReader } from "../repository/imageReader.js";
import { planReads } from "../repository/packReads.js";
import type { Presence } from "../repository/presence.js";
import type { Repository } from "../repository/repository.js";
import type { OnWarning } from "../repository/warnings.js";
import type { RestoreTarget } from "./blockTarget.js";
import { type FailedBlob, hasMoved, type RestoreLaneApi } from "./restoreLane.js";
import { BATCHES_PER_LANE, startRestoreLanes } from "./restoreLanes.js";

export interface RestoreImageOptions {
  /** Read the target again after writing. */
  verify: boolean;
  /** Fill what is lost with zeros and go on. */
  skipDamaged: boolean;
  lanes?: number;
  signal?: AbortSignal;
  onProgress?: OnProgress;
  onWarning: OnWarning;
}

export interface LostRange {
  offset: number;
  length: number;
  reason: string;
}

export interface RestoreImageResult {
  bytesWritten: number;
  /** Bytes that an interrupted run had written already. */
  bytesKept: number;
  lost: LostRange[];
}

/** Does not publish the target. Throws RESTORE_DAMAGED (unless skipDamaged) and RESTORE_VERIFY_FAILED. */
export async function restoreImage(
  repository: Repository,
  presence: Presence,
  archive: Archive,
  target: RestoreTarget,
  options: RestoreImageOptions,
): Promise<RestoreImageResult> {
  const fresh = new FreshPresence(repository, presence, options);
  const blobs = new BlobReader(repository, presence.index, fresh.indexAfter);
  const image = await ImageReader.open(archive, blobs, options.signal);
  const lanes = await startRestoreLanes(repository, target.location, options.lanes);
  try {
    const job = new ImageRestore(fresh, image, archive, target, options);
    const result = await job.write(lanes);
    if (options.verify) await job.verify(lanes, result.lost);
    options.signal?.throwIfAborted();
    return result;
  } finally {
    for (const lane of lanes) await lane.close();
  }
}

const FLUSH_EVERY_BYTES = 256 * 1024 * 1024;

class ImageRestore {
  readonly #fresh: FreshPresence;
  readonly #image: ImageReader;
  readonly #archive: Archive;
  readonly #target: RestoreTarget;
  readonly #options: RestoreImageOptions;
  #flush: Promise<void> | undefined;
  #flushedBytes = 0;
  readonly #result: RestoreImageResult = { bytesWritten: 0, bytesKept: 0, lost: [] };

  constructor(
    fresh: FreshPresence,
    image: ImageReader,
    archive: Archive,
    target: RestoreTarget,
    options: RestoreImageOptions,
  ) {
    this.#fresh = fresh;
    this.#image = image;
    this.#archive = archive;
    this.#target = target;
    this.#options = options;
  }

  async write(lanes: Lane<RestoreLaneApi>[]): Promise<RestoreImageResult> {
    const { startsZeroed, resumed } = this.#target;
    await this.#eachPage("write", lanes, async (entries, lane) => {
      await this.#writeEntries(entries, lane, { compare: resumed, skipZeros: startsZeroed });
      this.#flushNowAndThen();
    });
    await this.#flush;
    return this.#result;
  }

  /** What a collector has moved meanwhile is looked for once more. */
  async #writeEntries(
    entries: ImageEntry[],
    lane: Lane<RestoreLaneApi>,
    how: { compare: boolean; skipZeros: boolean },
  ): Promise<void> {
    const presence = this.#fresh.current;
    const plan = planReads(entries, presence.index, this.#fresh.readLimits);
    const zeros = how.skipZeros ? [] : plan.zeros;
    const written = await lane.call("restore", { reads: plan.reads, zeros, compare: how.compare });
    this.#result.bytesWritten += written.bytesWritten;
    this.#result.bytesKept += written.bytesKept;
    for (const { error, pack } of written.salvaged) {
      const message = `${error.message}; its line in the pack's table of contents was used`;
      this.#options.onWarning({ code: "CHUNK_COPY_DAMAGED", message, data: { pack } });
    }
    const moved = [...plan.missing, ...written.failed.filter(hasMoved)];
    const isNewer = moved.length > 0 && (await this.#fresh.after(presence)) !== presence;
    if (isNewer) {
      const ids = new Set(moved.map(({ id }) => bytesToHex(id)));
      const again = entries.filter(({ id }) => id !== null && ids.has(bytesToHex(id)));
      await this.#writeEntries(again, lane, how);
    } else {
      for (const blob of plan.missing) await this.#lose(blob, presence.index.missingText(blob.id), lane);
    }
    for (const failed of written.failed) {
      if (!isNewer || !hasMoved(failed)) await this.#tryOtherCopies(failed, presence, lane);
    }
  }

  /** Lanes compute while the medium works, instead of leaving all of its work to the end. */
  #flushNowAndThen(): void {
    const { bytesWritten } = this.#result;
    if (this.#flush !== undefined || bytesWritten - this.#flushedBytes < FLUSH_EVERY_BYTES) return;
    this.#flushedBytes = bytesWritten;
    this.#flush = this.#target.flushAhead?.().finally(() => {
      this.#flush = undefined;
    });
  }

  async verify(lanes: Lane<RestoreLaneApi>[], lost: readonly LostRange[]): Promise<void> {
    const wrong: { offset: number; length: number }[] = [];
    await this.#eachPage("verify", lanes, async (entries, lane) => {
      const expected = entries.filter(({ offset }) => !lost.some((range) => range.offset === offset));
      const copies = expected.map(({ offset, length, id }) => ({ offset, length, id: id?.slice() ?? null }));
      wrong.push(...(await lane.call("check", { entries: copies })).wrong);
    });
    const [first] = wrong;
    if (first === undefined) return;
    throw new RepriseError(
      "source",
      "RESTORE_VERIFY_FAILED",
      `${this.#target.finalPath}: ${wrong.length} ranges read back differently, the first at byte ${first.offset}`,
      { data: { wrong: wrong.slice(0, 100) }, hint: "suspect the target's medium; restore to another one" },
    );
  }

  async #eachPage(
    phase: string,
    lanes: Lane<RestoreLaneApi>[],
    work: (entries: ImageEntry[], lane: Lane<RestoreLaneApi>) => Promise<void>,
  ): Promise<void> {
    const { signal, onProgress } = this.#options;
    let done = 0;
    let turn = 0;
    const pages = Array.from({ length: this.#image.pageCount }, (_, page) => page);
    await mapConcurrent(
      pages,
      async (page) => {
        signal?.throwIfAborted();
        const lane = lanes[turn++ % lanes.length] as Lane<RestoreLaneApi>;
        await work(await this.#image.readPage(page, signal), lane);
        done += this.#image.pageSpan(page).length;
        const { name: subject, sizeBytes: total } = this.#archive;
        onProgress?.({ operation: "restore", phase, subject, done, total, unit: "bytes" });
      },
      lanes.length * BATCHES_PER_LANE,
    );
  }

  /** A damaged chunk may have another, good copy. */
  async #tryOtherCopies(failed: FailedBlob, presence: Presence, lane: Lane<RestoreLaneApi>): Promise<void> {
    const others = presence.index.copies(failed.id).filter(({ pack }) => pack !== failed.pack);
    for (const { pack, offset, storedLength } of others) {
      const { id, plainLength, targets } = failed;
      const length = BLOB_HEADER_BYTES + storedLength;
      const blobs = [{ id, offset, storedLength, plainLength, targets }];
      const again = await lane.call("restore", { reads: [{ pack, offset, length, blobs }], zeros: [], compare: false });
      if (again.failed.length > 0) continue;
      this.#result.bytesWritten += again.bytesWritten;
      this.#options.onWarning({
        code: "CHUNK_COPY_DAMAGED",
        message: `${failed.error.message}; another copy was used`,
        data: { pack: failed.pack },
      });
      return;
    }
    await this.#lose(failed, failed.error.message, lane, failed);
  }

  async #lose(
    blob: { id: Uint8Array; plainLength: number; targets: number[] },
    reason: string,
    lane: Lane<RestoreLaneApi>,
    failed?: FailedBlob,
  ): Promise<void> {
    const cause = failed ? errorFromData(failed.error) : undefined;
    if (!this.#options.skipDamaged) {
      const where = `${this.#archive.name} at byte ${blob.targets[0]}`;
      throw new RepriseError("corrupt", "RESTORE_DAMAGED", `${where}: ${reason}`, {
        data: { archive: this.#archive.name, id: bytesToHex(blob.id), offsets: blob.targets, length: blob.plainLength },
        hint: "restore an earlier snapshot, use repair --from with a replica, or take the rest with --skip-damaged",
        cause,
      });
    }
    const ranges = blob.targets.map((offset) => ({ offset, length: blob.plainLength }));
    if (!this.#target.startsZeroed) await lane.call("restore", { reads: [], zeros: ranges, compare: false });
    for (const range of ranges) this.#result.lost.push({ ...range, reason });
    this.#options.onWarning({
      code: "RANGE_LOST",
      message: `${this.#archive.name}: ${blob.targets.length} × ${blob.plainLength} bytes are lost and read as zeros (${reason})`,
      data: { archive: this.#archive.name, offsets: blob.targets, length: blob.plainLength },
    });
  }
}

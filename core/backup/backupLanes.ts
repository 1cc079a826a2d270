// The lanes of one backup and the packs on their way from them to the storage.

import { inlineLane, type Lane } from "../engine/lane.js";
import { defaultLaneCount, threadLane } from "../engine/threadLane.js";
import type { Sid } from "../format/ids.js";
import type { BlobSink } from "../repository/blobSink.js";
import type { CodecChoice, FinishedPack } from "../repository/packBuilder.js";
import type { Repository } from "../repository/repository.js";
import {
  type BackupLaneApi,
  type BackupLaneInit,
  createBackupLane,
  type ScannedSegment,
  type SegmentJob,
} from "./backupLane.js";

/** `lanes: 0` runs everything on this thread (tests, and hosts where threads cannot start). */
export interface LaneOptions {
  lanes?: number;
  codec: CodecChoice;
  /** Most bytes in one job; default: the repository's segment. A power of two. */
  segmentBytes?: number;
}

const NO_SID = "0".repeat(32) as Sid;

/** Behind a network several packs of each lane are under way, so that lanes compute meanwhile. */
const FAR_PACKS_UNDER_WAY = 8;

function packsUnderWay({ backend }: Repository, lanes: number): number {
  return backend.parallelReads === undefined ? 1 : Math.max(2, Math.ceil(FAR_PACKS_UNDER_WAY / lanes));
}

export class BackupLanes {
  readonly #repository: Repository;
  readonly #sink: BlobSink;
  readonly #options: LaneOptions;
  readonly #lanes: Promise<Lane<BackupLaneApi>>[] = [];
  readonly #uploads = new Set<Promise<void>>();
  #uploadError: unknown;

  constructor(repository: Repository, sink: BlobSink, options: LaneOptions) {
    this.#repository = repository;
    this.#sink = sink;
    this.#options = options;
    const count = Math.max(1, options.lanes ?? defaultLaneCount());
    for (let lane = 0; lane < count; lane++) this.#lanes.push(this.#start(lane, count));
  }

  get count(): number {
    return this.#lanes.length;
  }

  async scan(lane: number, job: SegmentJob): Promise<ScannedSegment> {
    this.#throwUploadError();
    const transfer = "bytes" in job.from ? [job.from.bytes.buffer as ArrayBuffer] : [];
    return (await this.#lane(lane)).call("scan", job, transfer);
  }

  /** Frees the slot; finished packs go to the sink in the background. */
  async encode(lane: number, slot: number, wanted: Uint32Array): Promise<void> {
    const { packs } = await (await this.#lane(lane)).call("encode", { slot, wanted });
    for (const pack of packs) this.#upload(lane, pack);
    this.#throwUploadError();
  }

  /** Packs what is left and waits until everything is stored. */
  async finish(): Promise<void> {
    for (let lane = 0; lane < this.#lanes.length; lane++) {
      const { packs } = await (await this.#lane(lane)).call("flush", null);
      for (const pack of packs) this.#upload(lane, pack);
    }
    while (this.#uploads.size > 0) await Promise.all(this.#uploads);
    this.#throwUploadError();
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#uploads);
    for (const lane of this.#lanes) {
      await lane.then(
        (started) => started.close(),
        () => {},
      );
    }
  }

  async #lane(lane: number): Promise<Lane<BackupLaneApi>> {
    return this.#lanes[lane] as Promise<Lane<BackupLaneApi>>;
  }

  async #start(lane: number, count: number): Promise<Lane<BackupLaneApi>> {
    const { config, keyring, gearSeed } = this.#repository;
    const { codec, segmentBytes = config.chunker.segmentBytes } = this.#options;
    const init: BackupLaneInit = {
      sid: this.#sink.sid ?? NO_SID,
      masterKey: keyring?.master ?? null,
      chunker: { ...config.chunker, segmentBytes },
      gearSeed,
      packBytes: config.packBytes,
      codec,
      firstNumber: lane,
      numberStep: count,
      packsUnderWay: packsUnderWay(this.#repository, count),
    };
    if (this.#options.lanes !== 0) return threadLane<BackupLaneApi>("backup", init);
    const inline = await createBackupLane(init);
    return inlineLane(inline, () => inline.end(null));
  }

  #upload(lane: number, pack: FinishedPack): void {
    const upload = this.#store(lane, pack).catch((error: unknown) => {
      this.#uploadError ??= error;
    });
    this.#uploads.add(upload);
    void upload.finally(() => this.#uploads.delete(upload));
  }

  async #store(lane: number, pack: FinishedPack): Promise<void> {
    const buffer = pack.bytes.buffer as ArrayBuffer;
    try {
      await this.#sink.putPack(pack);
    } finally {
      // Also after an error: an encode may be waiting for the buffer.
      await (await this.#lane(lane)).call("reuse", buffer, [buffer]);
    }
  }

  #throwUploadError(): void {
    if (this.#uploadError !== undefined) throw this.#uploadError;
  }
}

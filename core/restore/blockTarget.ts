// Where restored bytes go. A target is created by the main thread (which alone publishes or discards it) and opened for
// writing by each worker through its location.

/** Random write access to a disk image being restored. Safe for several writes at once to disjoint ranges. */
export interface BlockWriter {
  /** Writes all of `bytes` at `offset`; `TARGET_FULL`, `TARGET_READ_ONLY` or `TARGET_WRITE_FAILED` otherwise. */
  write(bytes: Uint8Array, offset: number): Promise<void>;
  /** Makes `[offset, offset + length)` read as zeros, by a hole where the target can have one. */
  zero(offset: number, length: number): Promise<void>;
  /** Fills `buffer` with what the target holds now (for resume and --verify). */
  read(buffer: Uint8Array, offset: number): Promise<void>;
  close(): Promise<void>;
}

/** Plain data that a worker thread can open again with openBlockWriter. */
export type TargetLocation =
  | { kind: "file"; path: string }
  | { kind: "nbd"; socketPath: string; exportName: string; sizeBytes: number };

/** One restore target from creation to publication. */
export interface RestoreTarget {
  readonly location: TargetLocation;
  /** For messages: the final path. */
  readonly finalPath: string;
  /** Where the bytes lie until publish, and stay after `discard({ keep: true })`. Absent for devices. */
  readonly partialPath?: string;
  /** True when bytes from an interrupted restore of the same snapshot and disk are already there. */
  readonly resumed: boolean;
  /** True when every byte reads as zero before anything is written (fresh file): zero runs need no work. */
  readonly startsZeroed: boolean;
  /**
   * Sends what has been written so far to the medium while more is being written, so that publish has less to wait for. A
   * failure is kept and reported by publish. Absent where it makes no sense.
   */
  flushAhead?(): Promise<void>;
  /**
   * Flushes to the medium and gives the result its final name. Nothing under the final name changes before this, and nothing
   * at all when `signal` is aborted before or during the flush: then the target can still be discarded.
   */
  publish(options?: { signal?: AbortSignal }): Promise<void>;
  /** Ends without publishing. `keep`: leave what was written so that the next run can resume. */
  discard(options: { keep: boolean }): Promise<void>;
}

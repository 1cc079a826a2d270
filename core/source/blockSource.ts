// Where the bytes of a disk come from: raw files, block devices, qemu-nbd exports. Streams that cannot seek are read
// by core/source/streamSource.ts, which hands out segments instead.

export interface Extent {
  offset: number;
  length: number;
  /** True: all bytes are zero and need not be read. False: must be read (they may be zero all the same). */
  zero: boolean;
}

export interface ReadOptions {
  signal?: AbortSignal;
}

/** Random read access to one disk image. Safe for several reads at once. */
export interface BlockSource {
  /** For messages. */
  readonly location: string;
  readonly sizeBytes: number;

  /**
   * Covers `[offset, offset + length)` exactly, in order, without gaps or overlaps. Neighbours may have the same kind.
   * Cheap where the source has an allocation map, else one data extent.
   */
  extents(offset: number, length: number, options?: ReadOptions): Promise<Extent[]>;

  /**
   * Fills all of `buffer` with the bytes from `offset`, or throws `SOURCE_SHRANK` (fewer bytes than sizeBytes promised) or
   * `SOURCE_READ_FAILED` (`data.offset`, cause). Never a short answer.
   */
  read(buffer: Uint8Array, offset: number, options?: ReadOptions): Promise<void>;

  close(): Promise<void>;
}

/** Plain data that a worker thread can open again. */
export type SourceLocation =
  | { kind: "file"; path: string }
  | { kind: "nbd"; socketPath: string; exportName: string; sizeBytes: number };

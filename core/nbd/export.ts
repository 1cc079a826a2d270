// What an NBD server serves: one read-only disk.

export interface NbdExtent {
  offset: number;
  length: number;
  /** All bytes are zero. */
  zero: boolean;
}

export interface NbdExport {
  /** At most 255 bytes; clients ask for it by this name. */
  name: string;
  /** For people who list what a server has. */
  description: string;
  sizeBytes: number;
  /** Fills all of `buffer` from `offset`, or throws. Safe for several reads at once. */
  read(buffer: Uint8Array, offset: number, options?: { signal?: AbortSignal }): Promise<void>;
  /** Covers the range from `offset` in order without gaps; may end early, but not be empty. */
  extents(offset: number, length: number): Promise<NbdExtent[]>;
}

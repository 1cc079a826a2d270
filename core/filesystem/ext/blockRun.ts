// How both ways of mapping a file's blocks answer: one run of blocks that lie together, or of none.

export interface BlockRun {
  /** The first block of the file that it is about. */
  logical: number;
  /** At least one. */
  count: number;
  /** Where it lies; null: nothing but zeros. */
  physical: number | null;
}

/** No file has blocks from here on. */
export const BLOCKS_END = 2 ** 32;

export function hole(logical: number, count: number): BlockRun {
  return { logical, count, physical: null };
}

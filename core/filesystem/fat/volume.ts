// What the FAT reader works on, and the root directory, which FAT12 and FAT16 keep outside their clusters.

import type { BlockReader, ReadOptions } from "../blockReader.js";
import { readRange } from "../readRange.js";
import type { AllocationTable } from "./allocationTable.js";
import type { FatGeometry } from "./bootSector.js";
import type { ClusterSpace, PlacedBytes } from "./clusterSpace.js";
import { MAX_DIRECTORY_BYTES } from "./directory.js";

export interface FatVolume {
  reader: BlockReader;
  geometry: FatGeometry;
  table: AllocationTable;
  space: ClusterSpace;
}

/** The root directory by the piece. */
export async function* rootPieces(volume: FatVolume, options: ReadOptions): AsyncIterable<PlacedBytes> {
  const { reader, space, geometry } = volume;
  const { fixedRoot, kind, rootCluster } = geometry;
  if (fixedRoot === null) {
    yield* space.pieces(space.chain(rootCluster), MAX_DIRECTORY_BYTES, "root directory", options);
    return;
  }
  const { offset, sizeBytes } = fixedRoot;
  yield { offset, bytes: await readRange(reader, offset, sizeBytes, { type: kind, where: "root directory" }, options) };
}

// What copying disks, files and trees into another repository needs.

import type { Archive, Manifest } from "../format/manifest.js";
import type { BlobReader } from "../repository/blobReader.js";
import type { BlobSink } from "../repository/blobSink.js";
import type { ChunkIndex } from "../repository/chunkIndex.js";
import type { ChunkCopier } from "./chunkCopier.js";
import type { ChunkMapping } from "./chunkMapping.js";
import type { PageTranslator } from "./pageTranslation.js";
import type { SourceReader } from "./sourceReader.js";

export interface ArchiveCopierOptions {
  reader: SourceReader;
  translator: PageTranslator;
  copier: Pick<ChunkCopier, "copy">;
  mapping: ChunkMapping;
  sink: BlobSink;
  /** What the destination has. */
  index: ChunkIndex;
  toBlobs: BlobReader;
  signal?: AbortSignal;
  onBytes(bytes: number): void;
}

/** An earlier snapshot of the same machine that both repositories have: where ids can be learned without reading data. */
export interface ManifestPair {
  from: Manifest;
  to: Manifest;
}

export type ArchivePair = { from: Archive; to: Archive } | null;

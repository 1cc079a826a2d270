// What a replication would have to read: for --dry-run. Reads maps, no chunks, and stores nothing.

import type { Sid } from "../format/ids.js";
import { hexToBytes } from "../format/ids.js";
import type { Archive } from "../format/manifest.js";
import { BLOB_ID_BYTES } from "../format/pack.js";
import { decodeTreeNode } from "../format/treeNode.js";
import { BlobReader } from "../repository/blobReader.js";
import type { ChunkIndex } from "../repository/chunkIndex.js";
import { IdTable } from "../repository/idTable.js";
import { loadPresenceForReading } from "../repository/presence.js";
import type { ChunkMapping } from "./chunkMapping.js";
import { pairOf } from "./copyImage.js";
import type { ArchivePair } from "./copyOptions.js";
import { forEachTreeNode, learnFromTrees, presentName } from "./copyTree.js";
import { PageTranslator } from "./pageTranslation.js";
import { isDamage, SourceReader, snapshotLabel } from "./sourceReader.js";
import { mappingBetween, type RepositorySyncPlan, SyncedPairs, snapshotsToCopy } from "./sync.js";
import type { FailedSnapshot, SyncOptions } from "./syncReport.js";

export interface SyncEstimate {
  /**
   * Plain bytes of chunks that would be read, each chunk once. With different keys some of them may turn out to be there
   * already: then they are read and not stored.
   */
  snapshots: { from: Sid; bytes: number }[];
  /** Maps that cannot be read. */
  failed: FailedSnapshot[];
}

export async function estimateSync(plan: RepositorySyncPlan, options: SyncOptions): Promise<SyncEstimate> {
  const estimate: SyncEstimate = { snapshots: [], failed: [] };
  if (plan.copy.length === 0) return estimate;
  const reader = await SourceReader.open(plan.from.repository, 0, options);
  const { repository: to } = plan.to;
  const { index } = await loadPresenceForReading(to, options);
  const mapping = mappingBetween(plan.from.repository, to);
  const toBlobs = new BlobReader(to, index);
  const translator = new PageTranslator({ mapping, index, fromBlobs: reader.blobs, toBlobs, signal: options.signal });
  const counter = new Counter(reader, translator, { mapping, index, toBlobs }, options);
  const pairs = new SyncedPairs(plan);
  for (const snapshot of snapshotsToCopy(plan)) {
    const base = pairs.near(snapshot);
    try {
      let bytes = 0;
      for (const archive of snapshot.manifest.archives) bytes += await counter.count(archive, pairOf(archive, base));
      estimate.snapshots.push({ from: snapshot.sid, bytes });
    } catch (error) {
      if (!isDamage(error)) throw error;
      const { code, message } = error;
      estimate.failed.push({ from: snapshot.sid, code, message: `${snapshotLabel(snapshot)}: ${message}` });
    }
  }
  await reader.close();
  return estimate;
}

interface Destination {
  mapping: ChunkMapping;
  index: ChunkIndex;
  toBlobs: BlobReader;
}

class Counter {
  readonly #reader: SourceReader;
  readonly #translator: PageTranslator;
  readonly #destination: Destination;
  readonly #options: SyncOptions;
  /** Ids in the source that were counted already. */
  readonly #seen = new IdTable();

  constructor(reader: SourceReader, translator: PageTranslator, destination: Destination, options: SyncOptions) {
    this.#reader = reader;
    this.#translator = translator;
    this.#destination = destination;
    this.#options = options;
  }

  async count(archive: Archive, base: ArchivePair): Promise<number> {
    if (archive.kind === "file") return this.#countFile(archive, base);
    if (archive.kind === "tree") return await this.#countTree(archive, base);
    const image = await this.#reader.image(archive);
    const baseImages = await this.#translator.openBase(base);
    let bytes = 0;
    for (let page = 0; page < image.pageCount; page++) {
      this.#options.signal?.throwIfAborted();
      if (image.pageId(page) === null) continue;
      const entries = await this.#reader.page(image, page, archive.name);
      const { missing } = await this.#translator.translate(entries, page, baseImages);
      for (const { entry } of missing) if (this.#isNew(entry.id as Uint8Array)) bytes += entry.length;
    }
    return bytes;
  }

  async #countTree(archive: Archive, base: ArchivePair): Promise<number> {
    const { mapping, index, toBlobs } = this.#destination;
    await learnFromTrees(base, mapping, this.#reader.blobs, toBlobs, this.#options.signal);
    let bytes = 0;
    const read = async (id: Uint8Array) => decodeTreeNode(await this.#reader.treeNode(id, archive.name), archive.name);
    await forEachTreeNode(hexToBytes(archive.root, BLOB_ID_BYTES, "archive root"), read, ({ refs }) => {
      this.#options.signal?.throwIfAborted();
      for (const ref of refs) {
        if (ref.kind !== "chunk" || presentName(ref.id, mapping, index) !== undefined) continue;
        if (this.#isNew(ref.id)) bytes += ref.bytes;
      }
    });
    return bytes;
  }

  #countFile(archive: Archive, base: ArchivePair): number {
    if (base?.from.root === archive.root) return 0;
    return this.#isNew(hexToBytes(archive.root, BLOB_ID_BYTES, "archive root")) ? archive.sizeBytes : 0;
  }

  #isNew(id: Uint8Array): boolean {
    return this.#seen.insert(id, 0, 0, 0, 0);
  }
}

// Copies one disk: each page of its map becomes a page of the same span with the same boundaries and other ids; chunks that
// the destination lacks are copied on the way.

import { type BlobIdHex, bytesToHex, hexToBytes } from "../format/ids.js";
import { encodeImagePage, encodeImageRoot, zeroEntry } from "../format/imageMap.js";
import type { Archive } from "../format/manifest.js";
import { BLOB_ID_BYTES } from "../format/pack.js";
import { mapConcurrent } from "../platform/concurrency.js";
import type { ImageEntry, ImageReader } from "../repository/imageReader.js";
import type { ChunkMapping } from "./chunkMapping.js";
import type { ArchiveCopierOptions, ArchivePair, ManifestPair } from "./copyOptions.js";
import { copyTree } from "./copyTree.js";
import type { BaseImages, MissingChunk } from "./pageTranslation.js";

/** Pages under way at once: enough that a lane has work while another page is read. */
const PAGES_AT_ONCE = 8;

/** The disk or file of the same name in the pair. */
export function pairOf(archive: Archive, base: ManifestPair | null): ArchivePair {
  const from = base?.from.archives.find(({ name }) => name === archive.name);
  const to = base?.to.archives.find(({ name }) => name === archive.name);
  return from && to && from.kind === to.kind && from.kind === archive.kind ? { from, to } : null;
}

/** The archive as it stands in the destination's manifest. */
export async function copyArchive(
  archive: Archive,
  base: ArchivePair,
  options: ArchiveCopierOptions,
): Promise<Archive> {
  if (archive.kind === "tree") return await copyTree(archive, base, options);
  const root =
    archive.kind === "file" ? await copyFile(archive, base, options) : await copyImage(archive, base, options);
  return { ...archive, root: bytesToHex(root) as BlobIdHex };
}

async function copyFile(archive: Archive, base: ArchivePair, options: ArchiveCopierOptions): Promise<Uint8Array> {
  const { reader, mapping, index, sink } = options;
  const id = hexToBytes(archive.root, BLOB_ID_BYTES, "archive root");
  if (base !== null && base.from.root === archive.root) {
    mapping.learn(id, hexToBytes(base.to.root, BLOB_ID_BYTES, "archive root"));
  }
  const known = mapping.find(id);
  if (known !== undefined && index.has(known)) return known.slice();
  const copied = await sink.storeBlob("file", await reader.file(archive));
  mapping.learn(id, copied);
  return copied;
}

async function copyImage(archive: Archive, base: ArchivePair, options: ArchiveCopierOptions): Promise<Uint8Array> {
  const { reader, translator, sink } = options;
  const image = await reader.image(archive);
  const baseImages = await translator.openBase(base);
  const pageIds = new Uint8Array(image.pageCount * BLOB_ID_BYTES);
  const pages = Array.from({ length: image.pageCount }, (_, page) => page);
  await mapConcurrent(
    pages,
    async (page) => {
      options.signal?.throwIfAborted();
      const plain = await copyPage(image, page, archive.name, baseImages, options);
      if (plain !== null) pageIds.set(await sink.storeBlob("page", plain), page * BLOB_ID_BYTES);
      options.onBytes(image.pageSpan(page).length);
    },
    PAGES_AT_ONCE,
  );
  const { imageBytes, pageSpanBytes } = image.root;
  return sink.storeBlob("root", encodeImageRoot({ imageBytes, pageSpanBytes, pageIds }));
}

/** The page as it is in the destination; null: all zeros. */
export async function copyPage(
  image: ImageReader,
  page: number,
  name: string,
  base: BaseImages | null,
  options: Pick<ArchiveCopierOptions, "reader" | "translator" | "copier" | "mapping" | "sink">,
): Promise<Uint8Array | null> {
  if (image.pageId(page) === null) return null;
  const entries = await options.reader.page(image, page, name);
  const { ids, missing } = await options.translator.translate(entries, page, base);
  // Missing ones are counted when they are claimed.
  options.sink.statistics.chunksTotal += ids.length / BLOB_ID_BYTES - missing.length;
  if (missing.length > 0) {
    const wanted = missing.map(({ entry }) => entry);
    fillIn(ids, missing, await options.copier.copy(wanted, name), options.mapping);
  }
  return encodeImagePage({ lengths: lengthsOf(entries), ids });
}

function fillIn(ids: Uint8Array, missing: readonly MissingChunk[], copied: Uint8Array, mapping: ChunkMapping): void {
  for (const [i, { entry, places }] of missing.entries()) {
    const name = copied.subarray(i * BLOB_ID_BYTES, (i + 1) * BLOB_ID_BYTES);
    for (const place of places) ids.set(name, place * BLOB_ID_BYTES);
    mapping.learn(entry.id as Uint8Array, name);
  }
}

function lengthsOf(entries: readonly ImageEntry[]): Uint32Array {
  return Uint32Array.from(entries, ({ length, id }) => (id === null ? zeroEntry(length) : length));
}

// Cuts a disk into chunks and stores them with their map. Any cut is allowed: readers do not need docs/format/chunking.md.

import type { BlobInput, CodecName, JsonObject, RepositoryWriter, StoredPack } from "./repositoryWriter.js";

export interface DiskLayout {
  chunkBytes?: number;
  pageSpanBytes?: number;
  /** Default: none, zstd, lz4 in turn. */
  codecs?: CodecName[];
}

export interface StoredDisk {
  archive: JsonObject;
  /** The chunks alone; then pages and root. */
  chunkPack: StoredPack;
  mapPack: StoredPack;
  /** What the map says, per chunk that is not zero. */
  chunks: { offset: number; length: number; id: Buffer }[];
  pages: { offset: number; length: number; id: Buffer }[];
  blobs: BlobInput[];
}

const isZero = (bytes: Uint8Array) => bytes.every((byte) => byte === 0);

function u32(...values: number[]): Buffer {
  return Buffer.from(Uint32Array.from(values).buffer);
}

export function encodePage(lengths: number[], ids: Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.from("RPRSPAG1"), u32(lengths.length, ids.length), u32(...lengths), ...ids]);
}

export function encodeRoot(imageBytes: number, pageSpanBytes: number, pageIds: Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.from("RPRSMAP1"), u32(imageBytes, 0, pageSpanBytes, pageIds.length), ...pageIds]);
}

/** Stores a disk in two packs, one of chunks and one of its map. */
export function writeDisk(
  writer: RepositoryWriter,
  name: string,
  disk: Uint8Array,
  layout: DiskLayout = {},
): StoredDisk {
  const { chunkBytes = 4096, pageSpanBytes = 65_536, codecs = ["none", "zstd", "lz4"] } = layout;
  const blobs: BlobInput[] = [];
  const maps: BlobInput[] = [];
  const chunks: StoredDisk["chunks"] = [];
  const pages: StoredDisk["pages"] = [];
  const pageIds: Buffer[] = [];
  for (let start = 0; start < disk.length; start += pageSpanBytes) {
    const span = disk.subarray(start, start + pageSpanBytes);
    const lengths: number[] = [];
    const ids: Buffer[] = [];
    for (let at = 0; at < span.length; at += chunkBytes) {
      const plain = span.subarray(at, at + chunkBytes);
      if (isZero(plain)) {
        const before = lengths.at(-1);
        if (before !== undefined && before > 2 ** 31) lengths[lengths.length - 1] = before + plain.length;
        else lengths.push(2 ** 31 + plain.length);
        continue;
      }
      const id = writer.id(plain);
      lengths.push(plain.length);
      ids.push(id);
      chunks.push({ offset: start + at, length: plain.length, id });
      blobs.push({ plain, codec: codecs[blobs.length % codecs.length]! });
    }
    if (ids.length === 0) {
      pageIds.push(Buffer.alloc(32));
      continue;
    }
    const page = encodePage(lengths, ids);
    maps.push({ plain: page, kind: 1, codec: "zstd" });
    pageIds.push(writer.id(page));
    pages.push({ offset: start, length: span.length, id: writer.id(page) });
  }
  const root = encodeRoot(disk.length, pageSpanBytes, pageIds);
  const chunkPack = writer.writePack(blobs);
  const mapPack = writer.writePack([...maps, { plain: root, kind: 2 }]);
  const archive = { ...imageArchive(name, disk.length, writer.id(root)) };
  return { archive, chunkPack, mapPack, chunks, pages, blobs };
}

export function imageArchive(name: string, sizeBytes: number, root: Uint8Array): JsonObject {
  return { name, kind: "image", sizeBytes, root: Buffer.from(root).toString("hex"), format: "raw", lost: [] };
}

export function fileArchive(writer: RepositoryWriter, name: string, plain: Uint8Array): JsonObject {
  writer.writePack([{ plain, kind: 3 }]);
  return {
    name,
    kind: "file",
    sizeBytes: plain.length,
    root: writer.id(plain).toString("hex"),
    format: "file",
    lost: [],
  };
}

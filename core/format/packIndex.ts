// Pack index objects: docs/format/pack-index.md.

import { ByteReader, ByteWriter, unsupportedVersion } from "./bytes.js";
import { bytesToHex, hexToBytes, type PackName, packName, packNumber, packSid, type Sid } from "./ids.js";
import { MAX_BLOBS_PER_PACK, MAX_PACK_BYTES, MAX_PACKS_PER_INDEX } from "./limits.js";
import { BLOB_ENTRY_BYTES, BLOB_HEADER_BYTES, PACK_HEADER_BYTES } from "./pack.js";

const VERSION = 1;

export interface PackContents {
  name: PackName;
  /** Exact size of the pack object: a pack listed with another size is not used. */
  sizeBytes: number;
  blobCount: number;
  /** `blobCount` encoded entries of 48 bytes (pack.ts, decodeBlobEntries): kept encoded because indexes are large. */
  entries: Uint8Array;
}

export function encodePackIndex(packs: readonly PackContents[]): Uint8Array {
  const size = packs.reduce((sum, pack) => sum + 28 + pack.entries.length, 8);
  const writer = new ByteWriter(size);
  writer.u32(VERSION);
  writer.u32(packs.length);
  for (const pack of packs) {
    writer.put(hexToBytes(packSid(pack.name), 16, "pack name"));
    writer.u32(packNumber(pack.name));
    writer.u32(pack.sizeBytes);
    writer.u32(pack.blobCount);
    writer.put(pack.entries);
  }
  return writer.finish();
}

/** Entries are views into `bytes`. */
export function decodePackIndex(bytes: Uint8Array, what: string): PackContents[] {
  const reader = new ByteReader(bytes, what);
  const version = reader.u32();
  if (version !== VERSION) throw unsupportedVersion(what, version);
  const packCount = reader.u32();
  if (packCount > MAX_PACKS_PER_INDEX) reader.fail(`${packCount} packs are above the limit`);
  const packs: PackContents[] = [];
  for (let i = 0; i < packCount; i++) {
    const sid = bytesToHex(reader.bytes(16)) as Sid;
    const name = packName(sid, reader.u32());
    const sizeBytes = reader.u32();
    const blobCount = reader.u32();
    if (blobCount > MAX_BLOBS_PER_PACK || sizeBytes > MAX_PACK_BYTES)
      reader.fail("pack size or blob count is above the limit");
    const entries = reader.bytes(blobCount * BLOB_ENTRY_BYTES);
    if (!liesInside(entries, sizeBytes)) reader.fail(`a blob lies outside pack ${name}`);
    packs.push({ name, sizeBytes, blobCount, entries });
  }
  reader.expectEnd();
  return packs;
}

/** Whether every blob is between the pack's header and its end. Nothing else is decoded: indexes are large. */
function liesInside(entries: Uint8Array, sizeBytes: number): boolean {
  const view = new DataView(entries.buffer, entries.byteOffset, entries.byteLength);
  for (let at = 32; at < entries.length; at += BLOB_ENTRY_BYTES) {
    const offset = view.getUint32(at, true);
    if (offset < PACK_HEADER_BYTES || offset + BLOB_HEADER_BYTES + view.getUint32(at + 4, true) > sizeBytes)
      return false;
  }
  return true;
}

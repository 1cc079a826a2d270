// Packs: docs/format/pack.md. Encoders and decoders of the four fixed structures; assembling a pack is
// core/repository/packBuilder.ts, reading one core/repository/packReader.ts.

import {
  ByteReader,
  ByteWriter,
  type Checksum64,
  encodeText,
  equalBytes,
  formatError,
  unsupportedVersion,
} from "./bytes.js";
import { SALT_BYTES } from "./envelope.js";
import { bytesToHex, hexToBytes, type PackName, packName, packNumber, packSid, type Sid } from "./ids.js";
import { MAX_BLOB_PLAIN, MAX_BLOB_STORED, MAX_BLOBS_PER_PACK } from "./limits.js";

const HEADER_MAGIC = encodeText("RPRSPAK1");
const BLOB_MAGIC = encodeText("BLOB");
const FOOTER_MAGIC = encodeText("RPRSEND1");
const VERSION = 1;

export const PACK_HEADER_BYTES = 64;
export const BLOB_HEADER_BYTES = 64;
export const BLOB_ENTRY_BYTES = 48;
export const PACK_FOOTER_BYTES = 32;
/** What follows the entries: the header once more, and the footer. */
export const PACK_TAIL_BYTES = PACK_HEADER_BYTES + PACK_FOOTER_BYTES;
export const BLOB_ID_BYTES = 32;

export const BLOB_KINDS = ["chunk", "page", "root", "file", "tree"] as const;
export type BlobKind = (typeof BLOB_KINDS)[number];
export const BLOB_CODECS = ["none", "zstd", "lz4"] as const;
export type BlobCodec = (typeof BLOB_CODECS)[number];

export interface PackHeader {
  name: PackName;
  encrypted: boolean;
  salt: Uint8Array;
}

export interface BlobHeader {
  kind: BlobKind;
  codec: BlobCodec;
  ordinal: number;
  plainLength: number;
  storedLength: number;
  checksum: bigint;
  id: Uint8Array;
}

/** One line of a pack's table of contents. */
export interface BlobEntry {
  id: Uint8Array;
  /** Of the blob header, from the start of the pack. */
  offset: number;
  storedLength: number;
  plainLength: number;
  kind: BlobKind;
  codec: BlobCodec;
}

export interface PackFooter {
  count: number;
  entriesOffset: number;
  entriesChecksum: bigint;
}

export function encodePackHeader(header: PackHeader, checksum: Checksum64): Uint8Array {
  const writer = new ByteWriter(PACK_HEADER_BYTES);
  writer.put(HEADER_MAGIC);
  writer.u8(VERSION);
  writer.u8(header.encrypted ? 1 : 0);
  writer.u16(0);
  writer.u32(packNumber(header.name));
  writer.put(hexToBytes(packSid(header.name), 16, "pack name"));
  writer.put(header.salt);
  writer.u64(checksum(writer.bytes.subarray(0, PACK_HEADER_BYTES - 8)));
  return writer.finish();
}

export function decodePackHeader(bytes: Uint8Array, what: string, checksum: Checksum64): PackHeader {
  const reader = new ByteReader(bytes.subarray(0, PACK_HEADER_BYTES), `${what} (header)`);
  reader.expectMagic(HEADER_MAGIC);
  const version = reader.u8();
  if (version !== VERSION) throw unsupportedVersion(what, version);
  const flags = reader.u8();
  const reserved = reader.u16();
  const number = reader.u32();
  const sid = bytesToHex(reader.bytes(16)) as Sid;
  const salt = reader.bytes(SALT_BYTES).slice();
  if (reader.u64() !== checksum(bytes.subarray(0, PACK_HEADER_BYTES - 8))) reader.fail("checksum does not match");
  if (flags > 1 || reserved !== 0) throw unsupportedVersion(`${what} (flags)`, flags + 256 * reserved);
  return { name: packName(sid, number), encrypted: (flags & 1) !== 0, salt };
}

/** Writes into `target` at `offset`, so that a pack is assembled without copies. */
export function writeBlobHeader(target: Uint8Array, offset: number, header: BlobHeader, checksum: Checksum64): void {
  const view = new DataView(target.buffer, target.byteOffset + offset, BLOB_HEADER_BYTES);
  target.set(BLOB_MAGIC, offset);
  view.setUint8(4, BLOB_KINDS.indexOf(header.kind));
  view.setUint8(5, BLOB_CODECS.indexOf(header.codec));
  view.setUint16(6, 0, true);
  view.setUint32(8, header.ordinal, true);
  view.setUint32(12, header.plainLength, true);
  view.setUint32(16, header.storedLength, true);
  view.setBigUint64(20, header.checksum, true);
  target.set(header.id, offset + 28);
  const check = checksum(target.subarray(offset, offset + 60)) & 0xffff_ffffn;
  view.setUint32(60, Number(check), true);
}

/** FORMAT_INVALID when magic, limits or header check do not hold. The id is a view into `bytes`. */
export function decodeBlobHeader(bytes: Uint8Array, what: string, checksum: Checksum64): BlobHeader {
  const reader = new ByteReader(bytes.subarray(0, BLOB_HEADER_BYTES), what);
  reader.expectMagic(BLOB_MAGIC);
  const kind = BLOB_KINDS[reader.u8()];
  const codec = BLOB_CODECS[reader.u8()];
  const zero = reader.u16();
  const ordinal = reader.u32();
  const plainLength = reader.u32();
  const storedLength = reader.u32();
  const sum = reader.u64();
  const id = reader.bytes(BLOB_ID_BYTES);
  const check = reader.u32();
  if (check !== Number(checksum(bytes.subarray(0, 60)) & 0xffff_ffffn)) reader.fail("blob header check does not match");
  if (kind === undefined || codec === undefined || zero !== 0)
    throw unsupportedVersion(what, "unknown blob kind or codec");
  if (plainLength > MAX_BLOB_PLAIN || storedLength > MAX_BLOB_STORED) reader.fail("blob lengths are above the limit");
  return { kind, codec, ordinal, plainLength, storedLength, checksum: sum, id };
}

/** True when `BLOB` stands at `offset`: where a scan of a damaged pack may go on. */
export function isBlobMagicAt(bytes: Uint8Array, offset: number): boolean {
  return equalBytes(bytes.subarray(offset, offset + BLOB_MAGIC.length), BLOB_MAGIC);
}

/** What AES-GCM authenticates besides the payload: bytes 0–19 and 28–59 of the blob header. */
export function blobAdditionalData(target: Uint8Array, offset: number): Uint8Array {
  const data = new Uint8Array(52);
  data.set(target.subarray(offset, offset + 20), 0);
  data.set(target.subarray(offset + 28, offset + 60), 20);
  return data;
}

/** The 52 bytes of blobAdditionalData before the header itself is written (its checksum is not known yet). */
export function additionalDataFor(header: Omit<BlobHeader, "checksum">): Uint8Array {
  const scratch = new Uint8Array(BLOB_HEADER_BYTES);
  writeBlobHeader(scratch, 0, { ...header, checksum: 0n }, () => 0n);
  return blobAdditionalData(scratch, 0);
}

export function encodeBlobEntries(entries: readonly BlobEntry[]): Uint8Array {
  const writer = new ByteWriter(entries.length * BLOB_ENTRY_BYTES);
  for (const entry of entries) {
    writer.put(entry.id);
    writer.u32(entry.offset);
    writer.u32(entry.storedLength);
    writer.u32(entry.plainLength);
    writer.u8(BLOB_KINDS.indexOf(entry.kind));
    writer.u8(BLOB_CODECS.indexOf(entry.codec));
    writer.u16(0);
  }
  return writer.finish();
}

/** Ids are copies. Limits of every length are checked, contiguity is not. */
export function decodeBlobEntries(bytes: Uint8Array, count: number, what: string): BlobEntry[] {
  if (count > MAX_BLOBS_PER_PACK || bytes.length !== count * BLOB_ENTRY_BYTES) {
    throw formatError(what, `${bytes.length} bytes cannot hold ${count} entries`);
  }
  const reader = new ByteReader(bytes, what);
  const entries: BlobEntry[] = new Array(count);
  for (let i = 0; i < count; i++) {
    const id = reader.bytes(BLOB_ID_BYTES).slice();
    const offset = reader.u32();
    const storedLength = reader.u32();
    const plainLength = reader.u32();
    const kind = BLOB_KINDS[reader.u8()];
    const codec = BLOB_CODECS[reader.u8()];
    const reserved = reader.u16();
    if (kind === undefined || codec === undefined || reserved !== 0)
      throw unsupportedVersion(what, "unknown blob kind or codec");
    if (plainLength > MAX_BLOB_PLAIN || storedLength > MAX_BLOB_STORED) reader.fail("blob lengths are above the limit");
    entries[i] = { id, offset, storedLength, plainLength, kind, codec };
  }
  return entries;
}

export function encodePackFooter(footer: PackFooter, checksum: Checksum64): Uint8Array {
  const writer = new ByteWriter(PACK_FOOTER_BYTES);
  writer.put(FOOTER_MAGIC);
  writer.u32(footer.count);
  writer.u32(footer.entriesOffset);
  writer.u64(footer.entriesChecksum);
  writer.u64(checksum(writer.bytes.subarray(0, PACK_FOOTER_BYTES - 8)));
  return writer.finish();
}

/** `sizeBytes` is the size of the whole pack: entries and footer must end exactly there. */
export function decodePackFooter(bytes: Uint8Array, sizeBytes: number, what: string, checksum: Checksum64): PackFooter {
  const reader = new ByteReader(bytes, `${what} (footer)`);
  reader.expectMagic(FOOTER_MAGIC);
  const count = reader.u32();
  const entriesOffset = reader.u32();
  const entriesChecksum = reader.u64();
  if (reader.u64() !== checksum(bytes.subarray(0, PACK_FOOTER_BYTES - 8))) reader.fail("checksum does not match");
  reader.expectEnd();
  if (count > MAX_BLOBS_PER_PACK) reader.fail(`${count} blobs are above the limit`);
  if (entriesOffset + count * BLOB_ENTRY_BYTES + PACK_TAIL_BYTES !== sizeBytes) {
    reader.fail(`${count} entries from byte ${entriesOffset} do not end at the pack's size ${sizeBytes}`);
  }
  return { count, entriesOffset, entriesChecksum };
}

// One LVM2 physical volume: label, header, and the text of its newest metadata. After lvm2's lib/format_text/layout.h and
// libyal's "Logical Volume Manager (LVM) format".

import { crc32 } from "node:zlib";
import type { BlockReader, ReadOptions } from "../../blockReader.js";
import { damaged } from "../../filesystemErrors.js";
import { readRange } from "../../readRange.js";

const SECTOR_BYTES = 512;
const LABEL_SECTORS = 4;
const UUID_BYTES = 32;
const MAX_AREAS = 16;
const MDA_HEADER_BYTES = 512;
const MDA_MAGIC = "\u0020LVM2\u0020x[5A%r0N*>";
const RAW_LOCATIONS_AT = 40;
const RAW_LOCATION_BYTES = 24;
/** Ignored metadata areas have this flag in their location. */
const IGNORED = 1;
const MAX_METADATA_BYTES = 16 * 1024 * 1024;
/** lvm2's INITIAL_CRC; without the usual inversions. */
const INITIAL_CRC = 0xf597a6cf;

export interface PhysicalVolume {
  reader: BlockReader;
  /** As in the metadata: groups of 6-4-4-4-4-4-6. */
  uuid: string;
  /** Null when no metadata area of this volume is readable: others of its group have it, too. */
  metadata: string | null;
  /** There is none although an area for it holds something: what its group has cannot be told from this volume. */
  isMetadataDamaged: boolean;
}

/** Null when `reader` is no LVM2 physical volume. */
export async function readPhysicalVolume(reader: BlockReader, options: ReadOptions): Promise<PhysicalVolume | null> {
  const length = Math.min(reader.sizeBytes, LABEL_SECTORS * SECTOR_BYTES);
  const head = await readRange(reader, 0, length, { type: "LVM2", where: "label" }, options);
  for (let sector = 0; (sector + 1) * SECTOR_BYTES <= length; sector++) {
    const label = head.subarray(sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES);
    if (latin1(label.subarray(0, 8)) === "LABELONE" && latin1(label.subarray(24, 32)) === "LVM2 001")
      return await readHeader(reader, label, sector, options);
  }
  return null;
}

async function readHeader(
  reader: BlockReader,
  label: Uint8Array,
  sector: number,
  options: ReadOptions,
): Promise<PhysicalVolume> {
  const view = new DataView(label.buffer, label.byteOffset, label.byteLength);
  if (Number(view.getBigUint64(8, true)) !== sector || lvmCrc(label.subarray(20)) !== view.getUint32(16, true))
    throw damaged("LVM2", "label", "checksum does not match");
  const headerAt = view.getUint32(20, true);
  if (headerAt + UUID_BYTES + 8 > SECTOR_BYTES) throw damaged("LVM2", "label", "points behind its sector");
  const uuid = dashed(latin1(label.subarray(headerAt, headerAt + UUID_BYTES)));
  const dataAreas = areasAt(view, headerAt + UUID_BYTES + 8);
  const metadataAreas = areasAt(view, dataAreas.end);
  let isMetadataDamaged = false;
  for (const { offset, length } of metadataAreas.areas) {
    const metadata = await readMetadata(reader, offset, length, options);
    if (typeof metadata === "string") return { reader, uuid, metadata, isMetadataDamaged: false };
    isMetadataDamaged ||= metadata === DAMAGED;
  }
  return { reader, uuid, metadata: null, isMetadataDamaged };
}

/** Offset and length pairs up to a pair of zeros. */
function areasAt(view: DataView, start: number): { areas: { offset: number; length: number }[]; end: number } {
  const areas: { offset: number; length: number }[] = [];
  for (let at = start; at + 16 <= view.byteLength && areas.length <= MAX_AREAS; at += 16) {
    const offset = Number(view.getBigUint64(at, true));
    const length = Number(view.getBigUint64(at + 8, true));
    if (offset === 0) return { areas, end: at + 16 };
    areas.push({ offset, length });
  }
  throw damaged("LVM2", "physical volume header", "a list of areas does not end");
}

const DAMAGED = Symbol("does not check");
const UNUSED = Symbol("holds nothing");

/** The text that the first location names; it may wrap around the end of the area. */
async function readMetadata(
  reader: BlockReader,
  areaOffset: number,
  areaBytes: number,
  options: ReadOptions,
): Promise<string | typeof DAMAGED | typeof UNUSED> {
  const origin = { type: "LVM2", where: "metadata area" };
  if (areaBytes < MDA_HEADER_BYTES || areaOffset + areaBytes > reader.sizeBytes) return DAMAGED;
  const header = await readRange(reader, areaOffset, MDA_HEADER_BYTES, origin, options);
  const view = new DataView(header.buffer);
  if (latin1(header.subarray(4, 20)) !== MDA_MAGIC || lvmCrc(header.subarray(4)) !== view.getUint32(0, true))
    return DAMAGED;
  const at = RAW_LOCATIONS_AT;
  const offset = Number(view.getBigUint64(at, true));
  const length = Number(view.getBigUint64(at + 8, true));
  const flags = view.getUint32(at + RAW_LOCATION_BYTES - 4, true);
  if (offset === 0 || (flags & IGNORED) !== 0) return UNUSED;
  const sane = offset >= MDA_HEADER_BYTES && offset < areaBytes && length > 0 && length <= areaBytes;
  if (!sane || length > MAX_METADATA_BYTES) return DAMAGED;
  const first = Math.min(length, areaBytes - offset);
  const text = new Uint8Array(length);
  text.set(await readRange(reader, areaOffset + offset, first, origin, options));
  if (first < length)
    text.set(await readRange(reader, areaOffset + MDA_HEADER_BYTES, length - first, origin, options), first);
  if (lvmCrc(text) !== view.getUint32(at + 16, true)) return DAMAGED;
  const end = text.indexOf(0);
  return latin1(text.subarray(0, end < 0 ? length : end));
}

/** zlib inverts before and after, lvm2 does not. */
function lvmCrc(bytes: Uint8Array): number {
  return (crc32(bytes, (INITIAL_CRC ^ 0xffff_ffff) >>> 0) ^ 0xffff_ffff) >>> 0;
}

function dashed(uuid: string): string {
  const ends = [6, 10, 14, 18, 22, 26, 32];
  return ends.map((end, i) => uuid.slice(ends[i - 1] ?? 0, end)).join("-");
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}

// One record of the master file table: a header and the attributes that fit into it.

import { damaged } from "../filesystemErrors.js";
import { applyFixups } from "./fixups.js";

export const ATTRIBUTE_TYPE = {
  standardInformation: 0x10,
  attributeList: 0x20,
  fileName: 0x30,
  volumeName: 0x60,
  volumeInformation: 0x70,
  data: 0x80,
  indexRoot: 0x90,
  indexAllocation: 0xa0,
  reparsePoint: 0xc0,
  extendedAttributes: 0xe0,
};

export const ATTRIBUTE_FLAG = { compressionMask: 0x00ff, lznt1: 0x0001, encrypted: 0x4000, sparse: 0x8000 };

/** A part of an attribute: the whole, or of one with very many runs those from `lowestVcn` on. */
export interface AttributePart {
  type: number;
  /** Empty for most. */
  name: string;
  id: number;
  flags: number;
  /** Of resident ones; null for others. */
  value: Uint8Array | null;
  lowestVcn: number;
  nonResident: NonResidentHeader | null;
}

export interface NonResidentHeader {
  highestVcn: number;
  /** The encoded run list. */
  runs: Uint8Array;
  /** Clusters in a compression unit, as a power of two; 0: not compressed. */
  compressionShift: number;
  allocatedBytes: number;
  sizeBytes: number;
  initializedBytes: number;
  /** Really taken up, of compressed and sparse ones; else null. */
  compressedBytes: number | null;
}

export interface FileRecord {
  number: number;
  sequence: number;
  inUse: boolean;
  isDirectory: boolean;
  /** Number of the record this one extends; null for base records. */
  base: number | null;
  parts: AttributePart[];
}

const END = 0xffffffff;
const RESIDENT_HEADER = 24;
const NON_RESIDENT_HEADER = 64;
const HEADER_BYTES = 42;

/** The number of a file reference: its low 48 bits; the high 16 are the sequence. */
export function decodeReference(view: DataView, at: number): { record: number; sequence: number } {
  return {
    record: view.getUint32(at, true) + view.getUint16(at + 4, true) * 2 ** 32,
    sequence: view.getUint16(at + 6, true),
  };
}

/** A 64-bit number that is an exact one here; else null. */
function safeNumber(view: DataView, at: number): number | null {
  const value = Number(view.getBigInt64(at, true));
  return Number.isSafeInteger(value) ? value : null;
}

/** Changes `bytes` (fixups) and keeps them. Throws FILESYSTEM_DAMAGED. */
export function decodeFileRecord(bytes: Uint8Array, number: number): FileRecord {
  const where = `file record ${number}`;
  applyFixups(bytes, "FILE", where);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const used = view.getUint32(24, true);
  const first = view.getUint16(20, true);
  if (used > bytes.length || first < HEADER_BYTES || first > used) {
    throw damaged("ntfs", where, "its header does not fit", { used, first });
  }
  const flags = view.getUint16(22, true);
  const base = decodeReference(view, 32);
  return {
    number,
    sequence: view.getUint16(16, true),
    inUse: (flags & 1) !== 0,
    isDirectory: (flags & 2) !== 0,
    base: base.record === 0 && base.sequence === 0 ? null : base.record,
    parts: (flags & 1) !== 0 ? decodeParts(bytes.subarray(0, used), first, where) : [],
  };
}

function decodeParts(bytes: Uint8Array, first: number, where: string): AttributePart[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const parts: AttributePart[] = [];
  for (let at = first; at + 4 <= bytes.length; ) {
    const type = view.getUint32(at, true);
    if (type === END) return parts;
    const length = at + 8 <= bytes.length ? view.getUint32(at + 4, true) : 0;
    if (length < RESIDENT_HEADER || length % 8 !== 0 || at + length > bytes.length) {
      throw damaged("ntfs", where, "an attribute does not fit", { type, length, offset: at });
    }
    parts.push(decodePart(bytes.subarray(at, at + length), type, where));
    at += length;
  }
  throw damaged("ntfs", where, "its attributes have no end");
}

function decodePart(bytes: Uint8Array, type: number, where: string): AttributePart {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const bad = () => damaged("ntfs", where, "an attribute is not well-formed", { type });
  const nameEnd = view.getUint16(10, true) + view.getUint8(9) * 2;
  if (nameEnd > bytes.length) throw bad();
  const name = decodeUtf16(bytes.subarray(nameEnd - view.getUint8(9) * 2, nameEnd));
  const common = { type, name, id: view.getUint16(14, true), flags: view.getUint16(12, true) };
  if (view.getUint8(8) === 0) {
    const start = view.getUint16(20, true);
    const end = start + view.getUint32(16, true);
    if (start < RESIDENT_HEADER || end > bytes.length) throw bad();
    return { ...common, value: bytes.subarray(start, end), lowestVcn: 0, nonResident: null };
  }
  if (bytes.length < NON_RESIDENT_HEADER) throw bad();
  const runOffset = view.getUint16(32, true);
  const numbers = [16, 24, 40, 48, 56].map((at) => safeNumber(view, at));
  if (runOffset < NON_RESIDENT_HEADER || runOffset > bytes.length || numbers.includes(null)) throw bad();
  const [lowestVcn, highestVcn, allocatedBytes, sizeBytes, initializedBytes] = numbers as [
    number,
    number,
    number,
    number,
    number,
  ];
  if (lowestVcn < 0 || highestVcn < lowestVcn - 1 || sizeBytes < 0 || initializedBytes < 0) throw bad();
  const isPacked = (common.flags & (ATTRIBUTE_FLAG.compressionMask | ATTRIBUTE_FLAG.sparse)) !== 0;
  const nonResident = {
    highestVcn,
    runs: bytes.subarray(runOffset),
    compressionShift: view.getUint16(34, true),
    allocatedBytes,
    sizeBytes,
    initializedBytes,
    compressedBytes: isPacked && runOffset >= 72 ? safeNumber(view, 64) : null,
  };
  return { ...common, value: null, lowestVcn, nonResident };
}

/** Little-endian, any alignment; unpaired surrogates stay. */
export function decodeUtf16(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i + 1 < bytes.length; i += 2) {
    text += String.fromCharCode((bytes[i] as number) | ((bytes[i + 1] as number) << 8));
  }
  return text;
}

// The entries of an exFAT directory: a file is a set of 3 to 19 entries of 32 bytes under one checksum. Unknown entries
// that are marked as harmless are passed over, others make the directory unreadable, as the specification wants.

import type { PlacedBytes } from "../fat/clusterSpace.js";
import { damaged, unsupported } from "../filesystemErrors.js";
import { encodeWtf8 } from "../wtf8.js";

export const ENTRY_BYTES = 32;
export const MAX_DIRECTORY_BYTES = 256 * 1024 * 1024;

const IN_USE = 0x80;
const SECONDARY = 0x40;
const BENIGN = 0x20;
const STREAM = 0xc0;
const NAME = 0xc1;
const UNITS_PER_NAME = 15;

export const PRIMARY = { bitmap: 0x81, upcase: 0x82, label: 0x83, file: 0x85 };

export interface PlacedEntry {
  offset: number;
  bytes: Uint8Array;
}

/** All entries up to the end mark, unused ones too. */
async function* placedEntries(pieces: AsyncIterable<PlacedBytes>): AsyncIterable<PlacedEntry> {
  for await (const { offset, bytes } of pieces) {
    for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
      if (bytes[at] === 0) return;
      yield { offset: offset + at, bytes: bytes.subarray(at, at + ENTRY_BYTES) };
    }
  }
}

/** Every primary entry in use; a file comes with its secondary entries. */
export async function* entrySets(pieces: AsyncIterable<PlacedBytes>, where: string): AsyncIterable<PlacedEntry[]> {
  let set: PlacedEntry[] = [];
  let missing = 0;
  for await (const entry of placedEntries(pieces)) {
    const type = entry.bytes[0] as number;
    if (missing > 0) {
      if ((type & (IN_USE | SECONDARY)) !== (IN_USE | SECONDARY)) {
        throw damaged("exfat", where, "a file's entries are not all there", { offset: entry.offset });
      }
      set.push(entry);
      if (--missing === 0) yield set;
    } else if (type === PRIMARY.file) {
      set = [entry];
      missing = entry.bytes[1] as number;
      if (missing < 2) throw damaged("exfat", where, "a file has too few entries", { offset: entry.offset });
    } else if (type === PRIMARY.bitmap || type === PRIMARY.upcase || type === PRIMARY.label) {
      yield [entry];
    } else if ((type & IN_USE) !== 0 && (type & (SECONDARY | BENIGN)) === 0) {
      throw unsupported("exfat", `a directory entry of type ${type}`, { where, offset: entry.offset });
    }
  }
  if (missing > 0) throw damaged("exfat", where, "ends inside the entries of a file");
}

function setChecksum(set: readonly PlacedEntry[]): number {
  let sum = 0;
  set.forEach(({ bytes }, number) => {
    bytes.forEach((byte, i) => {
      if (number !== 0 || (i !== 2 && i !== 3)) sum = (((sum & 1) << 15) + (sum >>> 1) + byte) & 0xffff;
    });
  });
  return sum;
}

export interface FileSet {
  file: PlacedEntry;
  stream: PlacedEntry;
  name: Uint8Array;
}

/** Checks a file's entries and joins its name. Throws FILESYSTEM_DAMAGED. */
export function decodeFileSet(set: readonly PlacedEntry[], where: string): FileSet {
  const [file, stream] = set as [PlacedEntry, PlacedEntry, ...PlacedEntry[]];
  const stored = (file.bytes[2] as number) | ((file.bytes[3] as number) << 8);
  if (setChecksum(set) !== stored) {
    throw damaged("exfat", where, "a file's entries do not have their checksum", { offset: file.offset });
  }
  const length = stream.bytes[3] as number;
  const names = set.slice(2, 2 + Math.ceil(length / UNITS_PER_NAME));
  const wellFormed = names.length * UNITS_PER_NAME >= length && names.every(({ bytes }) => bytes[0] === NAME);
  if (stream.bytes[0] !== STREAM || length === 0 || !wellFormed) {
    throw damaged("exfat", where, "a file's entries are not a file's", { offset: file.offset });
  }
  const units = new Uint16Array(names.length * UNITS_PER_NAME);
  names.forEach(({ bytes }, number) => {
    for (let i = 0; i < UNITS_PER_NAME; i++) {
      units[number * UNITS_PER_NAME + i] = (bytes[2 + i * 2] as number) | ((bytes[3 + i * 2] as number) << 8);
    }
  });
  return { file, stream, name: encodeWtf8(units.subarray(0, length)) };
}

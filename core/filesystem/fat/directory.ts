// The entries of a FAT directory: 32 bytes each, long names spread over several before the one they belong to. A long name
// that is not whole, or is not this entry's, is ignored as Windows and Linux do: the short name counts.

import { encodeWtf8 } from "../wtf8.js";
import type { PlacedBytes } from "./clusterSpace.js";
import { decodeShortName, shortNameChecksum } from "./shortName.js";

export const ENTRY_BYTES = 32;
/** 65,536 entries are the format's limit. */
export const MAX_DIRECTORY_BYTES = 65_536 * ENTRY_BYTES;

const LONG_NAME = 0x0f;
const DELETED = 0xe5;
const LAST_PART = 0x40;
const MAX_PARTS = 20;
const UNITS_PER_PART = 13;
const UNIT_OFFSETS = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];
const NAME_END = 0;

export interface RawEntry {
  /** Of its 32 bytes on the volume. */
  offset: number;
  bytes: Uint8Array;
  name: Uint8Array;
}

/** Collects the parts of one long name; they come in descending order. */
class LongName {
  #units = new Uint16Array(0);
  #expected = 0;
  #checksum = 0;

  clear(): void {
    this.#units = new Uint16Array(0);
    this.#expected = 0;
  }

  add(entry: Uint8Array): void {
    const order = entry[0] as number;
    const number = order & ~LAST_PART;
    if ((order & LAST_PART) !== 0) {
      this.clear();
      if (number < 1 || number > MAX_PARTS) return;
      this.#units = new Uint16Array(number * UNITS_PER_PART);
      this.#expected = number;
      this.#checksum = entry[13] as number;
    }
    if (number !== this.#expected || number === 0 || entry[13] !== this.#checksum) {
      this.clear();
      return;
    }
    const start = (number - 1) * UNITS_PER_PART;
    UNIT_OFFSETS.forEach((at, i) => {
      this.#units[start + i] = (entry[at] as number) | ((entry[at + 1] as number) << 8);
    });
    this.#expected--;
  }

  /** The name, if all of it has come and it belongs to this entry. */
  takeFor(entry: Uint8Array): Uint8Array | null {
    const units = this.#units;
    const fits = units.length > 0 && this.#expected === 0 && this.#checksum === shortNameChecksum(entry);
    this.clear();
    if (!fits) return null;
    const end = units.indexOf(NAME_END);
    const name = encodeWtf8(end === -1 ? units : units.subarray(0, end));
    return name.length > 0 ? name : null;
  }
}

/** Every entry that is neither deleted nor part of a long name: files, directories, `.` and `..`, the volume's label. */
export async function* rawEntries(pieces: AsyncIterable<PlacedBytes>): AsyncIterable<RawEntry> {
  const longName = new LongName();
  for await (const { offset, bytes } of pieces) {
    for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
      const entry = bytes.subarray(at, at + ENTRY_BYTES);
      if (entry[0] === 0) return;
      const attributes = (entry[11] as number) & 0x3f;
      if (entry[0] === DELETED) {
        longName.clear();
      } else if (attributes === LONG_NAME) {
        longName.add(entry);
      } else {
        const name = longName.takeFor(entry) ?? new TextEncoder().encode(decodeShortName(entry));
        yield { offset: offset + at, bytes: entry, name };
      }
    }
  }
}

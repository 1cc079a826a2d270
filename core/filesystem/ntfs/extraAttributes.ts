// What else hangs on a file of NTFS: alternate data streams, and the extended attributes of OS/2 (which WSL uses).

import type { ReadOptions } from "../blockReader.js";
import type { NamedBytes } from "../fileSystem.js";
import { damaged } from "../filesystemErrors.js";
import { ATTRIBUTE_FLAG, ATTRIBUTE_TYPE } from "./fileRecord.js";
import type { NtfsFile } from "./ntfsFile.js";

const MAX_VALUE_BYTES = 64 * 1024;
const MAX_TOTAL_BYTES = 16 * 1024 * 1024;
const EA_HEADER_BYTES = 8;

/**
 * `stream.NAME` and `ea.NAME`. Streams that are encrypted or longer than 64 KiB are left out, and the one
 * that is `hidden`. Throws FILESYSTEM_DAMAGED.
 */
export async function readExtraAttributes(file: NtfsFile, hidden: string, options: ReadOptions): Promise<NamedBytes[]> {
  const found: NamedBytes[] = [];
  let total = 0;
  for (const name of file.names(ATTRIBUTE_TYPE.data)) {
    if (name === "" || name === hidden) continue;
    const part = await file.firstPart(ATTRIBUTE_TYPE.data, name, options);
    const length = part?.value?.length ?? part?.nonResident?.sizeBytes ?? 0;
    const isReadable = part !== null && (part.flags & ATTRIBUTE_FLAG.encrypted) === 0;
    if (!isReadable || length > MAX_VALUE_BYTES || total + length > MAX_TOTAL_BYTES) continue;
    const value = await file.value(ATTRIBUTE_TYPE.data, name, MAX_VALUE_BYTES, options);
    total += length;
    if (value !== null) found.push({ name: `stream.${name}`, value });
  }
  const extended = await file.value(ATTRIBUTE_TYPE.extendedAttributes, "", MAX_VALUE_BYTES, options);
  return extended === null ? found : [...found, ...decodeExtended(extended, file.where)];
}

/** A chain of entries: distance to the next, flags, lengths, name, NUL, value. */
function decodeExtended(bytes: Uint8Array, where: string): NamedBytes[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found: NamedBytes[] = [];
  for (let at = 0; at + EA_HEADER_BYTES <= bytes.length; ) {
    const next = view.getUint32(at, true);
    const nameEnd = at + EA_HEADER_BYTES + view.getUint8(at + 5);
    const end = nameEnd + 1 + view.getUint16(at + 6, true);
    if (end > bytes.length || (next !== 0 && next < EA_HEADER_BYTES)) {
      throw damaged("ntfs", where, "its extended attributes do not fit", { offset: at });
    }
    const name = new TextDecoder("latin1").decode(bytes.subarray(at + EA_HEADER_BYTES, nameEnd));
    found.push({ name: `ea.${name}`, value: bytes.slice(nameEnd + 1, end) });
    if (next === 0) break;
    at += next;
  }
  return found;
}

// The list of a file whose attributes do not fit into one record: which part is in which record.

import { damaged } from "../filesystemErrors.js";
import { decodeReference, decodeUtf16 } from "./fileRecord.js";

export interface AttributeReference {
  type: number;
  name: string;
  id: number;
  lowestVcn: number;
  record: number;
  sequence: number;
}

/** The limit of Windows. */
export const MAX_LIST_BYTES = 256 * 1024;
const ENTRY_HEADER_BYTES = 26;

/** Throws FILESYSTEM_DAMAGED. */
export function decodeAttributeList(bytes: Uint8Array, where: string): AttributeReference[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const references: AttributeReference[] = [];
  for (let at = 0; at + ENTRY_HEADER_BYTES <= bytes.length; ) {
    const length = view.getUint16(at + 4, true);
    const nameStart = at + view.getUint8(at + 7);
    const nameEnd = nameStart + view.getUint8(at + 6) * 2;
    const lowestVcn = Number(view.getBigUint64(at + 8, true));
    if (length < ENTRY_HEADER_BYTES || at + length > bytes.length || nameEnd > at + length) {
      throw damaged("ntfs", where, "its attribute list is malformed", { offset: at });
    }
    const name = decodeUtf16(bytes.subarray(nameStart, nameEnd));
    const id = view.getUint16(at + 24, true);
    references.push({ type: view.getUint32(at, true), name, id, lowestVcn, ...decodeReference(view, at + 16) });
    at += length;
  }
  return references;
}

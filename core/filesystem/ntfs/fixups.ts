// Multi-sector structures of NTFS (FILE, INDX, RSTR): the last two bytes of every 512 are kept aside and replaced by a
// number that changes with every write, so that a torn write shows.

import { damaged } from "../filesystemErrors.js";

const STRIDE = 512;

export function hasMagic(bytes: Uint8Array, magic: string): boolean {
  return bytes.length >= 4 && [...magic].every((letter, i) => bytes[i] === letter.charCodeAt(0));
}

/** Puts the bytes back in place. Throws FILESYSTEM_DAMAGED for another magic and for torn writes. */
export function applyFixups(bytes: Uint8Array, magic: string, where: string): void {
  if (!hasMagic(bytes, magic)) throw damaged("ntfs", where, `does not begin with ${magic}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const start = view.getUint16(4, true);
  const count = view.getUint16(6, true);
  const strides = bytes.length / STRIDE;
  if (count !== strides + 1 || start + count * 2 > STRIDE - 2) {
    throw damaged("ntfs", where, "its update sequence does not fit", { start, count });
  }
  const expected = view.getUint16(start, true);
  for (let i = 0; i < strides; i++) {
    const end = (i + 1) * STRIDE - 2;
    if (view.getUint16(end, true) !== expected) {
      throw damaged("ntfs", where, "was written in part only", { sector: i });
    }
    view.setUint16(end, view.getUint16(start + 2 + i * 2, true), true);
  }
}

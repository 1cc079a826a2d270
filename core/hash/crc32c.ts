// CRC-32C (Castagnoli, RFC 3720 appendix B.4): checksums of ext4, XFS v5 and btrfs metadata. Not for data of ours.

/** Reflected polynomial 0x1EDC6F41. */
const POLYNOMIAL = 0x82f63b78;
const SLICES = 8;

const table = makeTable();

/** Raw register in, raw register out: callers apply the initial and final inversion that their format wants. */
export function crc32c(bytes: Uint8Array, register = 0): number {
  let crc = register >>> 0;
  let at = 0;
  for (const end = bytes.length - SLICES; at <= end; at += SLICES) {
    const low = crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
    crc =
      table[0x700 | (low & 0xff)]! ^
      table[0x600 | ((low >>> 8) & 0xff)]! ^
      table[0x500 | ((low >>> 16) & 0xff)]! ^
      table[0x400 | (low >>> 24)]! ^
      table[0x300 | bytes[at + 4]!]! ^
      table[0x200 | bytes[at + 5]!]! ^
      table[0x100 | bytes[at + 6]!]! ^
      table[bytes[at + 7]!]!;
  }
  for (; at < bytes.length; at++) crc = table[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
  return crc >>> 0;
}

/** With the usual inversion before and after, as in "123456789" → 0xE3069283. */
export function crc32cOf(bytes: Uint8Array): number {
  return (crc32c(bytes, 0xffff_ffff) ^ 0xffff_ffff) >>> 0;
}

/** Eight tables behind each other: slice k is the effect of a byte that k more bytes follow. */
function makeTable(): Uint32Array {
  const tables = new Uint32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[byte] = crc >>> 0;
  }
  for (let byte = 0; byte < 256; byte++) {
    for (let slice = 1; slice < SLICES; slice++) {
      const before = tables[(slice - 1) * 256 + byte]!;
      tables[slice * 256 + byte] = (before >>> 8) ^ tables[before & 0xff]!;
    }
  }
  return tables;
}

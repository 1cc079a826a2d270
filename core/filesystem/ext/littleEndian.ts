// Little-endian fields at known offsets of a block whose length has been checked. Past its end they read as zero.

export function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)) >>> 0;
}

export function u32(bytes: Uint8Array, at: number): number {
  return (u16(bytes, at) | (u16(bytes, at + 2) << 16)) >>> 0;
}

/** The big-endian fields of the journal. */
export function be32(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(at, at + 4);
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

/** A number in two halves; exact up to 2^53, and past that still larger than any limit. */
export function fromHalves(high: number, low: number): number {
  return high * 2 ** 32 + low;
}

/** For checksums over numbers. */
export function le32Bytes(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24);
}

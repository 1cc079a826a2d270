// The two other checksums of ext: CRC-16 of group descriptors (gdt_csum) and the big-endian CRC-32 of old journals.

/** Reflected polynomial 0x8005. Register in, register out. */
export function crc16(bytes: Uint8Array, register: number): number {
  let crc = register;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  }
  return crc;
}

/** Polynomial 0x04C11DB7, most significant bit first. Register in, register out. */
export function crc32BigEndian(bytes: Uint8Array, register: number): number {
  let crc = register;
  for (const byte of bytes) crc = (crc << 8) ^ (table[((crc >>> 24) ^ byte) & 0xff] as number);
  return crc >>> 0;
}

const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000_0000 ? (crc << 1) ^ 0x04c1_1db7 : crc << 1;
  return crc;
});

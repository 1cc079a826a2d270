// Names that a file system stores as UTF-16, as bytes: UTF-8, and for unpaired surrogates WTF-8 (simonsapin.github.io/wtf-8),
// so that no name is lost or doubled.

/** Any sequence of 16-bit units. */
export function encodeWtf8(units: Uint16Array): Uint8Array {
  const bytes = new Uint8Array(units.length * 3);
  let length = 0;
  for (let i = 0; i < units.length; i++) {
    let code = units[i] as number;
    const low = units[i + 1];
    if (code >= 0xd800 && code < 0xdc00 && low !== undefined && low >= 0xdc00 && low < 0xe000) {
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      i++;
    }
    if (code < 0x80) {
      bytes[length++] = code;
    } else if (code < 0x800) {
      bytes[length++] = 0xc0 | (code >> 6);
      bytes[length++] = 0x80 | (code & 0x3f);
    } else if (code < 0x10000) {
      bytes[length++] = 0xe0 | (code >> 12);
      bytes[length++] = 0x80 | ((code >> 6) & 0x3f);
      bytes[length++] = 0x80 | (code & 0x3f);
    } else {
      bytes[length++] = 0xf0 | (code >> 18);
      bytes[length++] = 0x80 | ((code >> 12) & 0x3f);
      bytes[length++] = 0x80 | ((code >> 6) & 0x3f);
      bytes[length++] = 0x80 | (code & 0x3f);
    }
  }
  return bytes.slice(0, length);
}

const LEAD_MINIMUM = [0, 0x80, 0x800, 0x10000];

/** The inverse of encodeWtf8; null for bytes that are neither UTF-8 nor WTF-8, which no such name can equal. */
export function decodeWtf8(bytes: Uint8Array): Uint16Array | null {
  const units = new Uint16Array(bytes.length);
  let length = 0;
  for (let i = 0; i < bytes.length; ) {
    const lead = bytes[i++] as number;
    const more = lead < 0x80 ? 0 : lead < 0xc0 ? -1 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf8 ? 3 : -1;
    if (more < 0 || i + more > bytes.length) return null;
    let code = more === 0 ? lead : lead & (0x3f >> more);
    for (let k = 0; k < more; k++) {
      const next = bytes[i++] as number;
      if ((next & 0xc0) !== 0x80) return null;
      code = (code << 6) | (next & 0x3f);
    }
    if (code < (LEAD_MINIMUM[more] as number) || code > 0x10ffff) return null;
    if (code >= 0x10000) {
      units[length++] = 0xd800 + ((code - 0x10000) >> 10);
      units[length++] = 0xdc00 + ((code - 0x10000) & 0x3ff);
    } else {
      units[length++] = code;
    }
  }
  return units.slice(0, length);
}

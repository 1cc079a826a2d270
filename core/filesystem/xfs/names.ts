// Names as the index of a directory knows them: their hash, and what counts as the same name.

/** "XFS Algorithms & Data Structures", chapter Directories, Hash. */
export function hashName(name: Uint8Array): number {
  let hash = 0;
  let at = 0;
  for (; name.length - at >= 4; at += 4) {
    const four = (byteAt(name, at) << 21) ^ (byteAt(name, at + 1) << 14) ^ (byteAt(name, at + 2) << 7);
    hash = four ^ byteAt(name, at + 3) ^ rotateLeft(hash, 28);
  }
  const rest = name.length - at;
  if (rest === 3) {
    hash = (byteAt(name, at) << 14) ^ (byteAt(name, at + 1) << 7) ^ byteAt(name, at + 2) ^ rotateLeft(hash, 21);
  } else if (rest === 2) {
    hash = (byteAt(name, at) << 7) ^ byteAt(name, at + 1) ^ rotateLeft(hash, 14);
  } else if (rest === 1) {
    hash = byteAt(name, at) ^ rotateLeft(hash, 7);
  }
  return hash >>> 0;
}

/** Small letters of ASCII and Latin-1, as a file system that ignores case compares them. */
export function foldName(name: Uint8Array): Uint8Array {
  return name.map((byte) => (isCapital(byte) ? byte + 0x20 : byte));
}

function isCapital(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0xc0 && byte <= 0xde && byte !== 0xd7);
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

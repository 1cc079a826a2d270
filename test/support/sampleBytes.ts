// Bytes for tests, made from a seed: the same in every run and on every machine.

/** Noise by xorshift32; as good as random for chunkers and compressors. */
export function noise(seed: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x6d2b79f5) >>> 0 || 1;
  for (let position = 0; position < length; position += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[position] = state >>> 11;
  }
  return bytes;
}

/** Words of a small vocabulary: compresses well, looks like text. */
export function prose(seed: number, length: number): Uint8Array {
  const words = [
    "disk",
    "snapshot",
    "restored",
    "a",
    "the",
    "block",
    "of",
    "machine\n",
    "chunk",
    "is",
    "was",
    "verified.",
  ];
  const choice = noise(seed, length);
  const bytes = new Uint8Array(length);
  let position = 0;
  for (let word = 0; position < length; word += 1) {
    for (const letter of `${words[choice[word]! % words.length]!} `) {
      bytes[position] = letter.charCodeAt(0);
      position += 1;
    }
  }
  return bytes;
}

/** A pattern of noise again and again. */
export function periodic(seed: number, period: number, length: number): Uint8Array {
  const pattern = noise(seed, period);
  return new Uint8Array(length).map((_, position) => pattern[position % period]!);
}

/** Noise of few different byte values, mostly 0. */
export function lowEntropy(seed: number, length: number): Uint8Array {
  return noise(seed, length).map((byte) => (byte < 200 ? 0 : byte & 3));
}

export function join(...parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

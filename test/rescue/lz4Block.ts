// A tiny encoder of raw LZ4 blocks: literals up to the second occurrence of four bytes, then the longest match.

/** Always valid, seldom small. The last five bytes are literals, as the format asks for. */
export function packLz4(plain: Uint8Array): Buffer {
  const parts: Buffer[] = [];
  const seen = new Map<number, number>();
  const view = new DataView(plain.buffer, plain.byteOffset, plain.length);
  let literalStart = 0;
  let position = 0;
  while (position + 12 < plain.length) {
    const word = view.getUint32(position, true);
    const match = seen.get(word);
    seen.set(word, position);
    if (match === undefined || position - match > 65_535) {
      position += 1;
      continue;
    }
    let length = 4;
    while (position + length < plain.length - 5 && plain[match + length] === plain[position + length]) length += 1;
    parts.push(sequence(plain.subarray(literalStart, position), { distance: position - match, length }));
    position += length;
    literalStart = position;
  }
  parts.push(sequence(plain.subarray(literalStart)));
  return Buffer.concat(parts);
}

export function sequence(literals: Uint8Array, match?: { distance: number; length: number }): Buffer {
  const extra = match === undefined ? 0 : match.length - 4;
  const token = (Math.min(literals.length, 15) << 4) | Math.min(extra, 15);
  const parts = [Buffer.from([token]), lengthBytes(literals.length), literals];
  if (match !== undefined) parts.push(Buffer.from([match.distance & 255, match.distance >> 8]), lengthBytes(extra));
  return Buffer.concat(parts);
}

function lengthBytes(length: number): Buffer {
  if (length < 15) return Buffer.alloc(0);
  const rest = length - 15;
  return Buffer.concat([Buffer.alloc(Math.floor(rest / 255), 255), Buffer.from([rest % 255])]);
}

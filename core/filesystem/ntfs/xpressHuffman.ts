// LZ77 with Huffman codes as MS-XCA 2.2 describes it ("XPRESS Huffman"): one chunk is a table of 512 code lengths and a stream
// of 16-bit words, with bytes of long match lengths between them.

import { damaged } from "../filesystemErrors.js";

const TABLE_BYTES = 256;
const SYMBOLS = 512;
const MAX_CODE_BITS = 15;
const LITERALS = 256;

function refuse(where: string, problem: string): never {
  throw damaged("ntfs", where, `compressed data ${problem}`);
}

/** For each 15 bits: the symbol that they begin with times 16, plus the length of its code. */
function decodingTable(input: Uint8Array, where: string): Uint16Array {
  const table = new Uint16Array(1 << MAX_CODE_BITS);
  let filled = 0;
  for (let bits = 1; bits <= MAX_CODE_BITS; bits++) {
    const span = 1 << (MAX_CODE_BITS - bits);
    for (let symbol = 0; symbol < SYMBOLS; symbol++) {
      const pair = input[symbol >> 1] as number;
      if ((symbol % 2 === 0 ? pair & 0x0f : pair >> 4) !== bits) continue;
      if (filled + span > table.length) refuse(where, "has impossible codes");
      table.fill(symbol * 16 + bits, filled, filled + span);
      filled += span;
    }
  }
  if (filled !== table.length) refuse(where, "has incomplete codes");
  return table;
}

class BitStream {
  readonly #input: Uint8Array;
  readonly #where: string;
  #at = TABLE_BYTES;
  #bits: number;
  #spare = 16;

  constructor(input: Uint8Array, where: string) {
    this.#input = input;
    this.#where = where;
    this.#bits = (this.#word() << 16) | this.#word();
  }

  /** The next `count` (0–15) bits, which stay. */
  peek(count: number): number {
    return count === 0 ? 0 : this.#bits >>> (32 - count);
  }

  skip(count: number): void {
    this.#bits <<= count;
    this.#spare -= count;
    if (this.#spare >= 0) return;
    this.#bits |= this.#word() << -this.#spare;
    this.#spare += 16;
  }

  /** A number of bytes that stands between the words. */
  bytes(count: number): number {
    if (this.#at + count > this.#input.length) refuse(this.#where, "is cut off");
    let value = 0;
    for (let i = 0; i < count; i++) value += (this.#input[this.#at++] as number) * 2 ** (8 * i);
    return value;
  }

  /** The stream is read ahead: what is missing behind its end is zeros. */
  #word(): number {
    const word = (this.#input[this.#at] ?? 0) | ((this.#input[this.#at + 1] ?? 0) << 8);
    this.#at += 2;
    return word;
  }
}

/** Fills all of `output`. Throws FILESYSTEM_DAMAGED. */
export function decompressXpressHuffman(input: Uint8Array, output: Uint8Array, where: string): void {
  if (input.length < TABLE_BYTES) refuse(where, "is cut off");
  const table = decodingTable(input, where);
  const stream = new BitStream(input, where);
  for (let written = 0; written < output.length; ) {
    const coded = table[stream.peek(MAX_CODE_BITS)] as number;
    stream.skip(coded & 0x0f);
    const symbol = coded >> 4;
    if (symbol < LITERALS) {
      output[written++] = symbol;
      continue;
    }
    const length = matchLength(stream, symbol & 0x0f, where);
    const distanceBits = (symbol - LITERALS) >> 4;
    const distance = 2 ** distanceBits + stream.peek(distanceBits);
    stream.skip(distanceBits);
    if (distance > written) refuse(where, "refers to bytes before its chunk");
    if (written + length > output.length) refuse(where, "is too long");
    for (const end = written + length; written < end; written++) output[written] = output[written - distance] as number;
  }
}

function matchLength(stream: BitStream, coded: number, where: string): number {
  if (coded < 15) return coded + 3;
  const byte = stream.bytes(1);
  if (byte < 255) return byte + 15 + 3;
  const long = stream.bytes(2) || stream.bytes(4);
  if (long < 15) refuse(where, "has a match length that does not exist");
  return long + 3;
}

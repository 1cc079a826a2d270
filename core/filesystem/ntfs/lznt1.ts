// LZNT1 (MS-XCA 2.5): chunks that stand for 4096 bytes each, of literal bytes and references backwards inside the chunk.

import { damaged } from "../filesystemErrors.js";

const CHUNK_BYTES = 4096;
const COMPRESSED = 0x8000;

function refuse(where: string, problem: string): never {
  throw damaged("ntfs", where, `compressed data ${problem}`);
}

/** Fills `output` from `input`; what the input does not reach is zeros. Throws FILESYSTEM_DAMAGED. */
export function decompressLznt1(input: Uint8Array, output: Uint8Array, where: string): void {
  let at = 0;
  let start = 0;
  for (; start < output.length && at + 2 <= input.length; start += CHUNK_BYTES) {
    const header = (input[at] as number) | ((input[at + 1] as number) << 8);
    if (header === 0) break;
    const end = at + 3 + (header & 0x0fff);
    if (end > input.length) refuse(where, "is cut off");
    const source = input.subarray(at + 2, end);
    const target = output.subarray(start, start + CHUNK_BYTES);
    let written: number;
    if ((header & COMPRESSED) !== 0) {
      written = decompressChunk(source, target, where);
    } else {
      written = Math.min(source.length, target.length);
      target.set(source.subarray(0, written));
    }
    target.fill(0, written);
    at = end;
  }
  output.fill(0, Math.min(start, output.length));
}

/** Answers how many bytes it wrote. */
function decompressChunk(source: Uint8Array, target: Uint8Array, where: string): number {
  let written = 0;
  for (let at = 0; at < source.length; ) {
    let flags = source[at++] as number;
    for (let i = 0; i < 8 && at < source.length; i++, flags >>= 1) {
      if ((flags & 1) === 0) {
        if (written >= target.length) refuse(where, "is too long");
        target[written++] = source[at++] as number;
        continue;
      }
      if (at + 2 > source.length) refuse(where, "is cut off");
      const token = (source[at] as number) | ((source[at + 1] as number) << 8);
      at += 2;
      // the further into the chunk, the more bits the distance needs
      const distanceBits = Math.max(4, 32 - Math.clz32(written - 1));
      const distance = (token >> (16 - distanceBits)) + 1;
      const length = (token & (0xffff >> distanceBits)) + 3;
      if (written === 0 || distance > written) refuse(where, "refers to bytes before its chunk");
      if (written + length > target.length) refuse(where, "is too long");
      for (const end = written + length; written < end; written++)
        target[written] = target[written - distance] as number;
    }
  }
  return written;
}

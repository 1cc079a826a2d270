// LZO1X and BLAKE2b by known answers, and what compressed extents may and may not be.

import assert from "node:assert/strict";
import { createZstdCompress, deflateSync, zstdCompressSync } from "node:zlib";
import { readZstdFrame } from "../../../core/codec/zstdFrame.js";
import { blake2b256 } from "../../../core/filesystem/btrfs/blake2b.js";
import { COMPRESSION, decompressExtent, MAX_COMPRESSED_EXTENT } from "../../../core/filesystem/btrfs/decompress.js";
import { decompressLzo } from "../../../core/filesystem/btrfs/lzo.js";
import { assertCode } from "../../support/assertCode.js";
import { noise } from "../../support/sampleBytes.js";

const text = (value: string) => new TextEncoder().encode(value);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

function unpackedLzo(stream: readonly number[], room: number): string | null {
  const target = new Uint8Array(room);
  const count = decompressLzo(Uint8Array.from(stream), target);
  return count === null ? null : new TextDecoder().decode(target.subarray(0, count));
}

const END = [0x11, 0, 0];

describe("btrfs: decompressors and checksums", () => {
  it("BLAKE2b with 32 bytes: answers of b2sum", () => {
    const answers: [string, string][] = [
      ["", "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"],
      ["abc", "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"],
    ];
    for (const [input, expected] of answers) assert.equal(hex(blake2b256(text(input))), expected);
  });

  it("LZO: every instruction", () => {
    const abc = [17 + 8, ...text("abcdefgh")];
    assert.equal(unpackedLzo([...abc, ...END], 8), "abcdefgh");
    // 01LDDDSS: 3 bytes from 8 back, one literal behind
    assert.equal(unpackedLzo([...abc, 0x5d, 0x00, 0x21, ...END], 12), "abcdefghabc!");
    // 1LLDDDSS: 5 to 8 bytes
    assert.equal(unpackedLzo([...abc, 0xfc, 0x00, ...END], 16), "abcdefghabcdefgh");
    // 001LLLLL with a length that goes on, over what it writes itself
    assert.equal(unpackedLzo([18, 0x61, 0x20, 0x01, 0, 0, ...END], 35), "a".repeat(35));
    // state 1: two bytes from 1 back; then 3 + 1 literals
    assert.equal(unpackedLzo([18, 0x61, 0x00, 0x00, 0x01, ...text("bcde"), ...END], 7), "aaabcde");
    // a run of 3 + 15 + 2 literals
    assert.equal(unpackedLzo([0x00, 0x02, ...text("12345678901234567890"), ...END], 20), "12345678901234567890");
  });

  it("LZO: what is broken is not unpacked", () => {
    const good = [17 + 8, ...text("abcdefgh"), 0x5d, 0x00, 0x21, ...END];
    for (let end = 0; end < good.length; end++) assert.equal(unpackedLzo(good.slice(0, end), 12), null, `${end} bytes`);
    assert.equal(unpackedLzo(good, 11), null, "too little room");
    assert.equal(unpackedLzo([18, 0x61, 0x20, 0x01, 4, 0, ...END], 100), null, "from before the start");
    assert.equal(unpackedLzo([0, ...new Uint8Array(1000)], 100), null, "a length without end");
  });

  it("LZO: whatever it is given, it ends within its room", () => {
    const target = new Uint8Array(4096);
    for (let seed = 1; seed <= 3000; seed++) {
      const stream = noise(seed, 1 + (seed % 300));
      // low codes are the ones with lengths and distances that go on
      for (let i = 0; i < stream.length; i += 1 + (seed % 5)) stream[i] = (stream[i] as number) & 0x3f;
      const count = decompressLzo(stream, target);
      assert.ok(count === null || count <= target.length);
    }
  });

  it("extents may be shorter than they cover, and padded", async () => {
    const plain = noise(3, 5000);
    const expected = new Uint8Array(8192);
    expected.set(plain);
    const padded = (bytes: Uint8Array) => Buffer.concat([bytes, new Uint8Array(8192 - bytes.length)]);
    const unpack = (bytes: Uint8Array, kind: number) => decompressExtent(bytes, kind, 8192, 4096, "inode 1");
    assert.deepEqual(Buffer.from(unpack(padded(deflateSync(plain)), COMPRESSION.zlib)), Buffer.from(expected));
    assert.deepEqual(Buffer.from(unpack(padded(zstdCompressSync(plain)), COMPRESSION.zstd)), Buffer.from(expected));
  });

  it("zstd frames need not tell their size", async () => {
    const stream = createZstdCompress();
    stream.write(noise(5, 3000));
    stream.end(noise(6, 3000));
    const frame = Buffer.concat(await stream.toArray());
    assert.equal(readZstdFrame(frame)?.contentBytes, undefined);
    const stored = Buffer.concat([frame, new Uint8Array(8192 - frame.length)]);
    const expected = Buffer.concat([noise(5, 3000), noise(6, 3000), new Uint8Array(2192)]);
    assert.deepEqual(Buffer.from(decompressExtent(stored, COMPRESSION.zstd, 8192, 4096, "inode 1")), expected);
  });

  it("extents may not unpack to more than 128 KiB", async () => {
    const bomb = new Uint8Array(64 * 2 ** 20);
    for (const [packed, kind] of [
      [deflateSync(bomb), COMPRESSION.zlib],
      [zstdCompressSync(bomb), COMPRESSION.zstd],
    ] as const) {
      const unpack = async () => decompressExtent(packed, kind, MAX_COMPRESSED_EXTENT, 4096, "inode 1");
      await assertCode(unpack(), "FILESYSTEM_DAMAGED");
    }
  });

  it("no stream, no extent", async () => {
    for (const kind of [COMPRESSION.zlib, COMPRESSION.lzo, COMPRESSION.zstd]) {
      for (const bytes of [new Uint8Array(0), new Uint8Array(4096), noise(9, 4096)]) {
        const unpack = async () => decompressExtent(bytes, kind, 4096, 4096, "inode 1");
        await assertCode(unpack(), "FILESYSTEM_DAMAGED");
      }
    }
  });
});

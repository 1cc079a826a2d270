import assert from "node:assert/strict";
import fc from "fast-check";
import { type PackName, packName, type Sid } from "../../core/format/ids.js";
import {
  additionalDataFor,
  BLOB_CODECS,
  BLOB_KINDS,
  type BlobEntry,
  type BlobHeader,
  blobAdditionalData,
  decodeBlobEntries,
  decodeBlobHeader,
  decodePackFooter,
  decodePackHeader,
  encodeBlobEntries,
  encodePackFooter,
  encodePackHeader,
  isBlobMagicAt,
  writeBlobHeader,
} from "../../core/format/pack.js";
import { checksum64, loadChecksum } from "../../core/hash/checksum.js";
import {
  assertEveryBitMatters,
  assertExactLength,
  assertMemoryBound,
  assertSurvivesEveryBit,
  hex,
  refusal,
  toHex,
  withU32,
} from "../support/hostileBytes.js";

const sid = "00112233445566778899aabbccddeeff" as Sid;
const id = new Uint8Array(32).map((_, at) => at);
const digest32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const kind = fc.constantFrom(...BLOB_KINDS);
const codec = fc.constantFrom(...BLOB_CODECS);
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const plainLength = fc.nat(4 * 1024 * 1024);
const storedLength = fc.nat(4 * 1024 * 1024 + 65536);

function encodeBlobHeader(header: BlobHeader): Uint8Array {
  const target = new Uint8Array(64);
  writeBlobHeader(target, 0, header, checksum64);
  return target;
}

/** With the checksum over the bytes before it put right. */
function resum(bytes: Uint8Array, at: number, bytesOfSum: 4 | 8): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const sum = checksum64(bytes.subarray(0, at));
  if (bytesOfSum === 8) view.setBigUint64(at, sum, true);
  else view.setUint32(at, Number(sum & 0xffffffffn), true);
  return bytes;
}

describe("format: pack header", () => {
  before(loadChecksum);
  const header = { name: packName(sid, 0x2a), encrypted: true, salt: new Uint8Array(24).map((_, at) => 0xa0 + at) };
  const decode = (bytes: Uint8Array) => decodePackHeader(bytes, "pack", checksum64);

  it("has exactly these bytes", () => {
    assert.equal(
      toHex(encodePackHeader(header, checksum64)),
      [
        "5250525350414b31 01 01 0000 2a000000",
        "00112233445566778899aabbccddeeff",
        "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7",
        "77c607cda06fa2f0",
      ]
        .join("")
        .replaceAll(" ", ""),
    );
  });

  it("comes back as it was", () => {
    fc.assert(
      fc.property(u32, fc.boolean(), fc.uint8Array({ minLength: 24, maxLength: 24 }), (number, encrypted, salt) => {
        const given = { name: packName(sid, number), encrypted, salt };
        assert.deepEqual(decode(encodePackHeader(given, checksum64)), given);
      }),
    );
  });

  it("is refused when cut, or when any bit has changed", () => {
    const bytes = encodePackHeader(header, checksum64);
    for (let length = 0; length < 64; length++) assert.equal(refusal(decode, bytes.slice(0, length)), "FORMAT_INVALID");
    assertEveryBitMatters(decode, bytes);
  });

  it("of another version, or with flags that are not known, is not read", () => {
    const changed = (at: number, value: number) => {
      const bytes = encodePackHeader(header, checksum64);
      bytes[at] = value;
      return refusal(decode, resum(bytes, 56, 8));
    };
    assert.equal(changed(8, 2), "UNSUPPORTED_VERSION");
    assert.equal(changed(9, 2), "UNSUPPORTED_VERSION");
    assert.equal(changed(10, 1), "UNSUPPORTED_VERSION");
    assert.equal(changed(9, 0), undefined);
  });
});

describe("format: blob header", () => {
  before(loadChecksum);
  const header: BlobHeader = {
    kind: "page",
    codec: "lz4",
    ordinal: 7,
    plainLength: 300,
    storedLength: 20,
    checksum: 0x0102030405060708n,
    id,
  };
  const decode = (bytes: Uint8Array) => decodeBlobHeader(bytes, "blob", checksum64);

  it("has exactly these bytes", () => {
    assert.equal(
      toHex(encodeBlobHeader(header)),
      `424c4f42 01 02 0000 07000000 2c010000 14000000 0807060504030201 ${toHex(id)} 6cb35896`.replaceAll(" ", ""),
    );
  });

  it("comes back as it was, wherever it stands", () => {
    const headers = fc.record(
      {
        kind,
        codec,
        ordinal: u32,
        plainLength,
        storedLength,
        checksum: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        id: digest32,
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(headers, fc.nat(100), (given, offset) => {
        const target = new Uint8Array(200);
        writeBlobHeader(target, offset, given, checksum64);
        assert.ok(isBlobMagicAt(target, offset));
        assert.deepEqual(decode(target.subarray(offset)), given);
        assert.deepEqual(blobAdditionalData(target, offset), additionalDataFor(given));
      }),
    );
  });

  it("is refused when cut, or when any bit has changed", () => {
    const bytes = encodeBlobHeader(header);
    for (let length = 0; length < 64; length++) assert.equal(refusal(decode, bytes.slice(0, length)), "FORMAT_INVALID");
    assertEveryBitMatters(decode, bytes);
  });

  it("with lengths above the limits, or kinds that are not known, is refused", () => {
    const changed = (change: (bytes: Uint8Array) => Uint8Array) =>
      refusal(decode, resum(change(encodeBlobHeader(header)), 60, 4));
    const withByte = (at: number, value: number) => (bytes: Uint8Array) =>
      bytes.map((byte, i) => (i === at ? value : byte));
    assert.equal(
      changed((bytes) => withU32(bytes, 12, 4 * 1024 * 1024)),
      undefined,
    );
    assert.equal(
      changed((bytes) => withU32(bytes, 12, 4 * 1024 * 1024 + 1)),
      "FORMAT_INVALID",
    );
    assert.equal(
      changed((bytes) => withU32(bytes, 16, 4 * 1024 * 1024 + 65537)),
      "FORMAT_INVALID",
    );
    assert.equal(
      changed((bytes) => withU32(bytes, 16, 0xffffffff)),
      "FORMAT_INVALID",
    );
    assert.equal(changed(withByte(4, 5)), "UNSUPPORTED_VERSION");
    assert.equal(changed(withByte(5, 3)), "UNSUPPORTED_VERSION");
    assert.equal(changed(withByte(6, 1)), "UNSUPPORTED_VERSION");
  });

  it("authenticates everything but the checksums", () => {
    const bytes = encodeBlobHeader(header);
    const data = blobAdditionalData(bytes, 0);
    assert.deepEqual(data, hex(toHex(bytes.subarray(0, 20)) + toHex(bytes.subarray(28, 60))));
  });
});

describe("format: table of contents", () => {
  const entry: BlobEntry = { id, offset: 64, storedLength: 20, plainLength: 300, kind: "file", codec: "zstd" };
  const decode = (count: number) => (bytes: Uint8Array) => decodeBlobEntries(bytes, count, "entries");

  it("has exactly these bytes", () => {
    assert.equal(
      toHex(encodeBlobEntries([entry])),
      `${toHex(id)} 40000000 14000000 2c010000 03 01 0000`.replaceAll(" ", ""),
    );
  });

  it("comes back as it was", () => {
    const entries = fc.array(
      fc.record({ id: digest32, offset: u32, storedLength, plainLength, kind, codec }, { noNullPrototype: true }),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(entries, (given) => {
        assert.deepEqual(decode(given.length)(encodeBlobEntries(given)), given);
      }),
    );
  });

  it("is refused when its length does not fit its count, without taking memory for it", () => {
    const bytes = encodeBlobEntries([entry, entry]);
    assertExactLength(decode(2), bytes);
    assertSurvivesEveryBit(decode(2), bytes);
    assertMemoryBound(1 << 16, () => {
      for (const count of [0, 1, 3, 1_048_577, 0xffffffff])
        assert.equal(refusal(decode(count), bytes), "FORMAT_INVALID");
    });
  });

  it("with lengths above the limits, or kinds that are not known, is refused", () => {
    const bytes = encodeBlobEntries([entry]);
    assert.equal(refusal(decode(1), withU32(bytes, 36, 4 * 1024 * 1024 + 65537)), "FORMAT_INVALID");
    assert.equal(refusal(decode(1), withU32(bytes, 40, 4 * 1024 * 1024 + 1)), "FORMAT_INVALID");
    for (const tail of [0x0000_0105, 0x0000_0301, 0x0001_0101]) {
      assert.equal(refusal(decode(1), withU32(bytes, 44, tail)), "UNSUPPORTED_VERSION");
    }
  });
});

describe("format: pack footer", () => {
  before(loadChecksum);
  const footer = { count: 3, entriesOffset: 1000, entriesChecksum: 0x0102030405060708n };
  const size = 1000 + 3 * 48 + 64 + 32;
  const decode = (bytes: Uint8Array) => decodePackFooter(bytes, size, "pack", checksum64);

  it("has exactly these bytes", () => {
    assert.equal(
      toHex(encodePackFooter(footer, checksum64)),
      "52505253454e4431 03000000 e8030000 0807060504030201 329095e7ab73c101".replaceAll(" ", ""),
    );
  });

  it("comes back as it was, for a pack of the right size only", () => {
    fc.assert(
      fc.property(
        fc.nat(1_048_576),
        fc.nat(2 ** 27),
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        (count, entriesOffset, sum) => {
          const given = { count, entriesOffset, entriesChecksum: sum };
          const sizeBytes = entriesOffset + count * 48 + 96;
          const bytes = encodePackFooter(given, checksum64);
          assert.deepEqual(decodePackFooter(bytes, sizeBytes, "pack", checksum64), given);
          for (const other of [sizeBytes - 1, sizeBytes + 1, 0]) {
            assert.equal(
              refusal((encoded) => decodePackFooter(encoded, other, "pack", checksum64), bytes),
              "FORMAT_INVALID",
            );
          }
        },
      ),
    );
  });

  it("is refused when cut or longer, or when any bit has changed", () => {
    assertExactLength(decode, encodePackFooter(footer, checksum64));
    assertEveryBitMatters(decode, encodePackFooter(footer, checksum64));
  });

  it("with too many blobs is refused, even if the size fits", () => {
    const count = 1_048_577;
    const bytes = encodePackFooter({ ...footer, count }, checksum64);
    const sizeBytes = 1000 + count * 48 + 96;
    assert.equal(
      refusal((given) => decodePackFooter(given, sizeBytes, "pack", checksum64), bytes),
      "FORMAT_INVALID",
    );
  });
});

describe("format: pack name in errors", () => {
  it("is in every message", () => {
    const name = packName(sid, 1) as PackName;
    assert.throws(() => decodePackHeader(new Uint8Array(64), `packs/01/${name}`, () => 0n), new RegExp(name));
    assert.throws(() => decodePackFooter(new Uint8Array(32), 100, `packs/01/${name}`, () => 0n), new RegExp(name));
  });
});

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  decodeEnvelope,
  ENVELOPE_HEADER_BYTES,
  ENVELOPE_KINDS,
  type EnvelopeHeader,
  type EnvelopeKind,
  encodeEnvelope,
  nameTagOf,
} from "../../core/format/envelope.js";
import { checksum64, loadChecksum } from "../../core/hash/checksum.js";
import { assertEveryBitMatters, assertMemoryBound, hex, refusal, toHex, withU32 } from "../support/hostileBytes.js";

const name = "records/00112233445566778899aabbccddeeff";

function headerOf(payload: Uint8Array, rest: Partial<EnvelopeHeader> = {}): EnvelopeHeader {
  return {
    kind: "record",
    encrypted: false,
    codec: "none",
    payloadLength: payload.length,
    plainLength: payload.length,
    nameTag: nameTagOf(name, checksum64),
    keyId: new Uint8Array(8),
    salt: new Uint8Array(24),
    ...rest,
  };
}

function encode(payload: Uint8Array, rest: Partial<EnvelopeHeader> = {}): Uint8Array {
  return encodeEnvelope(headerOf(payload, rest), payload, checksum64);
}

const decodeAs = (kind: EnvelopeKind) => (bytes: Uint8Array) => decodeEnvelope(bytes, name, kind, checksum64);
const decode = decodeAs("record");

/** The envelope with changed header bytes and a checksum that fits again: what only a writer could have made. */
function resealed(bytes: Uint8Array, change: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  const changed = change(bytes);
  const covered = Buffer.concat([changed.subarray(0, 56), changed.subarray(64)]);
  new DataView(changed.buffer).setBigUint64(56, checksum64(new Uint8Array(covered)), true);
  return changed;
}

function withByte(at: number, value: number): (bytes: Uint8Array) => Uint8Array {
  return (bytes) => {
    const changed = bytes.slice();
    changed[at] = value;
    return changed;
  };
}

describe("format: envelope", () => {
  before(loadChecksum);

  it("has exactly these bytes", () => {
    assert.equal(
      toHex(encode(hex("7b7d"))),
      [
        "525052534f424a31", // magic
        "01 06 00 00", // version, kind, flags, codec
        "02000000 02000000", // payloadLength, plainLength
        "1b885d24", // nameTag
        "0000000000000000", // keyId
        "000000000000000000000000000000000000000000000000", // salt
        "79296f22443fbc3e", // checksum
        "7b7d",
      ]
        .join("")
        .replaceAll(" ", ""),
    );
  });

  it("comes back as it was, of every kind", () => {
    const headers = fc.record({
      kind: fc.constantFrom(...(Object.keys(ENVELOPE_KINDS) as EnvelopeKind[])),
      encrypted: fc.boolean(),
      codec: fc.constantFrom("none" as const, "zstd" as const),
      plainLength: fc.nat(1024 * 1024),
      keyId: fc.uint8Array({ minLength: 8, maxLength: 8 }),
      salt: fc.uint8Array({ minLength: 24, maxLength: 24 }),
    });
    fc.assert(
      fc.property(headers, fc.uint8Array({ maxLength: 300 }), (rest, payload) => {
        const decoded = decodeAs(rest.kind)(encode(payload, rest));
        assert.deepEqual(decoded, { header: headerOf(payload, rest), payload });
      }),
    );
  });

  it("is refused when any bit has changed", () => {
    assertEveryBitMatters(decode, encode(hex("7b226122 3a317d")));
  });

  it("says that it is damaged when cut or made longer", () => {
    const bytes = encode(hex("7b7d"));
    for (let length = 0; length < bytes.length; length++) {
      assert.equal(refusal(decode, bytes.slice(0, length)), "OBJECT_DAMAGED", String(length));
    }
    assert.equal(refusal(decode, Uint8Array.from([...bytes, 0])), "OBJECT_DAMAGED");
  });

  it("tells damage, another object's bytes, another kind and another version apart", () => {
    const bytes = encode(hex("7b7d"));
    assert.equal(refusal(decode, withByte(65, 0)(bytes)), "OBJECT_DAMAGED");
    assert.equal(
      refusal((given) => decodeEnvelope(given, `${name}0`, "record", checksum64), bytes),
      "OBJECT_SWAPPED",
    );
    assert.equal(refusal(decodeAs("snapshot"), bytes), "FORMAT_INVALID");
    assert.equal(refusal(decode, resealed(bytes, withByte(0, 0))), "FORMAT_INVALID");
    assert.equal(refusal(decode, resealed(bytes, withByte(8, 2))), "UNSUPPORTED_VERSION");
    assert.equal(refusal(decode, resealed(bytes, withByte(9, 0))), "FORMAT_INVALID");
    assert.equal(refusal(decode, resealed(bytes, withByte(9, 200))), "FORMAT_INVALID");
    assert.equal(refusal(decode, resealed(bytes, withByte(10, 2))), "UNSUPPORTED_VERSION");
    assert.equal(refusal(decode, resealed(bytes, withByte(11, 2))), "UNSUPPORTED_VERSION");
  });

  it("that lies about its lengths is refused without taking memory for them", () => {
    const bytes = encode(hex("7b7d"));
    assertMemoryBound(4096, () => {
      assert.equal(refusal(decode, withU32(bytes, 12, 0xffffffff)), "OBJECT_DAMAGED");
      assert.equal(
        refusal(
          decode,
          resealed(bytes, (given) => withU32(given, 16, 64 * 1024 * 1024 + 1)),
        ),
        "FORMAT_INVALID",
      );
    });
    const small = encodeEnvelope(headerOf(hex("7b7d"), { kind: "config" }), hex("7b7d"), checksum64);
    assert.equal(
      refusal(
        decodeAs("config"),
        resealed(small, (given) => withU32(given, 16, 1024 * 1024 + 1)),
      ),
      "FORMAT_INVALID",
    );
  });

  it("names the object in every error", () => {
    const bytes = encode(hex("7b7d"));
    for (const changed of [
      bytes.slice(0, 3),
      withByte(8, 7)(bytes),
      withByte(64, 7)(bytes),
      resealed(bytes, withByte(9, 1)),
    ]) {
      assert.throws(() => decode(changed), new RegExp(name));
    }
  });

  it("hands out a view of its payload, not a copy", () => {
    const bytes = encode(hex("7b7d"));
    assert.equal(decode(bytes).payload.buffer, bytes.buffer);
    assert.equal(decode(bytes).payload.byteOffset, ENVELOPE_HEADER_BYTES);
  });
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { openEnvelope, sealEnvelope } from "../../core/crypto/envelopeSeal.js";
import { Keyring } from "../../core/crypto/keyring.js";
import { ENVELOPE_KINDS, type EnvelopeKind } from "../../core/format/envelope.js";
import { checksum64, loadChecksum } from "../../core/hash/checksum.js";
import { assertMemoryBound, refusal, withU32 } from "../support/hostileBytes.js";
import { noise, prose } from "../support/sampleBytes.js";

const name = "snapshots/00112233445566778899aabbccddeeff";
const keyring = new Keyring(noise(1, 32));
const otherKeyring = new Keyring(noise(2, 32));
const plain = prose(3, 500);
const open = (bytes: Uint8Array) => openEnvelope(name, "snapshot", bytes, keyring);
const openWithout = (bytes: Uint8Array) => openEnvelope(name, "snapshot", bytes, null);
const seal = () => sealEnvelope(name, "snapshot", plain, keyring);

/** With a checksum that fits again: what somebody without the key can make. */
function resealed(bytes: Uint8Array): Uint8Array {
  const covered = new Uint8Array(Buffer.concat([bytes.subarray(0, 56), bytes.subarray(64)]));
  new DataView(bytes.buffer).setBigUint64(56, checksum64(covered), true);
  return bytes;
}

function changed(bytes: Uint8Array, at: number, mask = 1): Uint8Array {
  const copy = bytes.slice();
  copy[at < 0 ? copy.length + at : at]! ^= mask;
  return copy;
}

describe("crypto: sealed envelopes", () => {
  before(loadChecksum);

  it("open to what was sealed, of every kind, with a key and without", () => {
    const kinds = fc.constantFrom(...(Object.keys(ENVELOPE_KINDS) as EnvelopeKind[]));
    fc.assert(
      fc.property(kinds, fc.boolean(), fc.uint8Array({ maxLength: 3000 }), (kind, encrypted, bytes) => {
        const key = encrypted ? keyring : null;
        assert.deepEqual(new Uint8Array(openEnvelope(name, kind, sealEnvelope(name, kind, bytes, key), key)), bytes);
      }),
      { numRuns: 300 },
    );
  });

  it("never repeat a salt, and show nothing of what they hold", () => {
    const [first, second] = [seal(), seal()];
    assert.notDeepEqual(first.subarray(32, 56), second.subarray(32, 56));
    assert.ok(!Buffer.from(first).includes(Buffer.from(plain.subarray(0, 12))));
  });

  it("tell a wrong key, a swapped name and a flipped bit apart", () => {
    const sealed = seal();
    assert.equal(
      refusal((bytes) => openEnvelope(name, "snapshot", bytes, otherKeyring), sealed),
      "KEY_WRONG",
    );
    assert.equal(
      refusal((bytes) => openEnvelope(`${name.slice(0, -1)}e`, "snapshot", bytes, keyring), sealed),
      "OBJECT_SWAPPED",
    );
    assert.equal(refusal(open, changed(sealed, -20)), "OBJECT_DAMAGED");
  });

  it("find every changed bit", () => {
    const sealed = seal();
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      assert.ok(refusal(open, changed(sealed, bit >> 3, 1 << (bit & 7))), `bit ${bit}`);
    }
  });

  it("find every changed byte even when the checksum was put right: it takes the key", () => {
    const sealed = seal();
    const expected = new Set([
      "OBJECT_FORGED",
      "KEY_WRONG",
      "OBJECT_SWAPPED",
      "UNSUPPORTED_VERSION",
      "FORMAT_INVALID",
      "OBJECT_DAMAGED",
    ]);
    for (let at = 0; at < sealed.length; at++) {
      if (at >= 56 && at < 64) continue;
      const code = refusal(open, resealed(changed(sealed, at, 1 + (at % 255))));
      assert.ok(code !== undefined && expected.has(code), `byte ${at}: ${code}`);
      if (at >= 64 || (at >= 32 && at < 56)) assert.equal(code, "OBJECT_FORGED", `byte ${at}`);
    }
  });

  it("cannot be given another name, even by somebody who puts the name tag right", () => {
    const sealed = seal();
    const other = sealEnvelope(`${name.slice(0, -1)}e`, "snapshot", plain, null);
    sealed.set(other.subarray(20, 24), 20);
    assert.equal(
      refusal((bytes) => openEnvelope(`${name.slice(0, -1)}e`, "snapshot", bytes, keyring), resealed(sealed)),
      "OBJECT_FORGED",
    );
  });

  it("are not taken open in an encrypted repository, nor sealed in an open one", () => {
    assert.equal(refusal(open, sealEnvelope(name, "snapshot", plain, null)), "OBJECT_FORGED");
    assert.equal(refusal(openWithout, seal()), "OBJECT_FORGED");
    for (const kind of ["config", "keySlot"] as const) {
      const bytes = sealEnvelope(name, kind, plain, keyring);
      assert.equal(bytes[10], 0, `${kind} is never encrypted`);
      assert.deepEqual(new Uint8Array(openEnvelope(name, kind, bytes, keyring)), plain);
    }
  });

  it("without a key are checked all the same", () => {
    const open = sealEnvelope(name, "record", plain, null);
    for (let at = 0; at < open.length; at++) {
      assert.ok(
        refusal((bytes) => openEnvelope(name, "record", bytes, null), changed(open, at)),
        `byte ${at}`,
      );
    }
  });

  it("whose plain length lies take no more memory than that length", () => {
    const open = sealEnvelope(name, "record", new Uint8Array(100_000), null);
    assert.equal(open[11], 1, "compressed");
    const openIt = (bytes: Uint8Array) => openEnvelope(name, "record", bytes, null);
    assertMemoryBound(300_000, () => {
      assert.equal(refusal(openIt, resealed(withU32(open, 16, 10))), "FORMAT_INVALID");
      assert.equal(refusal(openIt, resealed(withU32(open, 16, 100_001))), "FORMAT_INVALID");
      assert.equal(refusal(openIt, resealed(withU32(open, 16, 0xffffffff))), "FORMAT_INVALID");
    });
  });

  it("name the object in every error", () => {
    const wrong: [Uint8Array, Keyring | null][] = [
      [seal(), otherKeyring],
      [seal(), null],
      [changed(seal(), 70), keyring],
      [resealed(changed(seal(), 70)), keyring],
      [sealEnvelope(name, "snapshot", plain, null), keyring],
      [resealed(withU32(sealEnvelope(name, "snapshot", new Uint8Array(9000), null), 16, 10)), null],
      [resealed(changed(sealEnvelope(name, "snapshot", new Uint8Array(9000), null), -1)), null],
    ];
    for (const [bytes, key] of wrong) {
      assert.throws(() => openEnvelope(name, "snapshot", bytes, key), new RegExp(name));
    }
  });

  it("with an encrypted payload shorter than its tag are refused", () => {
    const sealed = seal().slice(0, 64 + 10);
    assert.ok(refusal(open, resealed(withU32(sealed, 12, 10))));
  });
});

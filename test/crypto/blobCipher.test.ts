import assert from "node:assert/strict";
import { createCipheriv } from "node:crypto";
import fc from "fast-check";
import { BlobCipher } from "../../core/crypto/blobCipher.js";
import { Keyring } from "../../core/crypto/keyring.js";
import { additionalDataFor, type BlobHeader } from "../../core/format/pack.js";
import { noise } from "../support/sampleBytes.js";

const keyring = new Keyring(noise(1, 32));
const salt = noise(2, 24);
const cipher = new BlobCipher(keyring, salt);
const plain = noise(3, 100);

function headerOf(rest: Partial<BlobHeader> = {}): Omit<BlobHeader, "checksum"> {
  return { kind: "chunk", codec: "none", ordinal: 5, plainLength: 100, storedLength: 116, id: noise(4, 32), ...rest };
}

function encrypt(bytes: Uint8Array, header = headerOf(), by = cipher): Uint8Array {
  const target = new Uint8Array(bytes.length + 40);
  const length = by.encryptInto(target, 10, bytes, header);
  assert.equal(length, bytes.length + 16);
  assert.ok(
    target.subarray(0, 10).every((byte) => byte === 0) && target.subarray(10 + length).every((byte) => byte === 0),
  );
  return target.slice(10, 10 + length);
}

describe("crypto: blob cipher", () => {
  it("gives back what it was given", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), fc.integer({ min: 0, max: 0xffffffff }), (bytes, ordinal) => {
        const header = headerOf({ ordinal, plainLength: bytes.length, storedLength: bytes.length + 16 });
        assert.deepEqual(cipher.decrypt(encrypt(bytes, header), header), bytes);
      }),
    );
  });

  it("is AES-256-GCM with the pack's key, the ordinal as nonce, and the header as additional data", () => {
    const nonce = Buffer.from("050000000000000000000000", "hex");
    const reference = createCipheriv("aes-256-gcm", keyring.packKey(salt), nonce);
    reference.setAAD(additionalDataFor(headerOf()));
    const expected = Buffer.concat([reference.update(plain), reference.final(), reference.getAuthTag()]);
    assert.deepEqual(Buffer.from(encrypt(plain)), expected);
  });

  it("finds every changed bit", () => {
    const stored = encrypt(plain);
    for (let bit = 0; bit < stored.length * 8; bit++) {
      const changed = stored.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      assert.equal(cipher.decrypt(changed, headerOf()), null, String(bit));
    }
    for (let length = 0; length < stored.length; length++) {
      assert.equal(cipher.decrypt(stored.slice(0, length), headerOf()), null, String(length));
    }
  });

  it("finds a blob that was moved, relabelled, or comes from another pack or repository", () => {
    const stored = encrypt(plain);
    const others: Partial<BlobHeader>[] = [
      { ordinal: 6 },
      { ordinal: 0 },
      { kind: "file" },
      { codec: "zstd" },
      { plainLength: 99 },
      { storedLength: 117 },
      { id: noise(5, 32) },
    ];
    for (const other of others) assert.equal(cipher.decrypt(stored, headerOf(other)), null, JSON.stringify(other));
    assert.equal(new BlobCipher(keyring, noise(9, 24)).decrypt(stored, headerOf()), null);
    assert.equal(new BlobCipher(new Keyring(noise(8, 32)), salt).decrypt(stored, headerOf()), null);
  });

  it("gives equal chunks different bytes in different places", () => {
    assert.notDeepEqual(encrypt(plain), encrypt(plain, headerOf({ ordinal: 6 })));
    assert.notDeepEqual(encrypt(plain), encrypt(plain, headerOf(), new BlobCipher(keyring, noise(9, 24))));
  });
});

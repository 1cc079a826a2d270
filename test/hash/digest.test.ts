import assert from "node:assert/strict";
import { bytesToHex } from "../../core/format/ids.js";
import { DIGEST_BYTES, makeChunkHasher, sha256 } from "../../core/hash/digest.js";

const text = (value: string) => new TextEncoder().encode(value);

describe("hash: digest", () => {
  it("is SHA-256: FIPS 180-2 examples", () => {
    assert.equal(bytesToHex(sha256(text(""))), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert.equal(bytesToHex(sha256(text("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });

  it("of chunks is plain without a key and HMAC-SHA-256 with one: RFC 4231 cases 1 and 2", () => {
    assert.deepEqual(makeChunkHasher(null)(text("abc")), sha256(text("abc")));
    const first = makeChunkHasher(new Uint8Array(20).fill(0x0b));
    assert.equal(
      bytesToHex(first(text("Hi There"))),
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    );
    const second = makeChunkHasher(text("Jefe"));
    const expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    assert.equal(bytesToHex(second(text("what do ya want for nothing?"))), expected);
  });

  it("keeps its own copy of the key and gives memory of its own", () => {
    const key = new Uint8Array(32).fill(1);
    const hasher = makeChunkHasher(key);
    const before = hasher(text("chunk"));
    key.fill(2);
    assert.deepEqual(hasher(text("chunk")), before);
    for (const digest of [before, sha256(text("x"))]) {
      assert.equal(digest.buffer.byteLength, digest.length);
      assert.equal(Object.getPrototypeOf(digest), Uint8Array.prototype);
    }
    assert.equal(before.length, DIGEST_BYTES);
  });
});

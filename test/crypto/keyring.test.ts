import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { Keyring } from "../../core/crypto/keyring.js";
import { encodeConfig, type RepositoryConfig } from "../../core/format/config.js";
import { bytesToHex, type Sid } from "../../core/format/ids.js";

const master = new Uint8Array(32).map((_, at) => at);

/** HKDF-SHA256 of RFC 5869 for 32 bytes, by hand. */
function hkdf(info: string, salt: Uint8Array = new Uint8Array(32)): Buffer {
  const pseudoRandomKey = createHmac("sha256", salt).update(master).digest();
  return createHmac("sha256", pseudoRandomKey).update(info).update(Uint8Array.of(1)).digest();
}

const config: RepositoryConfig = {
  repositoryId: "00112233445566778899aabbccddeeff" as Sid,
  createdAt: "2026-11-21T02:00:00.000Z",
  encryption: "aes-256-gcm",
  keyId: "0123456789abcdef",
  chunker: { minBytes: 65536, averageBytes: 262144, maxBytes: 4194304, segmentBytes: 16777216 },
  packBytes: 33554432,
  keeper: null,
  mac: null,
};

describe("crypto: keyring", () => {
  const keyring = new Keyring(master);

  it("derives what docs/format/encryption.md says", () => {
    const salt = new Uint8Array(24).fill(7);
    assert.equal(keyring.keyIdHex, hkdf("reprise/key-id/1").subarray(0, 8).toString("hex"));
    assert.deepEqual(Buffer.from(keyring.chunkIdKey), hkdf("reprise/chunk-id/1"));
    assert.equal(keyring.gearSeed, hkdf("reprise/gear/1").readBigUInt64LE(0));
    assert.deepEqual(Buffer.from(keyring.objectKey(salt)), hkdf("reprise/object/1", salt));
    assert.deepEqual(Buffer.from(keyring.packKey(salt)), hkdf("reprise/pack/1", salt));
    assert.equal(keyring.keyIdHex, "e895af6186503285");
  });

  it("has a MAC over every member of the config", () => {
    const mac = keyring.configMac(config);
    const bytes = Buffer.from(encodeConfig(config)).toString().replace(',"mac":null', "");
    assert.equal(mac, createHmac("sha256", hkdf("reprise/config/1")).update(bytes).digest("hex"));
    assert.ok(keyring.isConfigMacRight({ ...config, mac }));
    const changes: Partial<RepositoryConfig>[] = [
      { repositoryId: "ff112233445566778899aabbccddeeff" as Sid },
      { createdAt: "2026-11-21T02:00:01.000Z" },
      { encryption: "none" },
      { keyId: "0123456789abcdee" },
      { keyId: null },
      { packBytes: 33554433 },
      { chunker: { ...config.chunker, averageBytes: 131072 } },
      { chunker: { ...config.chunker, segmentBytes: 65536 } },
      { mac: null },
      { mac: "" },
      { mac: mac.slice(2) },
      { mac: "00".repeat(32) },
    ];
    for (const change of changes) {
      assert.ok(!keyring.isConfigMacRight({ ...config, mac, ...change }), JSON.stringify(change));
    }
    assert.ok(!new Keyring(master.map((byte) => byte ^ 1)).isConfigMacRight({ ...config, mac }));
  });

  it("gives every use and every salt a key of its own", () => {
    const salts = [new Uint8Array(24), new Uint8Array(24).fill(1)];
    const keys = salts.flatMap((salt) => [keyring.objectKey(salt), keyring.packKey(salt)]);
    keys.push(keyring.chunkIdKey, master);
    assert.equal(new Set(keys.map(bytesToHex)).size, keys.length);
  });
});

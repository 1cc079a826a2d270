import assert from "node:assert/strict";
import { Keyring } from "../../core/crypto/keyring.js";
import { type Secret, unwrapMasterKey, wrapMasterKey } from "../../core/crypto/keySlots.js";
import type { Sid } from "../../core/format/ids.js";
import { decodeKeySlot, encodeKeySlot, type KeySlot } from "../../core/format/keySlot.js";
import { noise } from "../support/sampleBytes.js";

const keyring = new Keyring(noise(1, 32));
const slotId = "00112233445566778899aabbccddeeff" as Sid;
const repositoryId = "ffeeddccbbaa99887766554433221100" as Sid;
const newSlot = { slotId, repositoryId, label: "ours", createdAt: "2026-11-21T02:00:00.000Z", cost: "test" as const };
const recovery = { recoveryKey: noise(5, 32) };

async function opens(slot: KeySlot, secret: Secret): Promise<boolean> {
  const opened = await unwrapMasterKey(slot, secret);
  if (opened) assert.deepEqual(opened.master, keyring.master);
  return opened !== null;
}

function withOtherByte(hex: string, at: number): string {
  const bytes = Buffer.from(hex, "hex");
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes.toString("hex");
}

describe("crypto: key slots", () => {
  it("open with their own secret and with no other", async () => {
    const passphraseSlot = await wrapMasterKey(keyring, { passphrase: "right" }, newSlot);
    const recoverySlot = await wrapMasterKey(keyring, recovery, newSlot);
    assert.ok(await opens(decodeKeySlot(encodeKeySlot(passphraseSlot), "slot"), { passphrase: "right" }));
    assert.ok(await opens(decodeKeySlot(encodeKeySlot(recoverySlot), "slot"), recovery));
    for (const secret of [{ passphrase: "wrong" }, { passphrase: "right " }, { passphrase: "" }, recovery]) {
      assert.ok(!(await opens(passphraseSlot, secret)));
    }
    for (const secret of [{ passphrase: "right" }, { recoveryKey: noise(6, 32) }, { recoveryKey: new Uint8Array(0) }]) {
      assert.ok(!(await opens(recoverySlot, secret)));
    }
  });

  it("take a passphrase however its accents are composed", async () => {
    const slot = await wrapMasterKey(keyring, { passphrase: "caf\u00e9 \ufb01" }, newSlot);
    assert.ok(await opens(slot, { passphrase: "cafe\u0301 fi" }));
  });

  it("are bound to their repository, their name and their parameters", async () => {
    const slot = await wrapMasterKey(keyring, { passphrase: "right" }, newSlot);
    const { kdf } = slot;
    assert.equal(kdf.name, "scrypt");
    const changes: Partial<KeySlot>[] = [
      { slotId: repositoryId },
      { repositoryId: slotId },
      { kdf: { ...kdf, n: 2048 } as KeySlot["kdf"] },
      { kdf: { ...kdf, p: 2 } as KeySlot["kdf"] },
      { kdf: { ...kdf, salt: "00".repeat(32) } },
      { nonce: "00".repeat(12) },
      { wrapped: withOtherByte(slot.wrapped, 0) },
      { wrapped: withOtherByte(slot.wrapped, slot.wrapped.length / 2 - 1) },
    ];
    for (const change of changes) {
      assert.ok(!(await opens({ ...slot, ...change }, { passphrase: "right" })), JSON.stringify(change));
    }
    assert.ok(await opens({ ...slot, label: "theirs" }, { passphrase: "right" }));
  });

  it("cost 64 MiB and one pass unless told otherwise", async () => {
    const { kdf } = await wrapMasterKey(keyring, { passphrase: "right" }, { ...newSlot, cost: undefined });
    assert.deepEqual({ ...kdf, salt: "" }, { name: "scrypt", n: 65_536, r: 8, p: 1, salt: "" });
  });

  it("never repeat salt, nonce or contents", async () => {
    const [first, second] = [
      await wrapMasterKey(keyring, recovery, newSlot),
      await wrapMasterKey(keyring, recovery, newSlot),
    ];
    assert.notEqual(first.kdf.salt, second.kdf.salt);
    assert.notEqual(first.nonce, second.nonce);
    assert.notEqual(first.wrapped, second.wrapped);
  });
});

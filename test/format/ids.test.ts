import assert from "node:assert/strict";
import fc from "fast-check";
import {
  baseName,
  bytesToHex,
  hexToBytes,
  isPackName,
  isSafeId,
  isSid,
  makeId,
  objectName,
  packName,
  packNumber,
  packSid,
  type Sid,
} from "../../core/format/ids.js";
import { refusal } from "../support/hostileBytes.js";

const sid = "000102030405060708090a0b0c0d0e0f" as Sid;

describe("format: ids", () => {
  it("are hex of 16 random bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (random) => {
        const id = makeId(random);
        assert.ok(isSid(id));
        assert.deepEqual(hexToBytes(id, 16, "id"), random);
        assert.equal(bytesToHex(random), id);
      }),
    );
    assert.equal(refusal(makeId as (bytes: Uint8Array) => unknown, new Uint8Array(15)), "FORMAT_INVALID");
  });

  it("have one form only", () => {
    for (const text of [
      "",
      "a",
      sid.toUpperCase(),
      `${sid}0`,
      sid.slice(1),
      `${sid.slice(1)}g`,
      `${sid}\n`,
      ` ${sid}`,
    ]) {
      assert.ok(!isSid(text), JSON.stringify(text));
      assert.throws(() => hexToBytes(text, 16, "id"));
    }
  });

  it("make pack names with any number that fits 32 bits", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), (number) => {
        const name = packName(sid, number);
        assert.ok(isPackName(name));
        assert.equal(packNumber(name), number);
        assert.equal(packSid(name), sid);
        assert.equal(baseName(objectName.pack(name)), name);
      }),
    );
    assert.equal(objectName.pack(packName(sid, 0x1a2b)), `packs/2b/${sid}-00001a2b`);
  });

  it("of machines and disks cannot leave a folder or confuse a terminal", () => {
    for (const good of ["a", "web1", "_x", "disk.raw", "a..b", "A-1", "0", "x".repeat(128)])
      assert.ok(isSafeId(good), good);
    for (const bad of [
      "",
      ".",
      "..",
      ".a",
      "-a",
      "a/b",
      "a\\b",
      "a b",
      "a\n",
      "a\u001b[2J",
      "ä",
      "a\0",
      "x".repeat(129),
    ]) {
      assert.ok(!isSafeId(bad), JSON.stringify(bad));
    }
  });
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { formatRecoveryKey, looksLikeRecoveryKey, parseRecoveryKey } from "../../core/crypto/recoveryKey.js";
import { isOurError } from "../../core/errors.js";
import { noise } from "../support/sampleBytes.js";

const keys = fc.uint8Array({ minLength: 32, maxLength: 32 });
const sample = noise(7, 32);

function isRefused(text: string): boolean {
  try {
    parseRecoveryKey(text);
    return false;
  } catch (error) {
    assert.ok(isOurError(error, "RECOVERY_KEY_INVALID"), String(error));
    return true;
  }
}

describe("crypto: recovery key as text", () => {
  it("has exactly this form", () => {
    assert.equal(
      formatRecoveryKey(new Uint8Array(32)),
      "RPRS1-00000-00000-00000-00000-00000-00000-00000-00000-00000-00000-06CT3-T",
    );
    fc.assert(
      fc.property(keys, (key) => {
        assert.match(formatRecoveryKey(key), /^RPRS1(-[0-9A-HJKMNP-TV-Z]{5}){11}-[0-9A-HJKMNP-TV-Z]$/);
      }),
    );
  });

  it("comes back as it was, also typed as people type", () => {
    fc.assert(
      fc.property(keys, (key) => {
        const text = formatRecoveryKey(key);
        const asTyped = [
          text,
          text.toLowerCase(),
          ` ${text} \n`,
          text.replaceAll("-", " ").replace("RPRS1 ", "RPRS1-"),
          `RPRS1-${text.slice(6).replaceAll("-", "")}`,
          `RPRS1-${text.slice(6).replaceAll("0", "O").replaceAll("1", "l")}`,
          `RPRS1-${text.slice(6).replaceAll("0", "o").replaceAll("1", "I")}`,
        ];
        for (const typed of asTyped) assert.deepEqual(parseRecoveryKey(typed), key, typed);
      }),
    );
  });

  it("catches every wrong character, every two exchanged neighbours, and a missing or doubled one", () => {
    const text = formatRecoveryKey(sample);
    const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    for (let at = 6; at < text.length; at++) {
      if (text[at] === "-") continue;
      for (const other of alphabet) {
        if (other !== text[at]) assert.ok(isRefused(text.slice(0, at) + other + text.slice(at + 1)), `${at} ${other}`);
      }
      assert.ok(isRefused(text.slice(0, at) + text.slice(at + 1)), `without ${at}`);
      assert.ok(isRefused(text.slice(0, at) + text[at] + text.slice(at)), `twice ${at}`);
      const next = text[at + 1] === "-" ? at + 2 : at + 1;
      if (text[next] === undefined || text[next] === text[at]) continue;
      const letters = [...text];
      [letters[at], letters[next]] = [letters[next]!, letters[at]!];
      assert.ok(isRefused(letters.join("")), `${at} exchanged with ${next}`);
    }
  });

  it("refuses letters that are in no key, other text, and says nothing of what was typed", () => {
    const text = formatRecoveryKey(sample);
    for (const bad of [
      "",
      "RPRS1-",
      "RPRS1",
      "x",
      text.replace(/.$/, "U"),
      `${text}ß`,
      `${text}0`,
      text.slice(0, -6),
      "RPRS2-00000",
    ]) {
      assert.ok(isRefused(bad), bad);
    }
    try {
      parseRecoveryKey(text.slice(0, -1));
      assert.fail();
    } catch (error) {
      assert.ok(!JSON.stringify(error).includes(text.slice(6, 20)) && !String(error).includes(text.slice(6, 20)));
    }
  });

  it("is known by its beginning", () => {
    assert.ok(looksLikeRecoveryKey(formatRecoveryKey(sample)));
    assert.ok(looksLikeRecoveryKey(" rprs1-0"));
    assert.ok(!looksLikeRecoveryKey("RPRS10"));
    assert.ok(!looksLikeRecoveryKey("my RPRS1-"));
  });
});

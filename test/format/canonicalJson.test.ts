import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeText } from "../../core/format/bytes.js";
import { decodeCanonicalJson, encodeCanonicalJson, type JsonValue } from "../../core/format/canonicalJson.js";
import { refusal } from "../support/hostileBytes.js";

const decode = (bytes: Uint8Array) => decodeCanonicalJson(bytes, "objects/it");
const text = (value: JsonValue) => Buffer.from(encodeCanonicalJson(value)).toString();

/** Values as the format allows them. */
const values = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger().map((n) => (n === 0 ? 0 : n)),
    fc.string({ unit: "binary" }),
    fc.array(tie("value"), { maxLength: 5 }),
    fc.dictionary(fc.string(), tie("value"), { maxKeys: 5, noNullPrototype: true }),
  ),
})).value;

describe("format: canonical JSON", () => {
  it("comes back as it was", () => {
    fc.assert(
      fc.property(values, (value) => {
        assert.deepEqual(decode(encodeCanonicalJson(value)), value);
      }),
    );
  });

  it("does not depend on the order in which members were set", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.integer(), { noNullPrototype: true }), (members) => {
        const reversed = Object.fromEntries(Object.entries(members).reverse());
        assert.equal(text(reversed), text(members));
      }),
    );
    // By UTF-16 code units: U+10000 is a surrogate pair and comes before U+FF5E.
    assert.equal(
      text({ "～": 1, 𐀀: 2, b: 3, a: 4, "": 5, "10": 6, "9": 7 }),
      '{"":5,"10":6,"9":7,"a":4,"b":3,"𐀀":2,"～":1}',
    );
  });

  it("is what another JSON writer makes of sorted, flat values", () => {
    assert.equal(
      text({ z: [1, -2, null, true, ""], a: { s: '"\\/\b\n\u0001é' } }),
      '{"a":{"s":"\\"\\\\/\\b\\n\\u0001é"},"z":[1,-2,null,true,""]}',
    );
    assert.equal(text("\ud800"), '"\\ud800"');
  });

  const refused: [string, string][] = [
    ["white space", '{"a": 1}'],
    ["a line end", '{"a":1}\n'],
    ["members out of order", '{"b":1,"a":2}'],
    ["a member twice", '{"a":1,"a":1}'],
    ["another escape", '"\\u0041"'],
    ["an escaped slash", '"\\/"'],
    ["a fraction", "1.5"],
    ["a fraction that is whole", "1.0"],
    ["an exponent", "1e3"],
    ["a negative zero", "-0"],
    ["more than 2^53 − 1", "9007199254740992"],
    ["a byte order mark", "\ufeff1"],
    ["nothing", ""],
    ["two values", "1 2"],
    ["no JSON", "{a:1}"],
    ["17 levels", `${"[".repeat(18)}${"]".repeat(18)}`],
    ["a million levels", `${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}`],
  ];
  for (const [what, json] of refused) {
    it(`with ${what} is refused, and the error names the object`, () => {
      assert.equal(refusal(decode, encodeText(json)), "FORMAT_INVALID");
      assert.throws(() => decode(encodeText(json)), /objects\/it/);
    });
  }

  it("does not take a member named __proto__ for a prototype", () => {
    const value = decode(encodeText('{"__proto__":{"version":1}}')) as { version?: unknown };
    assert.equal(value.version, undefined);
    assert.ok(Object.hasOwn(value, "__proto__"));
  });

  it("refuses bytes that are no UTF-8", () => {
    assert.equal(refusal(decode, Uint8Array.of(0x22, 0xff, 0x22)), "FORMAT_INVALID");
  });

  it("refuses to write what it would refuse to read", () => {
    for (const value of [1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      assert.throws(() => encodeCanonicalJson(value), /not a safe integer/);
    }
    assert.throws(() => encodeCanonicalJson({ a: undefined } as unknown as JsonValue));
  });
});

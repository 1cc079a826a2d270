import assert from "node:assert/strict";
import { createHash, createPublicKey, generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { isOurError } from "../../core/errors.js";
import { decodeBase64, encodeBase64 } from "../../core/evidence/base64.js";
import {
  decodeEnvelope,
  IN_TOTO_PAYLOAD_TYPE,
  MAX_ENVELOPE_CHARS,
  preAuthEncoding,
  signEnvelope,
  signersOf,
  withoutKeyIds,
} from "../../core/evidence/dsse.js";
import { splitEnvelopes } from "../../core/evidence/envelopeFile.js";
import { SigningKey, VerificationKey } from "../../core/evidence/signingKey.js";
import { encodeText } from "../../core/format/bytes.js";
import { assertThrowsCode } from "../support/assertCode.js";
import { checkEnvelope, pae } from "./independentDsse.js";

const key = SigningKey.generate();
const other = SigningKey.generate();
const trusted = key.verificationKey;
const body = encodeText('{"ü":1}');

const ourErrorOr = <T>(read: () => T): T | undefined => {
  try {
    return read();
  } catch (error) {
    assert.ok(isOurError(error), String(error));
    return undefined;
  }
};

describe("signing keys", () => {
  it("are Ed25519 in PEM, and named by the SHA-256 of their SubjectPublicKeyInfo", () => {
    const der = createPublicKey(trusted.toPem()).export({ type: "spki", format: "der" });
    assert.equal(trusted.keyId, createHash("sha256").update(der).digest("hex"));
    assert.match(key.toPem(), /^-----BEGIN PRIVATE KEY-----\n/);
    assert.match(trusted.toPem(), /^-----BEGIN PUBLIC KEY-----\n/);
    assert.equal(SigningKey.fromPem(key.toPem()).verificationKey.keyId, trusted.keyId);
    assert.equal(VerificationKey.fromPem(trusted.toPem()).keyId, trusted.keyId);
  });

  it("of other kinds are refused, and no error holds the text", () => {
    const rsa = generateKeyPairSync("rsa", { modulusLength: 1024 });
    const rsaPem = rsa.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    for (const pem of ["", "canary", rsaPem, trusted.toPem(), key.toPem().slice(0, 60)]) {
      const error = assertThrowsCode(() => SigningKey.fromPem(pem), "SIGNING_KEY_INVALID");
      assert.ok(!JSON.stringify({ ...error, text: error.message }).includes("canary"));
    }
    const rsaPublic = rsa.publicKey.export({ type: "spki", format: "pem" }).toString();
    for (const pem of ["", "canary", rsaPublic])
      assertThrowsCode(() => VerificationKey.fromPem(pem), "EVIDENCE_KEY_INVALID");
  });

  it("that are private are refused where public ones are wanted", () => {
    const error = assertThrowsCode(() => VerificationKey.fromPem(key.toPem()), "EVIDENCE_KEY_INVALID");
    assert.match(error.message, /private key/);
  });
});

describe("DSSE", () => {
  it("encodes as the specification's test vector says", () => {
    const encoded = preAuthEncoding("http://example.com/HelloWorld", encodeText("hello world"));
    assert.equal(Buffer.from(encoded).toString(), "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    assert.deepEqual(Buffer.from(encoded), pae("http://example.com/HelloWorld", Buffer.from("hello world")));
  });

  it("counts bytes, not characters", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.uint8Array(), (type, bytes) => {
        const wellFormed = type.toWellFormed();
        assert.deepEqual(Buffer.from(preAuthEncoding(wellFormed, bytes)), pae(wellFormed, Buffer.from(bytes)));
      }),
    );
  });

  it("is signed so that an independent check agrees, and the other way round", () => {
    const text = signEnvelope(IN_TOTO_PAYLOAD_TYPE, body, [key]);
    const pems = [other, key].map(({ verificationKey }) => verificationKey.toPem());
    const checked = checkEnvelope(text, pems);
    assert.deepEqual(checked, { signers: [pems[1]], payloadType: IN_TOTO_PAYLOAD_TYPE, body: Buffer.from(body) });
    assert.deepEqual(signersOf(decodeEnvelope(text, "e"), [other.verificationKey, trusted]), [trusted]);
    for (const change of [
      { payloadType: "application/json" },
      { payload: encodeBase64(encodeText('{"ü":2}')) },
      { signatures: [{ sig: encodeBase64(new Uint8Array(64)) }] },
    ]) {
      const changed = JSON.stringify({ ...JSON.parse(text), ...change });
      assert.deepEqual(checkEnvelope(changed, pems).signers, []);
      assert.deepEqual(signersOf(decodeEnvelope(changed, "e"), [other.verificationKey, trusted]), []);
    }
  });

  it("does not believe key ids, counts a key once, and needs none", () => {
    const envelope = JSON.parse(signEnvelope(IN_TOTO_PAYLOAD_TYPE, body, [key]));
    const [{ sig, keyid }] = envelope.signatures;
    const keys = [trusted, VerificationKey.fromPem(trusted.toPem()), other.verificationKey];
    const signersWith = (signatures: unknown) =>
      signersOf(decodeEnvelope(JSON.stringify({ ...envelope, signatures }), "e"), keys).map(({ keyId }) => keyId);
    const otherId = other.verificationKey.keyId;
    assert.deepEqual(signersWith([{ keyid: otherId, sig }]), [keyid], "a wrong hint does no harm");
    assert.deepEqual(signersWith([{ sig }, { keyid, sig }, { keyid: otherId, sig }]), [keyid], "one key is one key");
    assert.deepEqual(signersWith([{ keyid: null, sig }]), [keyid]);
    assert.deepEqual(signersWith([]), []);
    const bare = withoutKeyIds(JSON.stringify(envelope), "e");
    assert.ok(!bare.includes("keyid"));
    assert.deepEqual(
      signersOf(decodeEnvelope(bare, "e"), keys).map(({ keyId }) => keyId),
      [keyid],
    );
  });

  it("takes both alphabets of base64, with and without padding, and nothing else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const standard = Buffer.from(bytes).toString("base64");
        const url = Buffer.from(bytes).toString("base64url");
        const padded = url.padEnd(Math.ceil(url.length / 4) * 4, "=");
        for (const text of [standard, url, padded, standard.replace(/=+$/, "")])
          assert.deepEqual(decodeBase64(text, "x"), bytes);
        assert.equal(encodeBase64(bytes), standard);
      }),
    );
    for (const text of ["a", "ab=", "ab===", "YQ=", "YR==", "a+-b", "a b=", "ab\n=", "=", "====", "é"])
      assertThrowsCode(() => decodeBase64(text, "x"), "FORMAT_INVALID");
  });

  it("meets whatever is no envelope with errors of ours, and bounded", () => {
    const good = JSON.parse(signEnvelope(IN_TOTO_PAYLOAD_TYPE, body, [key])) as Record<string, unknown>;
    for (const change of [
      { payload: undefined },
      { payload: 7 },
      { payloadType: "x".repeat(1_000) },
      { payloadType: null },
      { signatures: {} },
      { signatures: [null] },
      { signatures: [{}] },
      { signatures: [{ sig: "x".repeat(2_000) }] },
      { signatures: Array.from({ length: 17 }, () => ({ sig: "" })) },
      { signatures: [{ keyid: "x".repeat(1_000), sig: "" }] },
    ])
      assertThrowsCode(() => decodeEnvelope(JSON.stringify({ ...good, ...change }), "e"), "FORMAT_INVALID");
    const tooLong = JSON.stringify({ ...good, payload: "a".repeat(MAX_ENVELOPE_CHARS) });
    for (const text of ["", "{", "null", "[]", "[".repeat(200_000), tooLong])
      assertThrowsCode(() => decodeEnvelope(text, "e"), "FORMAT_INVALID");
    fc.assert(fc.property(fc.json(), (text) => void ourErrorOr(() => decodeEnvelope(text, "e"))));
  });

  it("survives every changed character of an envelope", () => {
    const text = signEnvelope(IN_TOTO_PAYLOAD_TYPE, body, [key]);
    for (let at = 0; at < text.length; at++) {
      const changed = `${text.slice(0, at)}${text[at] === "A" ? "B" : "A"}${text.slice(at + 1)}`;
      const envelope = ourErrorOr(() => decodeEnvelope(changed, "e"));
      if (envelope === undefined) continue;
      const isHint = envelope.signatures[0]?.keyId !== trusted.keyId;
      assert.equal(signersOf(envelope, [trusted]).length, isHint ? 1 : 0, changed);
    }
  });
});

describe("files of envelopes", () => {
  const split = (text: string) => splitEnvelopes(encodeText(text), "f");

  it("hold one document or one a line", () => {
    assert.deepEqual(split('{\n "a": 1\n}\n'), ['{\n "a": 1\n}']);
    assert.deepEqual(split('{"a":1}\n\n{"b":2}\r\n'), ['{"a":1}', '{"b":2}']);
    assert.deepEqual(split("no envelope"), ["no envelope"], "left to whoever looks into it");
  });

  it("are refused when empty, no text, or endless", () => {
    for (const text of ["", " \n", "{}\n".repeat(5_001)]) assertThrowsCode(() => split(text), "FORMAT_INVALID");
    assertThrowsCode(() => splitEnvelopes(Uint8Array.of(0xff, 0xfe), "f"), "FORMAT_INVALID");
  });
});
